# tests/conftest.py - every test's common part: the environment, and the closing line "N passed, N failed".
# Layer: tests.
# SPDX-License-Identifier: Apache-2.0
import os

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# A proxy of this machine is none of a test's business: all servers are on 127.0.0.1.
for name in ("http_proxy", "https_proxy", "grpc_proxy", "all_proxy"):
    os.environ.pop(name, None)
    os.environ.pop(name.upper(), None)

# A `make` that a test runs is not a part of the one that runs the tests.
for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
    os.environ.pop(name, None)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or config.option.collectonly:
        return
    count = {
        kind: len(reporter.stats.get(kind, [])) for kind in ("passed", "failed", "error", "skipped")
    }
    if count["skipped"]:
        print("%d skipped, for the reasons above" % count["skipped"])
    print("%d passed, %d failed" % (count["passed"], count["failed"] + count["error"]))
