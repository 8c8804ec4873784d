"""What once came, read back in the order in which it came."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from core.batches import Entry
from core.errors import InvalidError
from core.events import SCHEMA
from core.times import EPOCH
from streaming.archive.recounts import Span
from streaming.backtest.recordings import WINDOW, ArchiveRecording, Arrival, open_file
from streaming.simulator.files import Span as Stretch
from streaming.simulator.files import write_file
from streaming.simulator.profiles import list_profiles
from streaming.simulator.worlds import World
from tests.fixtures.archives import write_archive
from tests.fixtures.clocks import START
from tests.fixtures.events import STREAM, Event, chat, make_entry, reading

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = Span(START - 12 * HOUR, START + 12 * HOUR)


def archive(folder: Path, *arrivals: tuple[timedelta, Event]) -> ArchiveRecording:
    entries: list[tuple[int, Entry]] = [
        (number % 2, make_entry(START + after, [event], sequence=number))
        for number, (after, event) in enumerate(arrivals)
    ]
    write_archive(folder, entries, shards=2)
    return ArchiveRecording(folder, DAY)


def list_seconds(arrivals: Sequence[Arrival]) -> list[float]:
    return [(arrival.at - START) / SECOND for arrival in arrivals]


def test_events_come_as_they_arrived_whatever_their_own_time(tmp_path: Path):
    recording = archive(
        tmp_path,
        (HOUR + 20 * SECOND, chat(START, "late by an hour")),
        (0 * SECOND, chat(START, "first")),
        (HOUR, chat(START + HOUR, "of the next hour")),
        (0.5 * SECOND, reading(START - HOUR)),
        (WINDOW, chat(START + WINDOW, "first of the next window")),
    )
    arrivals = list(recording.read(SECOND))
    assert list_seconds(arrivals) == [0.5, 300, 3600, 3620]
    assert [arrival.events.height for arrival in arrivals] == [2, 1, 1, 1]
    assert arrivals[-1].events["user"].to_list() == ["late by an hour"]
    first = arrivals[0].events
    assert first["arrived"].to_list() == [
        (START - EPOCH) // SECOND * 10**6 + n for n in (0, 500_000)
    ]
    assert first["offset"].is_sorted()


def test_only_the_span_and_the_stream_are_read(tmp_path: Path):
    archive(
        tmp_path,
        (0 * SECOND, chat(START, stream_id="other")),
        (SECOND, chat(START - 13 * HOUR)),
        (2 * SECOND, chat(START)),
    )
    arrivals = list(ArchiveRecording(tmp_path, DAY, STREAM).read(SECOND))
    assert list_seconds(arrivals) == [2]
    assert list(ArchiveRecording(tmp_path / "none", DAY).read(SECOND)) == []


@pytest.mark.parametrize("suffix", [".parquet", ".ndjson"])
def test_a_file_of_the_simulator_is_read_whole_and_in_order(suffix: str, tmp_path: Path):
    begin_ms = int(START.timestamp() * 1000)
    stretch = Stretch(World(7, list_profiles(3)), begin_ms, begin_ms + 400_000)
    path = tmp_path / f"events{suffix}"
    events = write_file(path, stretch)
    with open_file(path) as recording:
        assert recording.find_span() == Span(START, START + timedelta(minutes=7))
        arrivals = list(recording.read(5 * SECOND))
    assert sum(arrival.events.height for arrival in arrivals) == events
    assert list_seconds(arrivals) == [5.0 * number for number in range(1, 81)]
    for at, part in arrivals:
        assert part["timestamp"].min() >= at - 5 * SECOND  # type: ignore[operator]
        assert part["timestamp"].max() < at  # type: ignore[operator]
        assert all(SCHEMA[name] == kind for name, kind in part.schema.items())
    with open_file(path, "bench-07") as recording:
        parts = [arrival.events for arrival in recording.read(60 * SECOND)]
    assert pl.concat(parts)["stream_id"].unique().to_list() == ["bench-07"]


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("a.csv", b"", "neither"),
        ("none.parquet", None, "cannot be read"),
        ("half.parquet", b"PAR1....", "cannot be read"),
        ("half.ndjson", b'{"stream_id": "a", "type', "cannot be read"),
        ("empty.ndjson", b"", "no events"),
        ("other.ndjson", b'{"name": "a"}\n', "no events"),
    ],
)
def test_a_file_that_holds_no_events_is_said(
    name: str, content: bytes | None, word: str, tmp_path: Path
):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidError, match=word), open_file(path) as recording:
        recording.find_span()


def test_a_table_without_the_columns_of_events_is_said(tmp_path: Path):
    pl.DataFrame({"stream_id": ["a"]}).write_parquet(tmp_path / "x.parquet")
    with pytest.raises(InvalidError, match="type, timestamp"), open_file(tmp_path / "x.parquet"):
        pass
