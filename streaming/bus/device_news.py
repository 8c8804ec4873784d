"""Device news: hears and tells what devices, commands and scripts do, beside the API processes.

    API processes ─► wire ─► ear of a device: its points, its commands, its scripts
    tell ─► the same wire ─► hubs of the API processes ─► clients

Used by the jobs. What is told is stored before, and what is heard can be looked up: while Redis is
away both cost a look at the database, no data.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import redis.asyncio
import structlog

from core.live import LiveMessage
from streaming.bus.device_wires import DeviceWire

Ear: TypeAlias = Callable[[LiveMessage | None], None]
"""Hears of one device; None says that something may have been missed."""

log = structlog.get_logger()


class DeviceNews:
    """Tells of devices, and hears of those that somebody listens to."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._ears: dict[str, set[Ear]] = {}
        self._wire = DeviceWire(
            client,
            hear=self._hand_on,
            make_up=self._tell_missed,
            wants=lambda: bool(self._ears),
        )

    @property
    def is_hearing(self) -> bool:
        """Whether what others tell is heard."""
        return self._wire.is_hearing

    def start(self) -> None:
        """Begin to hear and to tell."""
        self._wire.start()

    async def stop(self) -> None:
        """Stop both; what was told last is sent, if that is possible at once."""
        await self._wire.flush()
        await self._wire.stop()

    def listen(self, device_id: str, ear: Ear) -> None:
        """Hand on what is told of a device by others."""
        self._ears.setdefault(device_id, set()).add(ear)

    def forget(self, device_id: str, ear: Ear) -> None:
        """Hand on nothing more."""
        ears = self._ears.get(device_id, set())
        ears.discard(ear)
        if not ears:
            self._ears.pop(device_id, None)

    def tell(self, messages: Iterable[LiveMessage]) -> None:
        """Tell the API processes; never waits."""
        told = tuple(messages)
        if told:
            self._wire.tell(told)

    def _hand_on(self, messages: Sequence[LiveMessage]) -> None:
        for message in messages:
            for ear in tuple(self._ears.get(message.stream_id, ())):
                try:
                    ear(message)
                except (ValueError, LookupError, TypeError):
                    log.warning("device_news_unreadable", kind=message.kind)

    async def _tell_missed(self) -> None:
        for ears in tuple(self._ears.values()):
            for ear in tuple(ears):
                ear(None)
