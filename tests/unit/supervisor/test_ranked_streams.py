"""Ranked streams: the order of ``telemetra top``, its picture and its lines."""

import io
from typing import Any

import pytest
from rich.console import Console

from infra.cli.ranked_streams import RATES_MAX, RankedStreams, SortKey
from infra.cli.top_options import read_options
from infra.cli.top_tables import HEADS, show_streams, write_lines
from tests.fixtures.clocks import START


def make_stream(name: str, rate: float | None, *, is_live: bool = True, **more: Any) -> Any:
    latest = {"chat_rate": rate, "unique_chatters": 3, "avg_viewers": None, "avg_sentiment": 0.1}
    return {"id": name, "is_live": is_live, "latest": None if rate is None else latest | more}


STREAMS = [
    make_stream("quiet", 0.5, avg_viewers=900.0),
    make_stream("busy", 12.0, avg_viewers=100.0),
    make_stream("bench", None),
    make_stream("asleep", 99.0, is_live=False),
]
MOMENTS = [
    {"stream_id": "quiet", "score": 2.0},
    {"stream_id": "quiet", "score": 4.5},
    {"stream_id": "bench", "score": 1.2},
]


@pytest.mark.parametrize(
    ("key", "order"),
    [
        (SortKey.RATE, ["busy", "quiet", "asleep", "bench"]),
        (SortKey.SCORE, ["quiet", "bench", "asleep", "busy"]),
        (SortKey.VIEWERS, ["quiet", "busy", "asleep", "bench"]),
        (SortKey.NAME, ["asleep", "bench", "busy", "quiet"]),
    ],
)
def test_streams_stand_in_the_order_asked_for_and_those_without_a_number_last(
    key: SortKey, order: list[str]
):
    ranked = RankedStreams(key).rank(STREAMS, MOMENTS)
    assert [stream.stream_id for stream in ranked] == order


def test_a_stream_has_the_highest_score_of_its_moments():
    scores = {
        one.stream_id: one.score for one in RankedStreams(SortKey.RATE).rank(STREAMS, MOMENTS)
    }
    assert scores == {"quiet": 4.5, "bench": 1.2, "busy": None, "asleep": None}


def test_rates_are_remembered_so_long_as_the_stream_is_there():
    ranking = RankedStreams(SortKey.NAME)
    for number in range(RATES_MAX + 5):
        (stream,) = ranking.rank([make_stream("a", float(number))], [])
    assert stream.rates == tuple(map(float, range(5, RATES_MAX + 5)))
    ranking.rank([], [])
    (again,) = ranking.rank([make_stream("a", 1.0)], [])
    assert again.rates == (1.0,)


def test_a_picture_shows_as_many_as_there_is_room_for_and_counts_all():
    console = Console(file=io.StringIO(), width=120)
    ranked = RankedStreams(SortKey.RATE).rank(STREAMS, MOMENTS)
    console.print(show_streams(ranked, height=2, now=START, away="The API is away."))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "3 live of 4 streams" in text
    assert "The API is away." in text
    assert "12/s" in text
    assert "4.50" in text
    assert "bench" not in text


def test_a_line_has_as_many_columns_as_the_head():
    ranked = RankedStreams(SortKey.RATE).rank(STREAMS, MOMENTS)
    lines = list(write_lines(ranked, START))
    assert lines[0] == "2026-01-26T10:00:00Z\tbusy\tlive\t12\t100\t3\t0.1\t-"
    assert all(len(line.split("\t")) == len(HEADS) for line in lines)


@pytest.mark.parametrize(
    "words", [["--sort", "mood"], ["--limit", "0"], ["--every", "0.1"], ["--every", "often"]]
)
def test_a_wrong_value_ends_with_one_line(words: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        read_options(words)
    assert ended.value.code == 2
    assert words[0] in capsys.readouterr().err
