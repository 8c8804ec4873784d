"""Ingest: a body into columns, checked, split by shard, onto the bus.

Nothing is acknowledged before the bus has it; a bad row never takes a good one with it.
"""

import asyncio
import hashlib
from typing import Final

from api.ingest.checks import Checker, Receipt, count_events
from api.ingest.readers import Reader
from api.ingest.small_bodies import SMALL_BYTES_MAX, SmallBodies
from core import metrics
from core.clock import Clock
from core.keys import EVERYONE, Caller
from core.settings import Settings
from streaming.bus.base import BusWriter, Once

INLINE_BYTES_MAX: Final = 32_768
"""Larger bodies are parsed in a thread, so that they do not hold up small requests."""


class IngestService:
    """Accepts bodies of one caller."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        bus: BusWriter,
        caller: Caller = EVERYONE,
        small: SmallBodies | None = None,
    ) -> None:
        self._checker = Checker(settings, clock) if small is None else small.checker
        self._bus = bus
        self._caller = caller
        self._small = small

    async def accept(self, body: bytes, read: Reader, key: str | None = None) -> Receipt:
        """Put a body's good events on the bus and name its bad ones; with a key it counts once.

        Raises:
            TelemetraError: Nothing of it was taken, for the reason that it says.
        """
        if key is None and self._small is not None and len(body) <= SMALL_BYTES_MAX:
            return await self._small.accept(body, read, self._caller)
        if len(body) > INLINE_BYTES_MAX:
            entries, counts, receipt = await asyncio.to_thread(self._check, body, read)
        else:
            entries, counts, receipt = self._check(body, read)
        if entries:
            once = self._claim(body, key) if key else None
            with metrics.bus_append_seconds.time():
                await self._bus.append(entries, once=once)
        count_events(counts, len(receipt.rejected))
        return receipt

    def _claim(self, body: bytes, key: str) -> Once:
        # Two senders that chose the same word do not know of each other.
        return Once(f"{self._caller.key_id or 'everyone'}:{key}", hashlib.sha256(body).hexdigest())

    def _check(self, body: bytes, read: Reader) -> tuple[dict[int, bytes], dict[str, int], Receipt]:
        checked = self._checker.check_body(body, read, self._caller)
        receipt = Receipt(checked.events.height, checked.rejected)
        return self._checker.pack(checked.events), checked.count_by_type(), receipt
