"""Runs: one command, from its files to its summary.

    source -> reader -> blocks -> bodies, made ahead in a thread -> pace -> courier -> bookmark

One body is under way at a time: two that arrive in the wrong order could make the events of the
older one late for their minutes. What is next is read, checked and written meanwhile.
"""

import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

import polars as pl

from core.clock import Clock
from core.layouts import Wishes
from core.paces import Load, Pace
from core.times import EPOCH
from streaming.connectors.files.bodies import Body, BodyMaker, Cut, Window
from streaming.connectors.files.bookmarks import Bookmark, BookmarkStore
from streaming.connectors.files.couriers import Courier, Outcome
from streaming.connectors.files.displays import Display
from streaming.connectors.files.readers.base import Position, Reader
from streaming.connectors.files.readers.csv import CsvReader
from streaming.connectors.files.readers.ndjson import NdjsonReader
from streaming.connectors.files.readers.parquet import ParquetReader
from streaming.connectors.files.rejects import RejectsFile
from streaming.connectors.files.sources import Source
from streaming.connectors.files.tallies import LateTally, Tally

T = TypeVar("T")

AHEAD: Final = 2
"""Bodies made while one is under way: enough that the door never waits for the disk."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a run works with."""

    clock: Clock
    courier: Courier
    window: Window
    bookmarks: BookmarkStore
    display: Display
    pace: Pace
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does with every file."""

    cut: Cut
    restart: bool
    rejects: Path | None
    """One file for all rejected rows; None for one beside the bookmark of each file."""

    rejects_dir: Path
    shifts: bool
    speed: float | None
    lateness: timedelta


class Run:
    """Sends files one after the other."""

    def __init__(self, plan: Plan, tools: Tools) -> None:
        self._plan = plan
        self._tools = tools
        self._late = LateTally(plan.lateness)
        self._bytes_before = 0
        self.tally = Tally()
        self.rejects: list[Path] = []
        """Files that rejected rows were written to."""

    def send(self, sources: Sequence[tuple[Source, Reader]]) -> None:
        """Send all sources.

        Raises:
            TelemetraError: It cannot go on; what was decided is remembered.
        """
        shift = self._find_shift(sources) if self._plan.shifts else None
        for source, reader in sources:
            self._tools.display.begin(source.stem)
            if source.path is None:
                name = secrets.token_hex(8)
                self._send(source, reader, Bookmark("", 0, 0, 0, "", name))
                continue
            with self._tools.bookmarks.hold(source):
                bookmark = self._tools.bookmarks.open(source, restart=self._plan.restart)
                if shift is not None and bookmark.shift_us is None:
                    shift_us = shift // timedelta(microseconds=1)
                    bookmark = replace(bookmark, shift_us=shift_us)
                self.tally.before += bookmark.accepted
                if not bookmark.is_finished:
                    self._send(source, reader, bookmark)
            self._bytes_before += source.size or 0

    def _send(self, source: Source, reader: Reader, bookmark: Bookmark) -> None:
        rejects = self._open_rejects(source, bookmark)
        store = self._tools.bookmarks
        store.save(source, bookmark, is_due=True)
        bodies = self._make_bodies(reader, bookmark)
        if source.path is not None:
            bodies = read_ahead(bodies, AHEAD)
        try:
            for body in bodies:
                outcome = self._deliver(body, bookmark)
                self._note(body, bookmark, outcome)
                written = rejects.write(source.name, outcome.rejected)
                # Moved in one step: an interrupt may come between any two.
                bookmark = self._move(bookmark, body, outcome, written)
                store.save(source, bookmark)
            bookmark = replace(bookmark, is_finished=True)
        finally:
            store.save(source, bookmark, is_due=True)
            if rejects.rows:
                self.rejects.append(rejects.path)

    def _make_bodies(self, reader: Reader, bookmark: Bookmark) -> Iterator[Body]:
        after = bookmark.done
        first = Cut(bookmark.events_max, bookmark.tick_us) if after else self._plan.cut
        maker = self._make_maker(bookmark, first)
        for block in reader.read(bookmark.position):
            yield from maker.make(block, after=after)
            maker = self._make_maker(bookmark, self._plan.cut)

    def _make_maker(self, bookmark: Bookmark, cut: Cut) -> BodyMaker:
        shift_us = bookmark.shift_us or 0
        # Moved elsewhere, the same rows are other events.
        name = f"{bookmark.name}-{shift_us:x}" if shift_us else bookmark.name
        tools, shift = self._tools, timedelta(microseconds=shift_us)
        return BodyMaker(name, tools.clock, tools.window, cut=cut, shift=shift)

    def _deliver(self, body: Body, bookmark: Bookmark) -> Outcome:
        load = Load(body.events, body.first_at_us)
        wait_s = self._tools.pace.find_wait_s(load, time.monotonic())
        if wait_s > 0:
            self._tools.sleep(wait_s)
        return self._tools.courier.deliver(body, generation=bookmark.generation)

    def _note(self, body: Body, bookmark: Bookmark, outcome: Outcome) -> None:
        self.tally.note(body.done - bookmark.done, outcome)
        self.tally.late += self._late.count(body)
        self._tools.display.show(self._bytes_before + body.read_bytes, self.tally)

    def _move(
        self, bookmark: Bookmark, body: Body, outcome: Outcome, rejects_bytes: int
    ) -> Bookmark:
        """Return the bookmark behind a body."""
        place = body.end or body.start
        cut = Cut(bookmark.events_max, bookmark.tick_us)
        if body.end is not None or not cut.events_max:
            cut = self._plan.cut
        return replace(
            bookmark,
            offset=place.offset,
            rows=place.rows,
            done=body.done,
            events_max=cut.events_max,
            tick_us=cut.tick_us,
            accepted=bookmark.accepted + outcome.accepted,
            rejected=bookmark.rejected + len(outcome.rejected) + outcome.unnamed,
            rejects_bytes=rejects_bytes,
        )

    def _open_rejects(self, source: Source, bookmark: Bookmark) -> RejectsFile:
        if self._plan.rejects is not None:
            return RejectsFile(self._plan.rejects)
        rejects = RejectsFile(self._plan.rejects_dir / f"{source.stem}-{bookmark.name}.ndjson")
        rejects.cut(bookmark.rejects_bytes)
        return rejects

    def _find_shift(self, sources: Sequence[tuple[Source, Reader]]) -> timedelta:
        """Return how far times move: as an earlier run had it, or so that the last one is now."""
        if not self._plan.restart:
            for source, _ in sources:
                known = self._tools.bookmarks.find(source)
                if known is not None and known.shift_us is not None:
                    return timedelta(microseconds=known.shift_us)
        now = self._tools.clock.now()
        first, last = self._find_span([reader for _, reader in sources], now)
        takes = timedelta(0) if self._plan.speed is None else (last - first) / self._plan.speed
        return now + takes - last

    def _find_span(self, readers: Sequence[Reader], now: datetime) -> tuple[datetime, datetime]:
        """Return the first and the last time of all files; a time ahead of now is none."""
        maker = BodyMaker("", self._tools.clock, Window(), cut=self._plan.cut)
        first, last = now, EPOCH
        for reader in readers:
            for block in reader.read(Position()):
                events, _ = maker.check(block.events)
                if not events.is_empty():
                    past = events.filter(pl.col("timestamp") <= now)["timestamp"]
                    first = min([first, *past.bottom_k(1).to_list()])
                    last = max([last, *past.top_k(1).to_list()])
        return (first, last) if last > EPOCH else (now, now)


def open_reader(source: Source, wishes: Wishes) -> Reader:
    """Return the reader of a source.

    Raises:
        InvalidError: It cannot be told which column is what.
    """
    match source.format:
        case "ndjson":
            return NdjsonReader(source, wishes)
        case "csv":
            return CsvReader(source, wishes)
        case "parquet":
            return ParquetReader(source, wishes)


def read_ahead(items: Iterator[T], count: int) -> Iterator[T]:
    """Return items that a thread makes while the one before is worked on."""
    with ThreadPoolExecutor(1) as thread:
        waiting = deque(thread.submit(next, items, None) for _ in range(count))
        while (item := waiting.popleft().result()) is not None:
            waiting.append(thread.submit(next, items, None))
            yield item
