"""Small bodies: those that come at the same time are checked and put on the bus together.

    body ─┐               ┌─ lines that can be read as one body ─┐
    body ─┼─ a few ms ────┤                                      ├─► one entry a shard
    body ─┘               └─ the others, each by its own reader ─┘        └─► each its own receipt

A frame of one row costs nearly as much as one of some hundred, and so does an append. Everybody is
told only what became of their own body, and only when its events are on the bus.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import accumulate
from typing import Final, TypeAlias

import polars as pl

from api.ingest.checks import Checked, Checker, Receipt, count_events
from api.ingest.readers import Reader, read_json, read_lines
from core import metrics
from core.clock import Clock
from core.errors import TelemetraError
from core.events import RejectedRow
from core.gatherings import Gathering, GatheringPolicy
from core.json_lines import read_json_lines
from core.keys import Caller
from core.settings import Settings
from streaming.bus.base import BusWriter, Offsets

SMALL_BYTES_MAX: Final = 4_096
"""Larger bodies bring enough rows of their own to be worth a frame."""

POLICY: Final = GatheringPolicy(
    # More than one turn of the loop usually brings.
    questions_max=256,
    # Read and checked within two milliseconds, which others wait for.
    weight_max=65_536,
    # About what an append takes: who comes while one is under way goes with the next.
    wait=timedelta(milliseconds=5),
)

ALONE_INLINE_MAX: Final = 4
"""Bodies that have to be read one by one, a millisecond each; more of them go to a thread."""


@dataclass(frozen=True, slots=True)
class SmallBody:
    """A body, how it is read, and whose it is."""

    body: bytes
    read: Reader
    caller: Caller

    def find_lines(self) -> bytes | None:
        """Return the body as lines, where it is some by how it looks."""
        if self.read is read_json:
            line = self.body.strip()
            return line + b"\n" if line.startswith(b"{") and b"\n" not in line else None
        if self.read is not read_lines or self.body.isspace():
            return None
        return self.body if self.body.endswith(b"\n") else self.body + b"\n"


Outcome: TypeAlias = Receipt | TelemetraError
Lines: TypeAlias = Sequence[tuple[int, bytes]]
"""Lines of bodies, and which bodies these are."""


class SmallBodies:
    """Accepts the small bodies of all callers."""

    def __init__(self, settings: Settings, clock: Clock, bus: BusWriter) -> None:
        self.checker = Checker(settings, clock)
        self._bus = bus
        self._gathering: Gathering[SmallBody, Outcome] = Gathering(self._accept_all, POLICY)

    async def accept(self, body: bytes, read: Reader, caller: Caller) -> Receipt:
        """Return when the body's good events are on the bus, among those of others.

        Raises:
            TelemetraError: Nothing of it was taken, for the reason that it says.
        """
        outcome = await self._gathering.ask(SmallBody(body, read, caller), weight=len(body))
        if isinstance(outcome, TelemetraError):
            raise outcome
        return outcome

    async def _accept_all(self, bodies: Sequence[SmallBody]) -> Sequence[Outcome]:
        outcomes: dict[int, Outcome] = {}
        frames: list[pl.DataFrame] = []
        for lines in _group_lines(bodies):
            self._check_together(bodies, lines, outcomes, frames)
        left = [number for number in range(len(bodies)) if number not in outcomes]
        if len(left) > ALONE_INLINE_MAX:
            await asyncio.to_thread(self._check_alone, bodies, left, outcomes, frames)
        else:
            self._check_alone(bodies, left, outcomes, frames)
        checked = Checked(pl.concat(frames, how="diagonal") if frames else pl.DataFrame(), [])
        if not checked.events.is_empty():
            with metrics.bus_append_seconds.time():
                offsets = await self._bus.append(self.checker.pack(checked.events))
            count_events(checked.count_by_type(), 0)
            _locate(outcomes, offsets or {})
        count_events({}, sum(len(o.rejected) for o in outcomes.values() if isinstance(o, Receipt)))
        return [outcomes[number] for number in range(len(bodies))]

    def _check_together(
        self,
        bodies: Sequence[SmallBody],
        lines: Lines,
        outcomes: dict[int, Outcome],
        frames: list[pl.DataFrame],
    ) -> None:
        """Read lines of several bodies as one, and leave out those that are odd in any way."""
        raw = _read(lines)
        if raw is None and len(lines) > 1:
            lines = [each for each in lines if read_json_lines(each[1]) is not None]
            raw = _read(lines)
        if raw is None:
            return
        checked = self.checker.check_rows(raw.with_row_index("index"), bodies[lines[0][0]].caller)
        frames.append(checked.events)
        outcomes.update(_share_out(lines, checked.rejected))

    def _check_alone(
        self,
        bodies: Sequence[SmallBody],
        numbers: Sequence[int],
        outcomes: dict[int, Outcome],
        frames: list[pl.DataFrame],
    ) -> None:
        for number in numbers:
            each = bodies[number]
            try:
                checked = self.checker.check_body(each.body, each.read, each.caller)
            except TelemetraError as error:
                outcomes[number] = error
                continue
            frames.append(checked.events)
            outcomes[number] = Receipt(checked.events.height, checked.rejected)


def _locate(outcomes: dict[int, Outcome], offsets: Offsets) -> None:
    for number, outcome in outcomes.items():
        if isinstance(outcome, Receipt):
            outcomes[number] = replace(outcome, offsets=offsets)


def _group_lines(bodies: Sequence[SmallBody]) -> Sequence[Lines]:
    """Return what is lines, together where the callers reach the same streams."""
    groups: dict[object, list[tuple[int, bytes]]] = {}
    for number, each in enumerate(bodies):
        if (lines := each.find_lines()) is not None:
            groups.setdefault(each.caller.streams, []).append((number, lines))
    return list(groups.values())


def _read(lines: Lines) -> pl.DataFrame | None:
    return read_json_lines(b"".join(each for _, each in lines)) if lines else None


def _share_out(lines: Lines, rejected: Sequence[RejectedRow]) -> Mapping[int, Receipt]:
    """Return the receipt of each body: its own rows, numbered from 0."""
    counts = [each.count(b"\n") for _, each in lines]
    begins = [0, *accumulate(counts)]
    refused: list[list[RejectedRow]] = [[] for _ in lines]
    for row in rejected:
        place = bisect_right(begins, row.index) - 1
        refused[place].append(RejectedRow(row.index - begins[place], row.reason, row.field))
    return {
        number: Receipt(count - len(rows), rows)
        for (number, _), count, rows in zip(lines, counts, refused, strict=True)
    }
