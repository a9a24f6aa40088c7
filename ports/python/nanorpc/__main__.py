# ports/python/nanorpc/__main__.py - python -m nanorpc: the command nanorpc.
# Layer: port.
# SPDX-License-Identifier: Apache-2.0
import sys

from nanorpc.cli import main

sys.exit(main())
