"""Processes: what the alerts do beside one another, and how they wait.

    listener ─wakes─► deciding ─wakes─► sending      beats (Alertmanagers)      health

Each looks by itself once a second, whether it is woken or not. While the database is away all of
them wait, longer and longer, and go on where they were.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Final

import httpx
import structlog

from core.alert_routes import RouteKind
from core.clock import Clock
from core.errors import DatabaseAwayError
from core.settings import Settings
from core.tasks import end
from db.deliveries import CHANNEL as DELIVERIES
from db.listeners import Listener
from db.moment_changes import CHANNEL as MOMENT_CHANGES
from db.pool import Pool
from streaming.alerts.beats import Beater
from streaming.alerts.couriers import Courier, CourierPolicy
from streaming.alerts.deciders import Decider
from streaming.alerts.health import Health
from streaming.alerts.transports.alertmanagers import AlertmanagerTransport
from streaming.alerts.transports.apprises import AppriseTransport
from streaming.alerts.transports.webhooks import WebhookTransport

LOOK_EVERY_S: Final = 1.0
"""How late something may be that nobody was woken for."""

PAUSE_S_MAX: Final = 5.0
"""The longest pause while the database is away."""

FINISH_S_MAX: Final = 5.0
"""How long what is being sent when told to stop may still take."""

POOL_SIZE: Final = 6
"""Connections of a worker: deciding, leasing, beats, health, and two to write down results."""

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class AlertProcess:
    """The alerts while they run."""

    def __init__(
        self, settings: Settings, clock: Clock, pool: Pool, client: httpx.AsyncClient
    ) -> None:
        self._changed = asyncio.Event()
        self._due = asyncio.Event()
        resend = timedelta(seconds=settings.alerts_resend_seconds)
        public_url = settings.link_base
        alertmanager = AlertmanagerTransport(client, clock, resend)
        self._apprise = AppriseTransport()
        self._clock = clock
        self._decider = Decider(pool, clock, public_url)
        self._courier = Courier(
            pool,
            clock,
            {
                RouteKind.WEBHOOK: WebhookTransport(client, clock, public_url),
                RouteKind.ALERTMANAGER: alertmanager,
                RouteKind.APPRISE: self._apprise,
            },
            CourierPolicy.of(settings),
            self._due,
        )
        self._beater = Beater(pool, clock, alertmanager, every=resend, public_url=public_url)
        self._health = Health(pool, clock)
        self._listener = Listener(
            settings.require_database_url(),
            "alerts",
            {MOMENT_CHANGES: self._changed, DELIVERIES: self._due},
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Decide and send until told to stop.

        Raises:
            Exception: Whatever ended one of the parts, none of which ends by itself.
        """
        parts = (
            self._listener.run(),
            self._health.run(),
            _keep("deciding", self._changed, self._decide),
            _keep("sending", self._due, self._send),
            _keep("beats", asyncio.Event(), self._beat),
            _wait(stop),
        )
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end(*tasks)
            await self._courier.finish(FINISH_S_MAX)
            self._apprise.close()
        for task in done:
            task.result()

    async def _decide(self) -> float:
        done = await self._decider.run_round()
        if done.deliveries:
            self._due.set()
        if done.is_full:
            return 0.0
        if done.next_due is None:
            return LOOK_EVERY_S
        until = (done.next_due - self._clock.now()).total_seconds()
        return min(max(until, 0.0), LOOK_EVERY_S)

    async def _send(self) -> float:
        await self._courier.run_round()
        return LOOK_EVERY_S

    async def _beat(self) -> float:
        await self._beater.run_round()
        return LOOK_EVERY_S


async def _wait(stop: asyncio.Event) -> None:
    await stop.wait()


async def _keep(name: str, wake: asyncio.Event, work: Callable[[], Awaitable[float]]) -> None:
    """Work, wait as long as it says or until woken, and work again; for ever."""
    pause_s = 0.1
    while True:
        wake.clear()
        try:
            wait_s = await work()
            pause_s = 0.1
        except DatabaseAwayError:
            log.warning("database_away", part=name, retry_in_s=pause_s)
            # Who wakes it now would only make it ask in vain.
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, PAUSE_S_MAX)
            continue
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await wake.wait()


@asynccontextmanager
async def building(settings: Settings, clock: Clock) -> AsyncIterator[AlertProcess]:
    """Lend the alerts over the services of the settings."""
    few = {"db_pool_min_size": 1, "db_pool_max_size": POOL_SIZE}
    pool = Pool(settings.model_copy(update=few), process="alerts")
    limits = httpx.Limits(max_connections=settings.alerts_sends_max * 2)
    try:
        async with httpx.AsyncClient(follow_redirects=False, limits=limits) as client:
            yield AlertProcess(settings, clock, pool, client)
    finally:
        await pool.close()
