"""Followed streams: what ``telemetra tail`` knows and shows, and the lines it writes."""

import io
from datetime import timedelta
from typing import Any

import pytest
from rich.console import Console

from api.moments.examples import MOMENT
from infra.cli.followed_streams import (
    CHANNELS_MAX,
    CHATS_MAX,
    MINUTES_MAX,
    MOMENTS_MAX,
    FollowedStream,
)
from infra.cli.sparklines import draw_sparkline
from infra.cli.tail_tables import HEADS, show_stream, write_heads, write_line
from tests.fixtures.clocks import START

MINUTE = timedelta(minutes=1)


def make_row(number: int, **fields: Any) -> dict[str, Any]:
    row = {
        "window_start": f"{START + number * MINUTE:%Y-%m-%dT%H:%M:%SZ}",
        "chat_count": 57,
        "chat_rate": 0.95,
        "unique_chatters": 31,
        "avg_viewers": 48_210.0,
        "avg_sentiment": -0.58,
        "z_score": None,
        "is_anomaly": False,
    }
    return row | fields


def tell(kind: str, **told: Any) -> dict[str, Any]:
    return {"type": kind, "stream_id": "a", "timestamp": "2026-01-26T10:00:00Z", "data": told}


def follow(*messages: dict[str, Any]) -> FollowedStream:
    followed = FollowedStream("a")
    for message in messages:
        followed.hear(message)
    return followed


def show(followed: FollowedStream, *, is_connected: bool = True) -> str:
    console = Console(file=io.StringIO(), width=120)
    console.print(show_stream(followed, is_connected=is_connected, now=START))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("values", "base", "line"),
    [
        ([0.0, 5.0, 10.0], None, "▁▅█"),
        ([5.0, 10.0], 0.0, "▅█"),
        ([1.0, None, 2.0], None, "▁ █"),
        ([3.0, 3.0], None, "▅▅"),
        ([None, None], None, "  "),
        ([], None, ""),
    ],
)
def test_a_sparkline_has_heights_and_gaps(
    values: list[float | None], base: float | None, line: str
):
    assert draw_sparkline(values, base=base) == line


def test_minutes_are_told_apart_and_revised_and_only_an_hour_is_kept():
    followed = follow(*(tell("minute", **make_row(number)) for number in range(70)))
    followed.hear(tell("metrics", **make_row(69, chat_rate=7.5)))
    values = followed.list_values("chat_rate")
    assert len(values) == MINUTES_MAX
    assert (values[0], values[-1]) == (0.95, 7.5)


def test_a_minute_without_a_row_is_a_gap():
    followed = follow(*(tell("minute", **make_row(number)) for number in (1, 3)))
    assert followed.list_values("chat_rate")[-3:] == [0.95, None, 0.95]
    assert FollowedStream("a").list_values("chat_rate") == []


def test_what_is_remembered_is_bounded():
    chats = [{"at": "2026-01-26T10:00:00Z", "user": "u", "text": str(n)} for n in range(99)]
    moments = [
        tell("moment", **MOMENT) | {"data": MOMENT | {"moment_id": str(n)}} for n in range(9)
    ]
    readings = [
        tell("reading", channel=f"c{n}", value=1.0, unit=None, timestamp="") for n in range(40)
    ]
    followed = follow(tell("chat", messages=chats), *moments, *readings)
    assert len(followed.chats) == CHATS_MAX
    assert followed.chats[-1]["text"] == "98"
    assert len(followed.moments) == MOMENTS_MAX
    assert len(followed.channels) == CHANNELS_MAX


def test_a_moment_that_changed_replaces_what_was_known_of_it():
    followed = follow(
        tell("moment", **MOMENT), tell("moment", **(MOMENT | {"state": "acknowledged"}))
    )
    assert [moment["state"] for moment in followed.moments.values()] == ["acknowledged"]


def test_a_picture_shows_numbers_moments_and_what_is_said():
    followed = follow(
        tell("metrics", **make_row(0)),
        tell("moment", **MOMENT),
        tell("chat", messages=[{"at": "2026-01-26T10:32:15Z", "user": "ada", "text": "so [red]"}]),
        tell("reading", channel="temp", value=61.42, unit="°C", timestamp=""),
    )
    text = show(followed)
    for part in ("live", "57/min", "48.2k", "\u22120.58", "Chat spike", "so [red]", "61.4 °C"):
        assert part in text
    assert "disconnected" not in text


def test_a_picture_says_that_it_is_old():
    followed = FollowedStream("a")
    followed.hear({"type": "dropped", "count": 9, "replaced": 2})
    text = show(followed, is_connected=False)
    assert "disconnected, trying again" in text
    assert "7 messages left out" in text


def test_what_somebody_says_cannot_steer_the_terminal():
    chat = {"at": "2026-01-26T10:32:15Z", "user": "\x1b[2Jeve", "text": "a\x1b]0;x\x07b\r\nc"}
    text = show(follow(tell("chat", messages=[chat])))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\r" not in text


def test_a_line_has_as_many_columns_as_its_head():
    told = {
        "minute": make_row(0, z_score=1.25),
        "reading": {"channel": "temp", "value": 1.5, "unit": None, "timestamp": "t"},
        "moment": MOMENT | {"description": "two\tparts\nof it"},
        "stream": {"state": "silent"},
    }
    heads = {head.split("\t")[1]: head.split("\t") for head in write_heads()}
    assert set(heads) == set(HEADS)
    for kind, data in told.items():
        line = write_line(tell(kind, **data))
        assert line is not None
        assert len(line.split("\t")) == len(heads[kind])
        assert line.split("\t")[1] == kind
    assert write_line(tell("minute", **make_row(0, z_score=1.25))) == (
        "2026-01-26T10:00:00Z\tminute\t57\t0.95\t31\t48210\t-0.58\t1.25\tusual"
    )
    assert write_line(tell("ping")) is None
