"""Broadcasts: who is live, how many watch, and what has changed since the question before.

    known + seen -> events + known

What is known lies on disk, so that a restart tells no start and no title a second time.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final, TypeAlias

import httpx

from core.clock import Clock
from streaming.connectors.health import Health
from streaming.connectors.offsets import OffsetFile
from streaming.connectors.outlets import Acknowledge, Outlet
from streaming.connectors.twitch.helix import Broadcast, Helix, HelixAccess

POLL_S: Final = 60.0
"""The service counts viewers about once a minute."""

Event: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True)
class Known:
    """What was last heard of a channel that is live."""

    id: str
    title: str
    category: str
    missed_at_ms: int | None = None
    """When it was first not in the list; one such time may be the list's own fault."""


def compare(
    known: Mapping[str, Known], seen: Sequence[Broadcast], *, prefix: str, now_ms: int
) -> tuple[list[Event], dict[str, Known]]:
    """Return what has changed, as events, and what is known now."""
    events: list[Event] = []
    now_known: dict[str, Known] = {}
    for each in seen:
        stream_id = prefix + each.login
        before = known.get(each.login)
        if before is not None and before.id != each.id:
            events.append(_end(stream_id, before, before.missed_at_ms or now_ms))
        if before is None or before.id != each.id:
            events.append(_start(stream_id, each))
        else:
            events += _list_changes(stream_id, before, each, now_ms)
        events.append(_count(stream_id, each, now_ms))
        now_known[each.login] = Known(each.id, each.title, each.category)
    for login, before in known.items():
        if login in now_known:
            continue
        if before.missed_at_ms is None:
            now_known[login] = Known(before.id, before.title, before.category, now_ms)
        else:
            events.append(_end(prefix + login, before, before.missed_at_ms))
    return events, now_known


class BroadcastSource:
    """What the web API tells of some channels, again and again."""

    def __init__(
        self,
        channels: Sequence[str],
        prefix: str,
        access: HelixAccess,
        offsets: OffsetFile,
        clock: Clock,
    ) -> None:
        self._channels = channels
        self._prefix = prefix
        self._access = access
        self._offsets = offsets
        self._clock = clock

    async def read(self, outlet: Outlet, health: Health) -> None:
        """Ask until cancelled.

        Raises:
            SourceAwayError: The API does not answer, or not to us.
        """
        known = self._read_known()
        async with httpx.AsyncClient() as http:
            helix = Helix(http, self._access, self._clock)
            while True:
                seen = await helix.list_live(self._channels)
                now_ms = self._clock.now_ms()
                events, known = compare(known, seen, prefix=self._prefix, now_ms=now_ms)
                health.note_read(len(events))
                await outlet.put(events, self._make_acknowledge(known), newest_ms=now_ms)
                await asyncio.sleep(POLL_S)

    def _read_known(self) -> dict[str, Known]:
        found = self._offsets.read()
        try:
            return {login: Known(**found[login]) for login in self._channels if login in found}
        except TypeError as error:
            raise self._offsets.explain(str(error)) from None

    def _make_acknowledge(self, known: Mapping[str, Known]) -> Acknowledge:
        written = {login: asdict(each) for login, each in known.items()}
        return lambda: self._offsets.write(written)


def _start(stream_id: str, each: Broadcast) -> Event:
    return {
        "stream_id": stream_id,
        "type": "meta",
        "timestamp": each.started_at.isoformat(),
        "id": f"{each.id}:start",
        "event": "stream_start",
        "title": each.title,
        "category": each.category,
    }


def _end(stream_id: str, before: Known, at_ms: int) -> Event:
    return {
        "stream_id": stream_id,
        "type": "meta",
        "timestamp": at_ms,
        "id": f"{before.id}:end",
        "event": "stream_end",
    }


def _list_changes(stream_id: str, before: Known, each: Broadcast, now_ms: int) -> list[Event]:
    changes = (("title", before.title, each.title), ("category", before.category, each.category))
    return [
        {
            "stream_id": stream_id,
            "type": "meta",
            "timestamp": now_ms,
            "id": f"{each.id}:{name}:{now_ms}",
            "event": f"{name}_change",
            name: new,
        }
        for name, old, new in changes
        if old != new
    ]


def _count(stream_id: str, each: Broadcast, now_ms: int) -> Event:
    return {
        "stream_id": stream_id,
        "type": "viewers",
        "timestamp": now_ms,
        "id": f"{each.id}:viewers:{now_ms}",
        "value": each.viewers,
    }
