"""Connections: what one live client still has to get.

    hub ── offer ──► socket                              it takes everything at once, as nearly all
               └───► pending (bounded) ── take ──► socket   it does not, or something waits already

Of metrics and readings a slow client gets only the newest of each stream and channel. Moments wait
until they are delivered; a client that lets too many wait is closed. Whatever is skipped is
counted and said.
"""

import asyncio
from collections.abc import Callable, Collection
from enum import IntEnum
from typing import ClassVar, Final, NamedTuple, TypeAlias

import orjson

from api.live.admissions import Visitor
from core import metrics
from core.clock import Clock
from core.live import KINDS_USUAL, LATEST_WINS, LiveMessage

EVERYTHING: Final = "*"
"""Subscribing to this means all streams."""

NEVER_SKIPPED: Final = frozenset({"moment"})

SOMEBODY: Final = Visitor()

Slot: TypeAlias = tuple[str, ...]
"""Where a message waits: what a newer one of the same slot replaces."""


class CloseCode(IntEnum):
    """Why the server ends a connection."""

    RESTART = 1012
    AWAY = 1013
    UNKNOWN = 4004
    TOO_SLOW = 4408


class Told(NamedTuple):
    """One message on its way to a client."""

    kind: str
    position: int | None
    body: bytes


class Connection:
    """The queue and the subscriptions of one client."""

    latest_wins: ClassVar[Collection[str]] = LATEST_WINS
    never_skipped: ClassVar[Collection[str]] = NEVER_SKIPPED

    def __init__(self, clock: Clock, *, limit: int, visitor: Visitor = SOMEBODY) -> None:
        self._clock = clock
        self._limit = limit
        self._pending: dict[Slot, Told] = {}
        self._held: dict[Slot, LiveMessage] | None = None
        self._ready = asyncio.Event()
        self._write: Callable[[bytes], bool] | None = None
        self._is_waited_for = False
        """Whether everything that was taken is also sent."""

        self._too_slow = asyncio.Event()
        self._sequence = 0
        self._arrivals = 0
        self._skipped = 0
        self._replaced = 0
        self.visitor = visitor
        self.kinds: Collection[str] = KINDS_USUAL
        """Which of the kinds that there are the client wants."""

        self.others: Collection[str] = KINDS_USUAL
        """Which of them it wants of streams that it reaches only by subscribing to everything."""

        self.told_at = 0.0
        """When the client was last sent something, by the loop's clock."""

        self.streams: set[str] = set()
        self.gap = 0
        """The last gap that the client was told of."""

        self.is_leaving = False
        """Whether the connection ends once everything pending is sent."""

        self.farewell = (CloseCode.RESTART, "This process is stopping. Connect again.")
        """Why it ends then."""

    @property
    def is_too_slow(self) -> bool:
        """Whether the client let too much wait."""
        return self._too_slow.is_set()

    def wants(self, stream_id: str) -> bool:
        """Tell whether the client subscribed to a stream."""
        return stream_id in self.streams or EVERYTHING in self.streams

    def wants_of_others(self, message: LiveMessage) -> bool:
        """Tell whether the client wants a message although it did not name the stream."""
        return message.kind in self.others and message.stream_id not in self.streams

    def write_with(self, write: Callable[[bytes], bool] | None) -> None:
        """Send what is offered at once with a function, whenever that says that it could."""
        self._write = write

    def offer(self, message: LiveMessage) -> None:
        """Send a message or queue it, if the client wants its kind; never waits."""
        if message.kind not in self.kinds:
            return
        if self._held is None and self._is_idle and self._send_now(message):
            return
        slot = self._find_slot(message)
        queue = self._pending if self._held is None else self._held
        if slot in queue:
            # The newest goes to the end: whoever waits longest is sent first.
            del queue[slot]
            self._replaced += self._held is None
            metrics.live_messages_replaced_total.inc()
        elif len(queue) >= self._limit:
            self._refuse(message)
            return
        if self._held is None:
            self._append(slot, message)
        else:
            self._held[slot] = message

    def hold(self) -> None:
        """Keep what is offered apart, until it is known what comes before it."""
        self._held = {}

    def release(self, first: Collection[LiveMessage]) -> None:
        """Queue what comes first, then what was held; a message that is in both counts once."""
        held, self._held = self._held or {}, None
        known = {message.position for message in first if message.position is not None}
        wanted = (message for message in first if message.kind in self.kinds)
        later = (message for message in held.values() if message.position not in known)
        for message in (*wanted, *later):
            slot = self._find_slot(message)
            self._pending.pop(slot, None)
            self._append(slot, message)

    def say(self, kind: str, *, position: int | None = None, **facts: object) -> None:
        """Queue a message about the connection itself; a client that asks and never reads goes."""
        facts = {"type": kind, "timestamp": self._clock.now(), **facts}
        if position is not None:
            facts["position"] = position
        self.put(kind, orjson.dumps(facts, option=orjson.OPT_UTC_Z), position)

    def put(self, kind: str, body: bytes, position: int | None = None) -> None:
        """Queue a message as it is, behind all that waits."""
        if len(self._pending) >= 2 * self._limit:
            self.give_up()
            return
        self._arrivals += 1
        self._pending[kind, str(self._arrivals)] = Told(kind, position, body)
        self._ready.set()

    def leave(self, *, delay_ms: int) -> None:
        """Ask the client to connect again after a while, and end when it has been told."""
        self.say("reconnect", delay_ms=delay_ms)
        self.is_leaving = True
        self._ready.set()

    def give_up(self) -> None:
        """End the connection of a client that is too slow."""
        self._too_slow.set()
        self._ready.set()

    async def wait_until_too_slow(self) -> None:
        """Wait until the client has let too much wait."""
        await self._too_slow.wait()

    async def take(self) -> list[Told]:
        """Wait for messages and return all that are pending, numbered."""
        self._is_waited_for = True
        try:
            await self._ready.wait()
        finally:
            self._is_waited_for = False
        if self._skipped or self._replaced:
            lost = self._skipped + self._replaced
            self.say("dropped", count=lost, replaced=self._replaced)
            self._skipped = self._replaced = 0
        self._ready.clear()
        told = [self._number(one) for one in self._pending.values()]
        self._pending.clear()
        self._note_time()
        return told

    @property
    def _is_idle(self) -> bool:
        """Whether nothing waits that a message could overtake."""
        return self._is_waited_for and not self._ready.is_set()

    def _send_now(self, message: LiveMessage) -> bool:
        if self._write is None or not self._write(self._put_sequence(message.body)):
            return False
        self._sequence += 1
        self._note_time()
        metrics.live_messages_sent_total.inc()
        return True

    def _note_time(self) -> None:
        self.told_at = asyncio.get_running_loop().time()

    def _find_slot(self, message: LiveMessage) -> Slot:
        if message.kind in self.latest_wins:
            return (message.kind, message.stream_id, message.key)
        self._arrivals += 1
        return (message.kind, str(self._arrivals))

    def _append(self, slot: Slot, message: LiveMessage) -> None:
        self._pending[slot] = Told(message.kind, message.position, message.body)
        self._ready.set()

    def _number(self, told: Told) -> Told:
        numbered = self._put_sequence(told.body)
        self._sequence += 1
        return Told(told.kind, told.position, numbered)

    def _put_sequence(self, body: bytes) -> bytes:
        return b'{"seq":%d,' % self._sequence + body[1:]

    def _refuse(self, message: LiveMessage) -> None:
        if message.kind in self.never_skipped:
            self.give_up()
        self._skipped += 1
        metrics.live_messages_dropped_total.inc()
        self._ready.set()
