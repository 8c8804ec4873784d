"""Incidents: a stream whose chat and viewers are steady, then an uproar after a raid, then calm.

Times lie in the past and go by faster than the wall clock's, so that what takes a quarter of an
hour can be seen from its beginning to its end in seconds.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import httpx
import orjson

RATE: Final = 4
"""Messages a second while nothing happens; some seconds have one more or less."""

SPIKE: Final = 4
"""How many times as many there are in the uproar."""

VIEWERS: Final = 800
RAIDERS: Final = 900
STEP_S: Final = 5
"""Seconds of the stream that are sent at once while somebody looks on."""

STEP_EVERY_S: Final = 1.0

ORDINARY: Final = ("good morning", "nice one", "what a view", "hello from home", "well played")
SHOUTED: Final = "aurora raid hype"


@dataclass(slots=True)
class Incident:
    """What one stream sends, second by second."""

    client: httpx.AsyncClient
    headers: dict[str, str]
    stream_id: str
    at: datetime
    """The next second that is sent."""

    raid_at: datetime | None = None
    """Since when there is an uproar; None while there is none."""

    sent: int = field(default=0, init=False)

    async def send_until(self, end: datetime) -> None:
        """Send all seconds before a time, old to new."""
        while self.at < end:
            # A few minutes each, so that a body stays far below what the door takes.
            part = min(end, self.at + timedelta(minutes=4))
            await self._send(self._list_events(part))

    async def begin(self) -> None:
        """Let a raid come in."""
        self.raid_at = self.at
        await self._send([self._write("meta", event="raid", viewers=RAIDERS)])

    def end(self) -> None:
        """Let all be as it was before."""
        self.raid_at = None

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Go on sending for as long as somebody looks on."""

        async def go_on() -> None:
            while True:
                await self.send_until(self.at + timedelta(seconds=STEP_S))
                await asyncio.sleep(STEP_EVERY_S)

        task = asyncio.create_task(go_on())
        try:
            yield
            assert not task.done(), task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _list_events(self, end: datetime) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []
        while self.at < end:
            second = int(self.at.timestamp())
            count = (RATE + (second * 7) % 3 - 1) * (SPIKE if self.raid_at else 1)
            texts = (SHOUTED,) if self.raid_at else ORDINARY
            for number in range(count):
                self.sent += 1
                said = {"user": f"user{self.sent % 500}", "text": texts[self.sent % len(texts)]}
                after = timedelta(milliseconds=number)
                events.append(self._write("chat", after=after, **said))
            if second % STEP_S == 0:
                events.append(
                    self._write("viewers", value=VIEWERS + second % 9 + self._count_new())
                )
            self.at += timedelta(seconds=1)
        return events

    def _count_new(self) -> int:
        """Return how many viewers the raid has brought by now."""
        if self.raid_at is None:
            return 0
        return min(RAIDERS, 60 + 20 * int((self.at - self.raid_at).total_seconds()))

    def _write(self, kind: str, *, after: timedelta = timedelta(0), **more: Any) -> dict[str, Any]:
        at = (self.at + after).isoformat()
        return {"stream_id": self.stream_id, "type": kind, "timestamp": at, **more}

    async def _send(self, events: list[dict[str, Any]]) -> None:
        headers = {**self.headers, "Content-Type": "application/json"}
        answer = await self.client.post(
            "/api/v1/ingest", content=orjson.dumps(events), headers=headers
        )
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        assert answer.json()["rejected"] == 0, answer.text
