# tests/readme/build.sh - a page's program for Linux: its files, the core, ports/posix and nanopb; for `do` steps.
# Layer: tests. SPDX-License-Identifier: Apache-2.0
# Use: bash build.sh PROGRAM WORD...   words: flags and C files; with NANORPC and NANOPB_DIR in the environment.
set -eu
program=$1
shift
exec gcc -std=c99 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -pthread -I. -I"$NANORPC" \
    -isystem "$NANOPB_DIR" -o "$program" "$@" "$NANORPC"/nanorpc/[!s]*/*.c "$NANORPC"/nanorpc/server/*.c \
    "$NANORPC"/ports/posix/*.c "$NANOPB_DIR"/pb_common.c "$NANOPB_DIR"/pb_decode.c "$NANOPB_DIR"/pb_encode.c
