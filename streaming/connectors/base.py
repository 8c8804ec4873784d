"""Base: what a source is, and the loop that keeps one connected.

    connect -> read -> outlet      failed -> pause -> connect …      stop -> flush -> end

A connector is a process: a source, an outlet and this loop. Events that a source tells twice have
the same ``id`` twice, and count once.
"""

import asyncio
from asyncio import sleep
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, Protocol, TypeAlias

import structlog

from core.errors import TelemetraError
from core.tasks import end
from streaming.connectors.deliveries import DeliveryStoppedError
from streaming.connectors.health import Health
from streaming.connectors.outlets import Outlet
from streaming.connectors.pauses import BackOff

FLUSH_S_MAX: Final = 7.0
"""What is left to be sent when told to stop; the supervisor kills after ten seconds."""

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


Read: TypeAlias = Callable[[], Awaitable[None]]


class SourceAwayError(TelemetraError):
    """The source cannot be reached, hung up, or talks nonsense; it is asked again."""

    status = 503
    code = "source_away"
    title = "The source is away"


class Source(Protocol):
    """Where events come from."""

    async def read(self, outlet: Outlet, health: Health) -> None:
        """Connect, and put what is read, until the source has no more; then return.

        It is cancelled when the process stops, and called again after an error that passes.

        Raises:
            SourceAwayError: Or an ``OSError``: to be called again after a pause.
            TelemetraError: Any other one of ours: asking again cannot help; the process ends.
        """
        ...


class Connector:
    """Reads one source until it has no more or the process is told to stop."""

    def __init__(self, source: Source, outlet: Outlet, health: Health, back_off: BackOff) -> None:
        self._source = source
        self._outlet = outlet
        self._health = health
        self._back_off = back_off

    async def run(self, stop: asyncio.Event) -> None:
        """Connect, read, and connect again; at the end send what was read.

        Raises:
            TelemetraError: The source cannot be read, now or later.
        """
        sending = asyncio.create_task(self._send())
        beside = asyncio.create_task(self._health.tell())
        reading = asyncio.create_task(self._read_on())
        stopping = asyncio.create_task(_wait_for(stop))
        try:
            await asyncio.wait({sending, reading, stopping}, return_when=asyncio.FIRST_COMPLETED)
            failed = reading.done() and reading.exception() is not None
            # What ends by itself may take its time; only a signal has a supervisor behind it.
            await end(*([] if reading.done() else [reading]))
            await self._flush(sending, stopping)
            if failed:
                reading.result()
            if sending.done():
                sending.result()
        finally:
            self._health.note_connected(is_connected=False)
            self._outlet.give_up()
            await end(reading, sending, stopping, beside)
            self._health.write_line("connector_stopped")

    async def _flush(self, sending: asyncio.Task[None], stopping: asyncio.Task[None]) -> None:
        """Send what is held; once told to stop, not for longer than the supervisor waits."""
        flushing = asyncio.create_task(self._outlet.flush())
        try:
            await asyncio.wait({flushing, sending, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not flushing.done() and not sending.done():
                await asyncio.wait(
                    {flushing, sending}, timeout=FLUSH_S_MAX, return_when=asyncio.FIRST_COMPLETED
                )
            if not flushing.done():
                log.warning("events_unsent", connector=self._health.name)
        finally:
            await end(flushing)

    async def _send(self) -> None:
        with suppress(DeliveryStoppedError):
            await self._outlet.run()

    async def _read_on(self) -> None:
        await keep_reading(self._read_once, self._health, self._back_off)

    async def _read_once(self) -> None:
        try:
            await self._source.read(self._outlet, self._health)
        finally:
            self._health.note_connected(is_connected=False)


async def keep_reading(read: Read, health: Health, back_off: BackOff) -> None:
    """Read until there is no more, again and again after what passes, with pauses between.

    A source of several connections keeps each of them with this.
    """
    while True:
        back_off.note_try()
        try:
            await read()
        except (SourceAwayError, OSError) as error:
            health.note_failure(type(error).__name__)
            reason = str(error) or type(error).__name__
        else:
            return
        pause_s = back_off.draw_pause_s()
        log.warning("source_lost", connector=health.name, reason=reason, pause_seconds=pause_s)
        await sleep(pause_s)


async def _wait_for(stop: asyncio.Event) -> None:
    await stop.wait()
