"""Scopes: packed in bounded payloads, and read back whole."""

import pytest

from core.scopes import SCOPES_MAX, pack_scopes, scope_of_stream, unpack_scopes, version_key


@pytest.mark.parametrize("count", [0, 1, SCOPES_MAX, SCOPES_MAX + 1, 3 * SCOPES_MAX])
def test_scopes_come_back_whole_from_payloads_of_bounded_length(count: int):
    scopes = {scope_of_stream(f"é{number}") for number in range(count)}
    payloads = [unpack_scopes(payload) for payload in pack_scopes(scopes)]
    assert {scope for payload in payloads for scope in payload} == scopes
    assert sum(map(len, payloads)) == count
    assert all(len(payload) <= SCOPES_MAX for payload in payloads)


def test_a_payload_that_is_no_text_is_refused():
    with pytest.raises(ValueError, match="utf-8"):
        unpack_scopes(b"\xff")


def test_a_version_lies_under_its_scope():
    assert version_key(scope_of_stream("a")) == "version:stream:a"
