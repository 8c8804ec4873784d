"""Senders: bodies of made-up lines at a steady rate, with one message of each probe stream."""

import asyncio
import random
import time
from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl

from core.clock import SystemClock
from loadtest.bench.chats import ChatOptions, draw_chats
from loadtest.bench.doors import Door

BODIES_A_SECOND: Final = 10
BODIES_DRAWN: Final = 50
"""After so many bodies the same texts come again, at other times."""


class Sender:
    """Sends bodies through a door and notes when the probes in them were acknowledged."""

    def __init__(self, door: Door, rate: int, streams: int, probes: tuple[str, ...]) -> None:
        self.acknowledged: Mapping[str, list[float]] = {name: [] for name in probes}
        """For each probe stream, when each of its messages was."""

        self.sent = 0
        self._door = door
        others = max(rate // BODIES_A_SECOND - len(probes), 0)
        self._bodies = _repeat(others, streams, probes)

    async def send(self, seconds: float) -> None:
        """Send for so long; bodies follow one another at slightly irregular times."""
        rng = random.Random(7)  # noqa: S311 - only so that runs are alike.
        started = time.perf_counter()
        for number in range(round(seconds * BODIES_A_SECOND)):
            due = started + (number + rng.random()) / BODIES_A_SECOND
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            await self._send_next()

    async def _send_next(self) -> None:
        now = SystemClock().now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        frame = next(self._bodies).with_columns(timestamp=pl.lit(now))
        await self._door.send(frame.write_ndjson().encode())
        acknowledged_at = time.perf_counter()
        for times in self.acknowledged.values():
            times.append(acknowledged_at)
        self.sent += frame.height


def _repeat(others: int, streams: int, probes: tuple[str, ...]) -> Iterator[pl.DataFrame]:
    count = len(probes)
    probe = pl.DataFrame(
        {
            "stream_id": probes,
            "type": ["chat"] * count,
            "timestamp": [""] * count,
            "user": ["probe"] * count,
            "text": ["are we there yet"] * count,
        }
    )
    drawn = ChatOptions(events=max(others, 1) * BODIES_DRAWN, streams=streams)
    chats = pl.concat(draw_chats(drawn))
    while True:
        for number in range(BODIES_DRAWN):
            yield pl.concat([chats.slice(number * others, others), probe])
