"""Beats: Alertmanagers are told again and again what goes on.

An Alertmanager takes an alert of which it hears nothing for over, and one that was started anew
knows of none. Ends are told again for a while too: what came in the wrong order is put right.
"""

from datetime import timedelta
from typing import Any, Final

import orjson
import structlog

from core.alert_groups import Item, What
from core.alert_messages import make_content
from core.alert_routes import AlertRoute
from core.alert_watches import Phase
from core.alerts import AlertRule
from core.clock import Clock
from core.deliveries import Outcome
from core.moment_lives import show_moment
from db.alert_rules import AlertRuleStore
from db.alerts import AlertStore, Place
from db.pool import Pool
from streaming.alerts.scenes import Scene
from streaming.alerts.transports.alertmanagers import AlertmanagerTransport

ROUTES_MAX: Final = 20
"""Alertmanagers that one worker tells in one round."""

ALERTS_MAX: Final = 1000
"""Of one Alertmanager; the newest."""

ENDS_TOLD: Final = 2
"""Beats in which an end is told again."""

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class Beater:
    """Tells Alertmanagers what goes on."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        transport: AlertmanagerTransport,
        *,
        every: timedelta,
        public_url: str,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._transport = transport
        self._every = every
        self._public_url = public_url

    async def run_round(self) -> None:
        """Tell those that it is time to tell."""
        now = self._clock.now()
        async with self._pool.connection() as connection:
            routes = await AlertStore(connection).lease_beats(
                before=now - self._every, now=now, limit=ROUTES_MAX
            )
        for route in routes:
            await self._beat(route)

    async def _beat(self, route: AlertRoute) -> None:
        alerts = await self._gather(route)
        if not alerts:
            return
        attempt = await self._transport.post_alerts(route, alerts)
        if attempt.outcome is not Outcome.DELIVERED:
            log.warning(
                "beat_missed", route_id=route.route_id, status=attempt.status, reason=attempt.detail
            )

    async def _gather(self, route: AlertRoute) -> list[dict[str, Any]]:
        """Return one alert for each set of labels; what goes on before what is over."""
        now = self._clock.now()
        async with self._pool.connection() as connection:
            store = AlertStore(connection)
            told = await store.list_told(
                route.route_id, since=now - ENDS_TOLD * self._every, limit=ALERTS_MAX
            )
            rules = {rule.rule_id: rule for rule in await AlertRuleStore(connection).list_all()}
            scene = Scene(store, now)
            await scene.load({watch.moment_id: watch.timestamp for watch in told.values()})
        by_labels: dict[bytes, dict[str, Any]] = {}
        # Those that are over come first, so that one of the same labels that goes on replaces them.
        for place in sorted(told, key=lambda place: told[place].phase is not Phase.CLOSED):
            if place[1] in scene.rows and place[0] in rules:
                what = What.ENDED if told[place].phase is Phase.CLOSED else What.OPENED
                alert = self._write(rules[place[0]], place, scene, what)
                by_labels[orjson.dumps(alert["labels"])] = alert
        return [*by_labels.values()]

    def _write(self, rule: AlertRule, place: Place, scene: Scene, what: What) -> dict[str, Any]:
        now = self._clock.now()
        moments = {place[1]: show_moment(scene.rows[place[1]], now)}
        items = [Item(place[1], what)]
        content = make_content(rule, "{}", items, moments, public_url=self._public_url, now=now)
        (alert,) = self._transport.write(content)
        return alert
