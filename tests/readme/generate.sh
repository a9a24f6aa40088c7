# tests/readme/generate.sh - what the generators make of a page's .proto files, in the page's folder; for `do` steps.
# Layer: tests. SPDX-License-Identifier: Apache-2.0
# Use: bash generate.sh FILE.proto...   with NANORPC, NANOPB_DIR and HARNESS_PYTHON in the environment.
set -eu
exec "$HARNESS_PYTHON" -m grpc_tools.protoc -I. -I"$NANORPC/proto" --python_out=. --grpc_python_out=. \
    --plugin=protoc-gen-nanopb="$NANORPC/proto/protoc-gen-nanopb" --nanopb_opt=-I. --nanopb_opt=-I"$NANORPC/proto" --nanopb_out=. \
    --plugin=protoc-gen-nanorpc="$NANORPC/proto/protoc-gen-nanorpc" --nanorpc_opt=-I. --nanorpc_opt=-I"$NANORPC/proto" \
    --nanorpc_out=. "$@"
