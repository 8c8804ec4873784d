"""Bytewax, event by event: its own windows over dictionaries, as its guide shows it.

    lines -> orjson.loads -> fold_window of a minute of event time -> rows

Lines are handed on by the thousand, since a batch of one costs ten times as much.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, TypeAlias

import bytewax.operators as op
import bytewax.operators.windowing as win
import orjson
from bytewax.dataflow import Dataflow
from bytewax.inputs import DynamicSource, StatelessSourcePartition
from bytewax.testing import TestingSink, run_main
from typing_extensions import override

from loadtest.peers.tasks import EMOTES, MinuteRow, run_task

LINES_A_BATCH_BYTES: Final = 128 * 1024
"""About a thousand lines: larger batches were not faster."""

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
KNOWN: Final = frozenset(EMOTES)

Event: TypeAlias = tuple[datetime, str, str]
Keyed: TypeAlias = tuple[str, Event]


class Minute:
    """What is known of a window."""

    __slots__ = ("count", "emotes", "users")

    def __init__(self) -> None:
        self.count = 0
        self.users: set[str] = set()
        self.emotes: Counter[str] = Counter()


class Lines(StatelessSourcePartition[bytes]):
    """Reads a file by many lines at a time."""

    def __init__(self, file: Path) -> None:
        self._lines = file.open("rb")

    @override
    def next_batch(self) -> list[bytes]:
        lines = self._lines.readlines(LINES_A_BATCH_BYTES)
        if not lines:
            raise StopIteration
        return lines


class FileSource(DynamicSource[bytes]):
    """The file as an input of one worker."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @override
    def build(self, step_id: str, worker_index: int, worker_count: int) -> Lines:
        return Lines(self._file)


def parse_line(line: bytes) -> Keyed:
    """Return the event of a line under its stream."""
    event = orjson.loads(line)
    at = datetime.fromisoformat(event["timestamp"])
    return event["stream_id"], (at, event["user"], event["text"])


def add_event(minute: Minute, event: Event) -> Minute:
    """Count an event in its minute."""
    _, user, text = event
    minute.count += 1
    minute.users.add(user)
    for word in text.split(" "):
        if word in KNOWN:
            minute.emotes[word] += 1
    return minute


def merge_minutes(minute: Minute, other: Minute) -> Minute:
    """Merge two windows, which tumbling ones never need."""
    minute.count += other.count
    minute.users |= other.users
    minute.emotes += other.emotes
    return minute


def get_time(event: Event) -> datetime:
    """Return the time of an event."""
    return event[0]


def get_now() -> datetime:
    """Stand still: the watermark follows the events alone, as it must for a file."""
    return START


def close_by_events(_: datetime) -> None:
    """Tell the engine that no wall clock closes a window: else each one wakes it all the time."""


def write_row(item: tuple[str, tuple[int, Minute]]) -> MinuteRow:
    """Return the row of a closed window."""
    stream_id, (number, minute) = item
    at = START + timedelta(minutes=number)
    return MinuteRow(stream_id, at, minute.count, len(minute.users), minute.emotes)


def count_minutes(file: Path) -> list[MinuteRow]:
    """Run the dataflow over a file."""
    rows: list[Any] = []
    flow = Dataflow("peer")
    lines = op.input("lines", flow, FileSource(file))
    events = op.map("parse_line", lines, parse_line)
    clock = win.EventClock(
        ts_getter=get_time,
        wait_for_system_duration=timedelta(seconds=2),
        now_getter=get_now,
        to_system_utc=close_by_events,
    )
    windower = win.TumblingWindower(length=timedelta(minutes=1), align_to=START)
    minutes = win.fold_window("minutes", events, clock, windower, Minute, add_event, merge_minutes)
    op.output("rows", op.map("write_row", minutes.down, write_row), TestingSink(rows))
    run_main(flow)
    return rows


if __name__ == "__main__":
    run_task("bytewax_events", version("bytewax"), count_minutes)
