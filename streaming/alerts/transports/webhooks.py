"""Webhooks: a CloudEvent in structured mode, signed where the route has a secret."""

import httpx

from core.alert_messages import write_event
from core.alert_routes import AlertRoute
from core.clock import Clock
from core.deliveries import Attempt
from core.webhook_signatures import sign
from streaming.alerts.transports.base import Message
from streaming.alerts.transports.posts import post

MEDIA_TYPE = "application/cloudevents+json; charset=utf-8"


class WebhookTransport:
    """Posts to whoever listens."""

    def __init__(self, client: httpx.AsyncClient, clock: Clock, public_url: str) -> None:
        self._client = client
        self._clock = clock
        self._public_url = public_url

    async def send(self, route: AlertRoute, message: Message) -> Attempt:
        """Post an event; the body is the same each time, the signature is of now."""
        body = write_event(message.delivery_id, message.content, self._public_url)
        headers = {"Content-Type": MEDIA_TYPE, "Idempotency-Key": message.delivery_id}
        if route.secret is not None:
            at_s = self._clock.now_ms() // 1000
            headers |= sign(route.secret, message.delivery_id, at_s, body)
        return await post(self._client, route, body, headers=headers)
