"""Notes of moments: a moment on a stream of a session writes a note into it, with its reasons.

    moments ── LISTEN ─► wake ┐
                  a second ───┴► moments without a note ─► notes ─► sockets of the session

Looks by itself once a second, whether it is woken or not, and now and then at all that a session
ever saw, so that no moment is missed that was found late. Doing it twice writes nothing twice.
"""

import asyncio
from datetime import timedelta
from typing import Final

import structlog

from core.clock import Clock
from core.errors import DatabaseAwayError
from core.session_events import SessionEvent
from core.tasks import end
from db.listeners import Listener
from db.minutes import BEGINNING
from db.moment_changes import CHANNEL
from db.moment_notes import MomentNoteStore, Written
from db.pool import Pool
from streaming.bus.session_news import SessionNews

LOOK_EVERY_S: Final = 1.0
"""How late a note may be that nobody was woken for."""

GATHER_S: Final = 0.1
"""How long more is waited for when woken."""

LOOK_BACK: Final = timedelta(minutes=30)
"""How long ago a moment may have begun to be found at once: most end sooner."""

LOOK_AT_ALL_EVERY: Final = timedelta(minutes=1)
"""How often moments are looked for that began earlier."""

ENDED_FOR: Final = timedelta(minutes=10)
"""How long after its end a session still gets notes of what was found late."""

PAUSE_S_MAX: Final = 5.0
"""The longest pause while the database is away."""

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


async def keep_moment_notes(
    database_url: str, pool: Pool, publisher: SessionNews, clock: Clock, stop: asyncio.Event
) -> None:
    """Write notes of moments until told to stop, at once where the database tells of a change."""
    woken = asyncio.Event()
    listener = Listener(database_url, "jobs", {CHANNEL: woken})
    listening = asyncio.create_task(listener.run())
    try:
        await _keep(MomentNoteKeeper(pool, publisher, clock), stop, woken)
    finally:
        await end(listening)


async def _keep(keeper: "MomentNoteKeeper", stop: asyncio.Event, woken: asyncio.Event) -> None:
    pause_s = 0.1
    while not stop.is_set():
        woken.clear()
        try:
            is_full = await keeper.run_round()
            wait_s, pause_s = (0.0 if is_full else LOOK_EVERY_S), 0.1
        except DatabaseAwayError:
            log.warning("database_away", part="moment notes", retry_in_s=pause_s)
            wait_s, pause_s = pause_s, min(pause_s * 2, PAUSE_S_MAX)
        await _wait(wait_s, stop, woken)
        if woken.is_set():
            # What a busy flow tells of within a moment is looked at together.
            await asyncio.sleep(GATHER_S)


class MomentNoteKeeper:
    """Knows when all was looked at last."""

    def __init__(self, pool: Pool, publisher: SessionNews, clock: Clock) -> None:
        self._pool = pool
        self._publisher = publisher
        self._clock = clock
        self._looked_at_all = BEGINNING

    async def run_round(self) -> bool:
        """Write what there is to write; return whether there may be more at once.

        Raises:
            DatabaseAwayError: Nothing was written; it is found again.
        """
        now = self._clock.now()
        is_due = now - self._looked_at_all >= LOOK_AT_ALL_EVERY
        async with self._pool.connection() as connection:
            written = await MomentNoteStore(connection).write(
                since=BEGINNING if is_due else now - LOOK_BACK,
                ended_since=now - ENDED_FOR,
                now=now,
            )
        if is_due and not written.is_full:
            self._looked_at_all = now
        await self._tell(written)
        return written.is_full

    async def _tell(self, written: Written) -> None:
        events = [SessionEvent(row["session_id"], "note.created", row) for row in written.created]
        events += [SessionEvent(row["session_id"], "note.updated", row) for row in written.updated]
        await self._publisher.tell(*events)


async def _wait(seconds: float, stop: asyncio.Event, woken: asyncio.Event) -> None:
    """Wait until woken, told to stop, or some time has passed."""
    if not seconds:
        # Others are served between two full rounds.
        await asyncio.sleep(0)
        return
    waits = [asyncio.create_task(_wait_for(event)) for event in (stop, woken)]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end(*waits)


async def _wait_for(event: asyncio.Event) -> None:
    await event.wait()
