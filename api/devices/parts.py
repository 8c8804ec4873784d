"""Parts: what devices need of a process, built once: a hub, writers, a sweeper, a limit."""

from dataclasses import dataclass
from datetime import timedelta
from secrets import randbits

import redis.asyncio

from api.devices.news import DeviceHub
from api.devices.sweeps import Sweeper
from api.devices.writers import LogWriter, ReadingWriter
from api.ingest.checks import Checker
from core.clock import Clock
from core.errors import LiveFullError
from core.events import TimePolicy
from core.settings import Settings
from db.device_logs import Numbers
from db.pool import Pool
from streaming.bus.base import BusWriter


@dataclass(slots=True)
class Devices:
    """All of it."""

    pool: Pool
    clock: Clock
    hub: DeviceHub
    log: LogWriter
    readings: ReadingWriter
    sweeper: Sweeper
    numbers: Numbers
    times: TimePolicy
    links_max: int
    links: int = 0
    """Devices connected to this process."""

    waiting: int = 0
    """Requests that wait for the end of a command."""

    @classmethod
    def of(
        cls,
        settings: Settings,
        *,
        clock: Clock,
        pool: Pool,
        client: redis.asyncio.Redis,
        bus: BusWriter,
    ) -> "Devices":
        """Return the parts; nothing runs yet."""
        hub = DeviceHub(client, pool, clock)
        # Numbers of this process rise from now; another one that starts in the same millisecond
        # begins elsewhere.
        numbers = Numbers(clock.now_ms() << 20 | randbits(20))
        return cls(
            pool=pool,
            clock=clock,
            hub=hub,
            log=LogWriter(pool),
            readings=ReadingWriter(bus, Checker(settings, clock)),
            sweeper=Sweeper(pool, clock, hub, numbers),
            numbers=numbers,
            times=TimePolicy(
                past=timedelta(days=settings.ingest_past_days),
                ahead=timedelta(minutes=settings.ingest_ahead_minutes),
            ),
            links_max=settings.device_links_max,
        )

    def start(self) -> None:
        """Begin with the work beside the requests."""
        self.hub.start()
        self.log.start()
        self.readings.start()
        self.sweeper.start()

    async def stop(self) -> None:
        """End it; what waits is written, if that is possible at once."""
        await self.sweeper.stop()
        await self.readings.stop()
        await self.log.stop()
        await self.hub.stop()

    def enter(self) -> None:
        """Count a device in.

        Raises:
            LiveFullError: There are as many as there may be.
        """
        if self.links >= self.links_max:
            raise LiveFullError(
                f"This process has {self.links_max} devices, and takes no more. Ask for more API"
                " processes.",
                retry_after_s=5,
            )
        self.links += 1
