"""Health: what people ask about a connector, as metrics and as a line of the log once a minute."""

import asyncio
from typing import Final

import structlog

from core import metrics
from core.clock import Clock

LINE_EVERY_S: Final = 60.0

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class Health:
    """How one connector is."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self._clock = clock
        self.is_connected = False
        self.last_event_ms = 0
        self.lag_ms = 0
        self.read = 0
        self.accepted = 0
        self.refused = 0
        self.failures = 0
        # A connector that has never been connected says so, instead of saying nothing.
        metrics.connector_connected.labels(name).set(0)

    def note_connected(self, *, is_connected: bool) -> None:
        """Note whether the source answers."""
        self.is_connected = is_connected
        metrics.connector_connected.labels(self.name).set(is_connected)

    def note_failure(self, reason: str) -> None:
        """Note that the source failed, for a reason that is one of a few words."""
        self.failures += 1
        metrics.connector_failures_total.labels(self.name, reason).inc()

    def note_read(self, count: int) -> None:
        """Note that the source told so many events."""
        self.read += count
        self.last_event_ms = self._clock.now_ms()
        metrics.connector_events_read_total.labels(self.name).inc(count)
        metrics.connector_last_event_seconds.labels(self.name).set(self.last_event_ms / 1000)

    def note_ignored(self, kind: str, count: int = 1) -> None:
        """Note messages that make no event, of a kind that is one of a few words."""
        metrics.connector_messages_ignored_total.labels(self.name, kind).inc(count)

    def note_waiting(self, count: int) -> None:
        """Note how many events are gathered."""
        metrics.connector_events_waiting.labels(self.name).set(count)

    def note_decided(self, accepted: int, sent: int, newest_ms: int) -> None:
        """Note that the API has decided about a body."""
        self.accepted += accepted
        self.refused += sent - accepted
        metrics.connector_events_accepted_total.labels(self.name).inc(accepted)
        metrics.connector_events_refused_total.labels(self.name).inc(sent - accepted)
        if newest_ms:
            self.lag_ms = self._clock.now_ms() - newest_ms
            metrics.connector_lag_seconds.labels(self.name).set(self.lag_ms / 1000)

    def write_line(self, event: str = "connector_health") -> None:
        """Log how it is."""
        silent_ms = self._clock.now_ms() - self.last_event_ms if self.last_event_ms else None
        log.info(
            event,
            connector=self.name,
            connected=self.is_connected,
            read=self.read,
            accepted=self.accepted,
            refused=self.refused,
            failures=self.failures,
            lag_ms=self.lag_ms,
            silent_ms=silent_ms,
        )

    async def tell(self) -> None:
        """Log it again and again until cancelled."""
        while True:
            await asyncio.sleep(LINE_EVERY_S)
            self.write_line()
