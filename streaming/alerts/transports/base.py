"""Transports: how something is sent once, over each kind of route."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from core.alert_routes import AlertRoute
from core.deliveries import Attempt


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: the same, whenever it is sent again."""

    delivery_id: str
    content: Mapping[str, Any] = field(repr=False)


class Transport(Protocol):
    """Sends over one kind of route."""

    async def send(self, route: AlertRoute, message: Message) -> Attempt:
        """Send something once and return what came of it; whoever calls limits the time."""
        ...
