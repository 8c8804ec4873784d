"""Tasks: the work that every contender does on the same file, and how it says what it found.

    python -m loadtest.peers.<name> FILE -> one line of JSON on stdout

For every stream and minute of event time: how many messages, how many different users, how often
each emote. The time runs from before the file is opened until the last row is there; starting the
interpreter and importing libraries does not count.
"""

import argparse
import hashlib
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import orjson
import psutil

EMOTES: Final = (
    "PogChamp",
    "Kappa",
    "LUL",
    "KEKW",
    "monkaS",
    "OMEGALUL",
    "Sadge",
    "POGGERS",
    "Kreygasm",
    "EZ",
)
"""The emotes that occur in the lines and are counted; as many as a row of ours names."""


@dataclass(frozen=True, slots=True)
class MinuteRow:
    """What a contender found in one stream in one minute."""

    stream_id: str
    minute: datetime
    """Aware, or without a zone and in UTC."""

    chat_count: int
    unique_chatters: int
    emotes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a contender prints."""

    name: str
    version: str
    events: int
    seconds: float
    cpu_seconds: float
    """Processor time of all its threads and processes: who uses more than one core is seen."""

    minutes: int
    checksum: str
    """Of all rows; the same for everybody who is right."""


@dataclass(frozen=True, slots=True)
class Effort:
    """What the work took."""

    seconds: float
    cpu_seconds: float


def sum_up(name: str, version: str, effort: Effort, rows: Iterable[MinuteRow]) -> Outcome:
    """Return the outcome of rows in any order."""
    lines = sorted(_write_row(row) for row in rows)
    events = sum(orjson.loads(line)[2] for line in lines)
    checksum = hashlib.blake2b(b"\n".join(lines), digest_size=8).hexdigest()
    return Outcome(
        name=name,
        version=version,
        events=events,
        seconds=effort.seconds,
        cpu_seconds=effort.cpu_seconds,
        minutes=len(lines),
        checksum=checksum,
    )


def run_task(name: str, version: str, work: Callable[[Path], Iterable[MinuteRow]]) -> None:
    """Do the work on the file that the command line names, and print the outcome."""
    parser = argparse.ArgumentParser(prog=f"python -m loadtest.peers.{name}")
    parser.add_argument("file", type=Path)
    file: Path = parser.parse_args().file
    cpu_before, started = read_cpu_seconds(), time.perf_counter()
    rows = work(file)
    effort = Effort(time.perf_counter() - started, read_cpu_seconds() - cpu_before)
    print_outcome(sum_up(name, version, effort, rows))


def read_cpu_seconds() -> float:
    """Return the processor time that this process and those it started have used."""
    own = psutil.Process()
    times = [process.cpu_times() for process in (own, *own.children(recursive=True))]
    return float(sum(time.user + time.system for time in times))


def print_outcome(outcome: Outcome) -> None:
    """Print an outcome as the harness reads it."""
    sys.stdout.write(orjson.dumps(outcome).decode() + "\n")
    sys.stdout.flush()


def _write_row(row: MinuteRow) -> bytes:
    emotes = sorted((name, count) for name, count in row.emotes.items() if count)
    minute = f"{row.minute:%Y-%m-%dT%H:%M}"
    return orjson.dumps([row.stream_id, minute, row.chat_count, row.unique_chatters, emotes])
