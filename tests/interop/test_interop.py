# tests/interop/test_interop.py - gRPC's interop cases, by each client, on each target.
# Layer: tests. Source: gRPC "Interoperability Test Case Descriptions".
# SPDX-License-Identifier: Apache-2.0
import pytest

import clients
from targets import chosen, use

ALL = [
    (client, case, target)
    for target in chosen(["reference"] + clients.TARGETS)
    for client in clients.CLIENTS
    for case in clients.CASES
    if clients.concerns(client, case, target)
]


@pytest.fixture
def server(target):
    yield from use(*clients.name_and_app(target))


@pytest.mark.parametrize("client, case, target", ALL)
def test_case(client, case, target, server):
    result, text = clients.attempt(client, case, server)
    if result == clients.NOT_RUN:
        pytest.skip(text)
    assert result == clients.PASS, text
