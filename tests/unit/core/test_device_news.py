"""Device news: what is told comes out as it went in."""

from datetime import UTC, datetime

import orjson
import pytest

from core.device_news import MESSAGE, pack_payload, tell_device, tell_point, unpack_payload

AT = datetime(2026, 1, 26, 10, 32, 15, 5, UTC)


def test_a_payload_comes_out_as_it_went_in():
    messages = [
        tell_point("d", "t", b'"a\\nb"', AT),
        tell_device("d", MESSAGE, "1", {"value": {"message": "a\x1f\nb"}}),
    ]
    assert unpack_payload(pack_payload("me", messages)) == ("me", messages)


def test_a_point_is_told_with_its_value_as_it_came():
    body = orjson.loads(tell_point("d", "t", b"[1,2]", AT).body)
    assert body == {
        "type": "data",
        "device_id": "d",
        "id": "t",
        "value": [1, 2],
        "timestamp": "2026-01-26T10:32:15.000005Z",
    }


@pytest.mark.parametrize("payload", [b"", b"me", b"me\nhalf\x1fa", b"\xff\n"])
def test_what_somebody_else_wrote_is_no_payload(payload: bytes):
    with pytest.raises(ValueError):  # noqa: PT011 (of the standard library)
        unpack_payload(payload)
