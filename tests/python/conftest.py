# tests/python/conftest.py - the device that tests of relay, channels and the shell's commands share.
# Layer: tests.
# SPDX-License-Identifier: Apache-2.0
import pytest


@pytest.fixture
def board(tmp_path):
    import served

    board = served.Board(tmp_path)
    board.plug()
    yield board
    board.close()
