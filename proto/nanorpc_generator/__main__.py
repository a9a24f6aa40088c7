# proto/nanorpc_generator/__main__.py - `python -m nanorpc_generator`: protoc-gen-nanorpc where it is installed.
# Layer: generator, runs on the host. Source: none.
# SPDX-License-Identifier: Apache-2.0
"""A protoc plugin, as proto/protoc-gen-nanorpc: a CodeGeneratorRequest on the standard input. `nanorpc generate` runs
it; by hand, `protoc --plugin=protoc-gen-nanorpc` runs the command of that name."""

import sys

from .main import main


def plugin():
    main(__file__, __doc__)


if __name__ == "__main__":
    sys.exit(plugin())
