"""Payloads: numbers, objects and events become what they mean, and garbage is named."""

import math
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.events import TimePolicy
from streaming.connectors.mqtt.payloads import (
    EMPTY,
    FIELDS_MAX,
    NO_NUMBER,
    NOT_TEXT,
    TOO_MANY_FIELDS,
    Arrivals,
    Kind,
    Read,
    read_payloads,
)
from streaming.connectors.mqtt.templates import Place
from streaming.connectors.rows import check_rows

NOW = datetime(2026, 1, 26, 10, tzinfo=UTC)
ARRIVED_MS = round(NOW.timestamp() * 1000)


def read(kind: Kind, *payloads: bytes, place: Place | None = None) -> Read:
    count = len(payloads)
    ids = [f"m{number}" for number in range(count)]
    where = place or Place("press", "temp")
    return read_payloads(Arrivals([where] * count, payloads, ids, [ARRIVED_MS] * count), kind)


def list_events(found: Read) -> list[dict[str, Any]]:
    """Return events without what they do not fill."""
    rows = found.events.iter_rows(named=True)
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def make_reading(value: float, message: int = 0, **more: Any) -> dict[str, Any]:
    channel = more.get("channel", "temp")
    return {
        "message": message,
        "stream_id": "press",
        "channel": channel,
        "value": value,
        "type": "reading",
        "timestamp": str(ARRIVED_MS),
        "id": f"m{message}/{channel}",
    } | more


@pytest.mark.parametrize(
    ("payload", "reading"),
    [
        (b"21.5", make_reading(21.5)),
        (b' "21.5"\n', make_reading(21.5)),
        (b"-1e3", make_reading(-1000)),
        (b"true", make_reading(1)),
        (b'{"value": 3}', make_reading(3)),
        (b'{"val": "3"}', make_reading(3)),
        (b'{"value": false, "ts": 1769423535}', make_reading(0, timestamp="1769423535")),
        (
            b'{"value": 3, "unit": "C", "timestamp": "2026-01-26T09:00:00Z", "id": "x"}',
            make_reading(3, unit="C", timestamp="2026-01-26T09:00:00Z", id="x/temp"),
        ),
        (b'{\n "value": 3\n}', make_reading(3)),
    ],
)
def test_a_value_is_a_reading(payload: bytes, reading: dict[str, Any]):
    found = read("values", payload)
    assert (list_events(found), found.rejected) == ([reading], [])


@pytest.mark.parametrize("kind", ["values", "fields"])
@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", EMPTY),
        (b" \n", EMPTY),
        (b"on", NO_NUMBER),
        (b"null", NO_NUMBER),
        (b"[1]", NO_NUMBER),
        (b"\xff\xfe", NOT_TEXT),
        (b'{"value": "warm"}', NO_NUMBER),
        (b"{}", NO_NUMBER),
        (b'{"value": }', "not JSON"),
        (b'{"value": 1} {"value": 2}', "not JSON"),
    ],
)
def test_what_holds_no_number_is_named_and_costs_its_neighbours_nothing(
    kind: Kind, payload: bytes, reason: str
):
    found = read(kind, b"1", payload, b'{"value": 2}')
    assert [(row.index, row.reason) for row in found.rejected] == [(1, reason)]
    assert sorted(zip(found.events["message"], found.events["value"], strict=True)) == [
        (0, 1.0),
        (2, 2.0),
    ]


def test_every_number_of_an_object_is_a_reading():
    payload = b'{"temp": 21.5, "on": true, "name": "x", "in": {"a": 1}, "ts": 5, "unit": "C"}'
    found = read(
        "fields",
        payload,
        b'{"h\\u00e9": 7, "id": "i", "message": 1, "0": 2}',
        b"8",
        b'{"*": 9, "^.$": 3}',
    )
    about: dict[str, Any] = {"timestamp": "5", "unit": "C"}
    expected = [
        make_reading(21.5, channel="temp", **about),
        make_reading(1, channel="on", **about),
        make_reading(7, 1, channel="h\N{LATIN SMALL LETTER E WITH ACUTE}", id="i/h\xe9"),
        make_reading(1, 1, channel="message", id="i/message"),
        make_reading(2, 1, channel="0", id="i/0"),
        make_reading(8, 2, channel="value"),
        make_reading(9, 3, channel="*"),
        make_reading(3, 3, channel="^.$"),
    ]
    assert found.rejected == []

    def order(event: dict[str, Any]) -> tuple[int, str]:
        return event["message"], event["channel"]

    assert sorted(list_events(found), key=order) == sorted(expected, key=order)


def test_an_object_of_too_many_fields_is_refused_alone():
    large = orjson.dumps({f"f{number}": number for number in range(FIELDS_MAX + 1)})
    others = [
        orjson.dumps({f"g{number}_{place}": 1 for place in range(300)}) for number in range(4)
    ]
    found = read("fields", *others[:2], large, *others[2:])
    assert [(row.index, row.reason) for row in found.rejected] == [(2, TOO_MANY_FIELDS)]
    assert found.events.height == 4 * 300


def test_events_are_whole_and_the_topic_says_what_they_leave_out():
    one = {"type": "viewers", "value": 5}
    full = {**one, "stream_id": "other", "timestamp": "2026-01-26T09:00:00Z", "id": "x"}
    found = read("events", orjson.dumps(one), orjson.dumps([one, full]), b"nope", b"", b"[7]")
    said = [
        (e["message"], e["stream_id"], e["timestamp"][:16], e["id"]) for e in list_events(found)
    ]
    assert said == [
        (0, "press", str(ARRIVED_MS), "m0/0"),
        (1, "press", str(ARRIVED_MS), "m1/0"),
        (1, "other", "2026-01-26T09:00", "x"),
    ]
    assert sorted((row.index, row.reason.split(":")[0]) for row in found.rejected) == [
        (2, "not JSON"),
        (3, EMPTY),
        (4, "not a JSON object"),
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
PAYLOADS = st.lists(
    st.binary() | JSON.map(orjson.dumps) | st.floats().map(lambda x: str(x).encode())
)


@given(st.sampled_from(["values", "fields", "events"]), PAYLOADS)
def test_every_message_is_read_or_named(kind: Kind, payloads: list[bytes]):
    found = read(kind, *payloads)
    read_from = set(found.events["message"]) if found.events.height else set()
    named = {row.index for row in found.rejected}
    assert read_from | named == set(range(len(payloads)))
    if found.events.height:
        raw = found.events.drop("message").with_row_index()
        rows = check_rows(raw, now=NOW, policy=TimePolicy())
        assert len(rows.lines) + len(rows.rejected) == raw.height


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_come_through_as_they_are(values: list[float]):
    for payloads in (
        [str(value).encode() for value in values],
        [orjson.dumps({"value": value}) for value in values],
    ):
        found = read("values", *payloads).events.sort("message")["value"].to_list()
        assert all(math.isclose(*pair, rel_tol=1e-15) for pair in zip(found, values, strict=True))
