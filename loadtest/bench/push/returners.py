"""Returners: live clients that come back by themselves and go on from where they were.

Each notes the number of every kept message, once for each time it came.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import orjson

KEPT: Final = frozenset({"minute", "moment"})
WAIT_S: Final = 0.05


@dataclass(slots=True)
class Notes:
    """What one client saw, over all its connections."""

    position: int
    """The last one seen, from which the client goes on."""

    seen: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Kind and number of each message that is kept."""

    positions: list[int] = field(default_factory=list)
    connections: int = 0
    incomplete: int = 0
    """Times that the server could not make up for what was missed."""

    out_of_sequence: int = 0
    _sequence: int = 0

    def begin(self) -> None:
        """Count a new connection, whose messages are numbered anew."""
        self.connections += 1
        self._sequence = 0

    def note(self, message: dict[str, Any]) -> None:
        """Note one message."""
        self.out_of_sequence += message["seq"] != self._sequence
        self._sequence = message["seq"] + 1
        kind, position = message["type"], message.get("position")
        if kind != "connected" and position is not None:
            self.position = position
        if kind == "resumed" and not message["complete"]:
            self.incomplete += 1
        if kind in KEPT and position is not None:
            self.seen[kind, message["number"]] += 1
            self.positions.append(position)

    def find_faults(self, announced: Sequence[tuple[str, int]]) -> list[str]:
        """Return what is wrong after all of a stream's messages were announced."""
        missed = [one for one in announced if not self.seen[one]]
        twice = [one for one, times in self.seen.items() if times > 1]
        faults = {
            "missed": missed,
            "twice": twice,
            "out of order": self.positions != sorted(self.positions),
            "out of sequence": self.out_of_sequence,
            "incomplete": self.incomplete,
        }
        return [f"{name}: {what}" for name, what in faults.items() if what]


async def follow_socket(session: aiohttp.ClientSession, stream_id: str, notes: Notes) -> None:
    """Follow a stream over a WebSocket, for ever."""
    while True:
        with suppress(aiohttp.ClientError, OSError):
            async with session.ws_connect("/ws/live") as socket:
                notes.begin()
                await socket.send_json(
                    {"type": "subscribe", "streams": [stream_id], "since": notes.position}
                )
                async for message in socket:
                    notes.note(orjson.loads(message.data))
        await asyncio.sleep(WAIT_S)


async def follow_events(session: aiohttp.ClientSession, stream_id: str, notes: Notes) -> None:
    """Follow a stream as server-sent events, for ever."""
    while True:
        headers = {"Last-Event-ID": str(notes.position)}
        with suppress(aiohttp.ClientError, OSError):
            async with session.get(
                "/sse/live", params={"streams": stream_id}, headers=headers
            ) as answer:
                answer.raise_for_status()
                notes.begin()
                async for line in answer.content:
                    if line.startswith(b"data: "):
                        notes.note(orjson.loads(line[6:]))
        await asyncio.sleep(WAIT_S)
