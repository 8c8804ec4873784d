"""Contents of dead letters: shown as they are, and never more than a page can bear."""

import base64
import io
from datetime import UTC, datetime, timedelta

import orjson
import polars as pl
import pytest

from api.dead_letters.contents import EVENTS_BYTES_MAX, EVENTS_SHOWN_MAX, START_BYTES, read_contents


def write(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer, compression="lz4")
    return buffer.getvalue()


def test_the_first_events_are_shown_and_all_are_counted():
    payload = write(pl.DataFrame({"stream_id": [f"s{n}" for n in range(100)]}))
    contents = read_contents(payload, len(payload))
    assert contents["event_count"] == 100
    assert contents["events"] == [{"stream_id": f"s{n}"} for n in range(EVENTS_SHOWN_MAX)]
    assert base64.b64decode(contents["payload_start"]) == payload[:START_BYTES]


def test_large_events_are_left_out_and_none_is_shown_in_part():
    payload = write(pl.DataFrame({"text": ["x" * 30_000] * 5 + ["y"]}))
    contents = read_contents(payload, len(payload))
    assert [len(event["text"]) for event in contents["events"]] == [30_000, 30_000]
    assert len(orjson.dumps(contents["events"])) <= EVENTS_BYTES_MAX


def test_values_of_any_kind_can_be_shown():
    frame = pl.DataFrame(
        {
            "nan": [float("nan")],
            "bytes": [b"\x00\xff"],
            "time": [datetime(2026, 1, 26, tzinfo=UTC)],
            "length": [timedelta(seconds=1)],
            "list": [[["a", None]]],
        }
    )
    payload = write(frame)
    event = read_contents(payload, len(payload))["events"][0]
    assert (event["nan"], event["time"]) == (None, "2026-01-26T00:00:00Z")
    assert event["list"] == [["a", None]]
    assert "\\x00" in event["bytes"]


@pytest.mark.parametrize(
    "payload", [b"", b"\xff" * 100, b"{}", write(pl.DataFrame({"a": [1]}))[:90]]
)
def test_what_cannot_be_read_has_only_bytes(payload):
    contents = read_contents(payload, len(payload))
    assert (contents["event_count"], contents["events"]) == (None, [])
    assert base64.b64decode(contents["payload_start"]) == payload


def test_the_beginning_of_a_large_letter_is_not_taken_for_all_of_it():
    payload = write(pl.DataFrame({"a": [1]}))
    assert read_contents(payload, len(payload) + 1)["event_count"] is None
