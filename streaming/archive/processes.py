"""Processes: the archive's three tasks, and how they wait.

rounds (a round, a pause, a round)   house (once an hour)   heartbeat (once a second)

A round that fails is tried again, with longer and longer pauses; the entries stay on the bus, and
when that is full senders are told to wait.
"""

import asyncio
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from core.archives import HOUR
from core.clock import Clock
from core.errors import BusAwayError, ConflictError, ServiceMissingError
from core.settings import Settings
from core.tasks import end
from streaming.archive.archivers import Archiver, Round
from streaming.archive.heartbeats import Pulse, beat
from streaming.archive.houses import House
from streaming.archive.writers import remove_parts
from streaming.bus.base import BusReader

PAUSE_S_FIRST: Final = 1.0
PAUSE_S_MAX: Final = 30.0
"""The longest pause after rounds that failed."""

LOCK: Final = "archive.lock"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ArchiveProcess:
    """The archive while it runs."""

    settings: Settings
    archiver: Archiver
    pulse: Pulse
    house: House

    async def run(self, stop: asyncio.Event) -> None:
        """Archive until told to stop, and last what has come until then."""
        beside = [
            asyncio.create_task(beat(self.settings.require_redis_url(), self.pulse)),
            asyncio.create_task(self._keep_house_hourly()),
        ]
        failures = 0
        try:
            while not stop.is_set():
                done = await self._try_round()
                failures = 0 if done else failures + 1
                if done and done.is_behind:
                    continue
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self._find_pause_s(failures))
            await self._try_round()
        finally:
            await end(*beside)

    async def _try_round(self) -> Round | None:
        try:
            done = await asyncio.to_thread(self.archiver.run_round)
        except BusAwayError as error:
            self._note_trouble("The bus does not answer.", error)
        except OSError as error:
            self._note_trouble(f"Cannot write: {error.strerror or error}.", error)
        else:
            self.pulse.note_round(done)
            return done
        return None

    def _note_trouble(self, trouble: str, error: Exception) -> None:
        self.pulse.note_trouble(trouble)
        log.warning("round_failed", trouble=trouble, error=str(error))

    def _find_pause_s(self, failures: int) -> float:
        if not failures:
            return float(self.settings.archive_interval_seconds)
        return min(PAUSE_S_FIRST * 2.0 ** min(failures - 1, 10), PAUSE_S_MAX)

    async def _keep_house_hourly(self) -> None:
        while True:
            await self.house.keep()
            await asyncio.sleep(HOUR.total_seconds())


def build_process(settings: Settings, reader: BusReader, clock: Clock) -> ArchiveProcess:
    """Return the archive over a bus; its folder must be there and locked."""
    remove_parts(settings.archive_dir)
    archiver = Archiver(reader, settings.archive_dir, shards=settings.bus_shards)
    return ArchiveProcess(settings, archiver, Pulse(clock), House(settings, clock))


@contextmanager
def lock_archive(folder: Path) -> Iterator[None]:
    """Keep a second archive out of the folder: the two would overwrite each other's progress.

    Raises:
        ConflictError: Another process writes there.
        ServiceMissingError: The folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("ab")
    except OSError as error:
        raise ServiceMissingError(
            f"The archive cannot write to {folder}: {error.strerror}. Entries stay on the bus."
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConflictError(
                f"Another archive writes to {folder}. Stop that one first."
            ) from None
        yield
