# tests/conformance/test_h2specd.py - every section of h2spec's cases for clients passes on every target that calls.
# Layer: tests. Source: RFC 9113, as h2spec 2.6.0 reads it.
# SPDX-License-Identifier: Apache-2.0
import h2spec
import h2specd
import pytest

from targets import chosen, use

pytestmark = pytest.mark.skipif(h2spec.missing() is not None, reason=h2spec.missing() or "")


@pytest.fixture(params=chosen(h2specd.TARGETS))
def caller(request):
    yield from use(request.param, "caller")


def test_every_case_is_run():
    assert sum(h2specd.SECTIONS.values()) == h2specd.CASES
    h2specd.Servers().stop()  # with one more it would not start: the port behind the last case is that of its report


@pytest.mark.parametrize("section", h2specd.SECTIONS)
def test_client_section(section, caller):
    said = h2specd.failures(section, caller)
    assert not said, "\n\n".join(said)
