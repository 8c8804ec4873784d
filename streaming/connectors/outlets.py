"""Outlets: what a source reads, gathered into bodies and handed on until the API has decided.

    source -> put -> gathered -> body -> delivery -> acknowledge
               ^-- waits while a body is gathered and another one is on its way

A source that can seek moves its offset in ``acknowledge``, and nowhere else. While the API is away
``put`` waits, so that no more than two bodies are ever held.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeAlias

import orjson

from streaming.connectors.deliveries import Delivery
from streaming.connectors.health import Health

Acknowledge: TypeAlias = Callable[[], None]
"""Called in the event loop, in the order of the puts, once all events of a put are decided."""


@dataclass(frozen=True, slots=True)
class OutletPolicy:
    """Decides when a body is sent."""

    events_max: int = 5000
    """Larger bodies are hardly faster, and a refused or lost one costs more."""

    bytes_max: int = 4_000_000
    """A quarter of what the API takes at once when nothing is set."""

    wait_s: float = 0.2
    """The longest that an event waits for others; a quiet source stays live."""


@dataclass(slots=True)
class _Body:
    """Lines on their way, and whom to tell when they are decided."""

    lines: list[bytes] = field(default_factory=list)
    size: int = 0
    newest_ms: int = 0
    acknowledges: list[Acknowledge] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not self.lines and not self.acknowledges

    def add(self, lines: Sequence[bytes], newest_ms: int) -> None:
        self.lines += lines
        self.size += sum(map(len, lines))
        self.newest_ms = max(self.newest_ms, newest_ms)


class Outlet:
    """Takes the events of one connector."""

    def __init__(
        self, delivery: Delivery, health: Health, policy: OutletPolicy | None = None
    ) -> None:
        self._delivery = delivery
        self._health = health
        self._policy = policy or OutletPolicy()
        self._gathered = _Body()
        self._changed = asyncio.Condition()
        self._hurried = 0

    async def put(
        self,
        events: Sequence[Mapping[str, object]],
        acknowledge: Acknowledge | None = None,
        *,
        newest_ms: int = 0,
    ) -> None:
        """Take events; return when there is room for them.

        Args:
            events: As the API reads them, with an ``id`` that is the same whenever the source
                tells the same event again.
            acknowledge: What to call once all of them, and all before them, are decided.
            newest_ms: The time of the newest of them, for the lag.
        """
        await self.put_lines([orjson.dumps(event) for event in events], acknowledge, newest_ms)

    async def put_lines(
        self, lines: Sequence[bytes], acknowledge: Acknowledge | None = None, newest_ms: int = 0
    ) -> None:
        """Take events that are written as JSON already, each a line that is not blank."""
        for part in _cut(lines, self._policy):
            await self._add(part, newest_ms)
        if acknowledge is not None:
            async with self._changed:
                self._gathered.acknowledges.append(acknowledge)
                self._changed.notify_all()

    def refuse(self, rows: Sequence[tuple[bytes, str]]) -> None:
        """Count and keep what the source told and the connector itself found to be no event."""
        self._delivery.refuse(rows)
        self._health.note_decided(0, len(rows), 0)

    async def flush(self) -> None:
        """Return when all that was put is decided."""
        decided = asyncio.Event()
        self._hurried += 1
        try:
            await self.put_lines([], decided.set)
            await decided.wait()
        finally:
            self._hurried -= 1

    def give_up(self) -> None:
        """Let a delivery that waits for the API end; what it holds is not acknowledged."""
        self._delivery.give_up()

    async def run(self) -> None:
        """Send what is put until cancelled.

        Raises:
            DeliveryStoppedError: It was told to give up.
        """
        while True:
            body = await self._take()
            if body.lines:
                accepted = await asyncio.to_thread(self._delivery.send, body.lines)
                self._health.note_decided(accepted, len(body.lines), body.newest_ms)
            for acknowledge in body.acknowledges:
                acknowledge()

    async def _add(self, lines: Sequence[bytes], newest_ms: int) -> None:
        async with self._changed:
            if not self._has_room(lines):
                self._hurried += 1
                self._changed.notify_all()
                try:
                    await self._changed.wait_for(lambda: self._has_room(lines))
                finally:
                    self._hurried -= 1
            self._gathered.add(lines, newest_ms)
            self._health.note_waiting(len(self._gathered.lines))
            self._changed.notify_all()

    async def _take(self) -> _Body:
        """Return the next body, full or as old as it may get."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._gathered.is_empty)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._policy.wait_s):
                    await self._changed.wait_for(self._is_due)
            body, self._gathered = self._gathered, _Body()
            self._health.note_waiting(0)
            self._changed.notify_all()
            return body

    def _is_due(self) -> bool:
        return self._hurried > 0 or len(self._gathered.lines) >= self._policy.events_max

    def _has_room(self, lines: Sequence[bytes]) -> bool:
        gathered, policy = self._gathered, self._policy
        return not gathered.lines or (
            len(gathered.lines) + len(lines) <= policy.events_max
            and gathered.size + sum(map(len, lines)) <= policy.bytes_max
        )


def _cut(lines: Sequence[bytes], policy: OutletPolicy) -> Iterator[Sequence[bytes]]:
    """Cut lines into parts that fit into a body; a line that is larger alone stays whole."""
    for first in range(0, len(lines), policy.events_max):
        yield from _halve(lines[first : first + policy.events_max], policy.bytes_max)


def _halve(lines: Sequence[bytes], bytes_max: int) -> Iterator[Sequence[bytes]]:
    if len(lines) < 2 or sum(map(len, lines)) <= bytes_max:
        yield lines
        return
    middle = len(lines) // 2
    yield from _halve(lines[:middle], bytes_max)
    yield from _halve(lines[middle:], bytes_max)
