"""Messages: what producers send becomes the events it means, and garbage is named."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import ManualClock
from core.events import TimePolicy
from streaming.connectors.kafka.messages import SHAPES, Messages, read_messages
from streaming.connectors.rows import check_rows

NOW = datetime(2026, 1, 26, 10, tzinfo=UTC)
SENT_MS = 1_760_000_000_000


def make_messages(values: list[bytes | None], key: bytes | None = b"ada") -> Messages:
    count = len(values)
    return Messages("t", [3] * count, list(range(count)), [key] * count, values, [SENT_MS] * count)


def read_one(shape: str, message: dict[str, Any], key: bytes | None = b"ada") -> dict[str, Any]:
    """Return what a message becomes, without what it does not fill."""
    values: list[bytes | None] = [orjson.dumps(message)]
    events, rejected = read_messages(make_messages(values, key), SHAPES[shape])
    assert rejected == []
    event = events.drop("index").row(0, named=True)
    return {name: value for name, value in event.items() if value is not None}


def read_reasons(shape: str, *values: bytes | None) -> list[tuple[int, str]]:
    _, rejected = read_messages(make_messages(list(values)), SHAPES[shape])
    return [(row.index, row.reason) for row in rejected]


PLACE = {"stream_id": "ada", "id": "t/3/0", "timestamp": str(SENT_MS)}


@pytest.mark.parametrize(
    ("shape", "message", "event"),
    [
        ("chat", {"username": "b", "message": "hi"}, {"type": "chat", "user": "b", "text": "hi"}),
        (
            "chat",
            {"user": "b", "text": "", "emotes": ["Kappa", ":\\", 'q"'], "bits": "5"},
            {"type": "chat", "user": "b", "text": "", "emotes": ["Kappa", ":\\", 'q"'], "bits": 5},
        ),
        (
            "chat",
            {"emotes": [{"id": "25", "name": "Kappa"}, {"name": ":\\"}, {"id": "9"}]},
            {"type": "chat", "emotes": ["Kappa", ":\\"]},
        ),
        ("chat", {"emotes": "Kappa, LUL"}, {"type": "chat", "emotes": ["Kappa", "LUL"]}),
        ("chat", {"emotes": {"Kappa": [[0, 4]]}}, {"type": "chat"}),
        ("viewer", {"viewer_count": 120}, {"type": "viewers", "value": 120.0}),
        ("viewer", {"viewers": "7"}, {"type": "viewers", "value": 7.0}),
        (
            "transactions",
            {"type": "Cheer", "amount": "5.5", "currency": "EUR", "user": "b"},
            {"type": "transaction", "kind": "bits", "amount": 5.5, "currency": "EUR", "user": "b"},
        ),
        ("transactions", {"kind": "merch"}, {"type": "transaction", "kind": "other"}),
        ("transactions", {"amount": 1}, {"type": "transaction", "amount": 1.0}),
        ("stream_meta", {"event": "ONLINE"}, {"type": "meta", "event": "stream_start"}),
        (
            "stream_meta",
            {"title": "Hello", "game": "Chess"},
            {"type": "meta", "event": "title_change", "title": "Hello", "category": "Chess"},
        ),
        (
            "stream_meta",
            {"category": "Chess", "viewer_count": 5.0},
            {"type": "meta", "event": "category_change", "category": "Chess", "viewers": 5},
        ),
        ("stream_meta", {"event": "sneeze"}, {"type": "meta", "event": "sneeze"}),
    ],
)
def test_a_message_becomes_the_event_that_it_means(
    shape: str, message: dict[str, Any], event: dict[str, Any]
):
    assert read_one(shape, message) == {**PLACE, **event}


@pytest.mark.parametrize("name", ["stream_id", "channel", "channel_id"])
def test_a_message_that_names_its_stream_stands_above_its_key(name: str):
    assert read_one("viewer", {name: "bob"})["stream_id"] == "bob"
    assert read_one("viewer", {name: ""})["stream_id"] == "ada"
    assert "stream_id" not in read_one("viewer", {name: ""}, key=b"\xff")


@pytest.mark.parametrize("time", ["2026-01-26T10:32:15Z", 1769423535, 1769423535123])
def test_a_message_that_names_its_time_stands_above_when_it_was_sent(time: str | int):
    for name in ("timestamp", "ts"):
        assert read_one("viewer", {name: time})["timestamp"] == str(time)


def test_what_is_no_message_is_named_with_its_reason():
    values = (b"{}", None, b"", b"nonsense", b"[1]", b'{"viewers": "many"}', b'{"viewers": {}}')
    assert sorted(read_reasons("viewer", *values)) == [
        (1, "empty"),
        (2, "empty"),
        (3, "not JSON"),
        (4, "not a JSON object"),
        (5, "value is not a number"),
        (6, "value is not a number"),
    ]
    assert read_reasons("chat", b'{"bits": 1.5}') == [(0, "bits is not a number")]


def test_a_neighbour_that_is_odd_changes_nothing():
    good = orjson.dumps({"user": "b", "text": "x", "emotes": [":\\", {"name": "Kappa"}]})
    for odd in (b"nonsense", b'{"emotes": "LUL"}', b'{"emotes": 5}', b'{"emotes": null}'):
        events, _ = read_messages(make_messages([odd, good, odd]), SHAPES["chat"])
        kept = {row["index"]: row["emotes"] for row in events.iter_rows(named=True)}
        assert kept[1] == [":\\", "Kappa"]
        assert list(kept) == sorted(kept)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
NAMES = sorted(
    {name for shape in SHAPES.values() for names in shape.names.values() for name in names}
)


@given(
    st.sampled_from(sorted(SHAPES)),
    st.lists(
        st.none()
        | st.binary()
        | st.dictionaries(st.sampled_from([*NAMES, "ts", "channel", "x"]), JSON).map(
            lambda one: (
                orjson.dumps(one, option=orjson.OPT_NON_STR_KEYS) if _is_writable(one) else b"{}"
            )
        ),
        max_size=8,
    ),
)
def test_every_message_is_an_event_or_named(shape: str, values: list[bytes | None]):
    events, rejected = read_messages(make_messages(values), SHAPES[shape])
    indexes = [*events["index"].to_list(), *(row.index for row in rejected)]
    assert sorted(indexes) == list(range(len(values)))
    clock = ManualClock(NOW)
    rows = check_rows(events, now=clock.now(), policy=TimePolicy())
    assert len(rows.lines) + len(rows.rejected) == events.height


def _is_writable(one: object) -> bool:
    try:
        orjson.dumps(one)
    except TypeError:
        return False
    return True
