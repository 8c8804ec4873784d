"""Health: how much waits and since when, as metrics, and as a line of the log once a minute."""

import asyncio
from collections import Counter
from typing import Final

import structlog

from core import metrics
from core.alert_routes import RouteKind
from core.alerts import Severity
from core.clock import Clock
from core.errors import DatabaseAwayError
from db.alert_routes import AlertRouteStore
from db.deliveries import DeliveryStore
from db.moment_changes import MomentChangeStore
from db.pool import Pool

MEASURE_EVERY_S: Final = 5.0
LINE_EVERY: Final = 12
"""Measurements between two lines: a minute."""

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class Health:
    """How the alerts are."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._waiting: Counter[RouteKind] = Counter()
        self._oldest_s: dict[RouteKind, float] = {}
        # The first failure would be no increase of a counter that was not there before.
        for kind in RouteKind:
            metrics.alert_deliveries_failed_total.labels(kind)

    async def run(self) -> None:
        """Measure until cancelled."""
        measurements = 0
        while True:
            try:
                await self.measure()
            except DatabaseAwayError:
                log.warning("database_away")
            else:
                if measurements % LINE_EVERY == 0:
                    self._write_line()
                measurements += 1
            await asyncio.sleep(MEASURE_EVERY_S)

    async def measure(self) -> None:
        """Measure once."""
        now = self._clock.now()
        async with self._pool.connection() as connection:
            changes = await MomentChangeStore(connection).measure()
            waiting = await DeliveryStore(connection).measure_routes()
            routes = {
                route.route_id: route for route in await AlertRouteStore(connection).list_all()
            }
        self._waiting = Counter()
        self._oldest_s = dict.fromkeys(RouteKind, 0.0)
        for route_id, found in waiting.items():
            if (route := routes.get(route_id)) is None:
                continue
            self._waiting[route.kind] += found.count
            is_expected = route.is_enabled and route.takes(Severity.WARNING, now)
            if is_expected and found.oldest_at is not None:
                age_s = (now - found.oldest_at).total_seconds()
                self._oldest_s[route.kind] = max(self._oldest_s[route.kind], age_s)
        for kind in RouteKind:
            metrics.alert_deliveries_waiting.labels(kind).set(self._waiting[kind])
            metrics.alert_deliveries_oldest_seconds.labels(kind).set(self._oldest_s[kind])
        oldest_s = 0.0 if changes.oldest_at is None else (now - changes.oldest_at).total_seconds()
        metrics.alert_changes_waiting.set(changes.count)
        metrics.alert_changes_oldest_seconds.set(max(oldest_s, 0.0))

    def _write_line(self) -> None:
        log.info(
            "alerts_health",
            waiting=self._waiting.total(),
            oldest_s=round(max(self._oldest_s.values(), default=0.0), 1),
        )
