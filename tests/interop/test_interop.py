# tests/interop/test_interop.py - gRPC's interop cases, by each client, on each target.
# Layer: tests. Source: gRPC "Interoperability Test Case Descriptions".
# SPDX-License-Identifier: Apache-2.0
import pytest

import cases
import clients
from targets import chosen, use


@pytest.fixture(params=chosen(["reference"] + clients.TARGETS))
def server(request):
    yield from use(request.param, clients.app_of(request.node.callspec.params["case"], request.param))


@pytest.mark.parametrize("case", cases.CASES)
@pytest.mark.parametrize("client", clients.CLIENTS)
def test_case(client, case, server):
    result, text = clients.attempt(client, case, server)
    if result == clients.NOT_RUN:
        pytest.skip(text)
    assert result == clients.PASS, text
