"""Alertmanagers: alerts for their v2 API, which routes, groups and silences them further."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import httpx
import orjson

from core.alert_messages import write_alerts
from core.alert_routes import AlertRoute
from core.clock import Clock
from core.deliveries import Attempt
from streaming.alerts.transports.base import Message
from streaming.alerts.transports.posts import post

PATH: Final = "/api/v2/alerts"

GOOD_FOR: Final = 4
"""Resends after which an alert that nobody sends again is over; as Prometheus has it."""


class AlertmanagerTransport:
    """Posts alerts to an Alertmanager."""

    def __init__(self, client: httpx.AsyncClient, clock: Clock, resend: timedelta) -> None:
        self._client = client
        self._clock = clock
        self._good_for = GOOD_FOR * resend

    async def send(self, route: AlertRoute, message: Message) -> Attempt:
        """Post what a delivery says."""
        return await self.post_alerts(route, self.write(message.content))

    def write(self, content: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the alerts of what is said, as of now."""
        return write_alerts(content, self._clock.now(), self._good_for)

    async def post_alerts(self, route: AlertRoute, alerts: Sequence[dict[str, Any]]) -> Attempt:
        """Post alerts."""
        return await post(self._client, route, orjson.dumps(alerts), path=PATH)
