"""Service of telemetry: points onto the bus, all of a body or none, and back from the database."""

import asyncio
import hashlib
from typing import Any

import orjson

from api.deps import Resources
from api.ingest.checks import Checked, count_events
from api.ingest.readers import Reader, Rows, read_json
from api.session_telemetry.readers import refuse_long_units, refuse_missing, refuse_rows
from api.sessions.service import require_session
from core import metrics
from core.errors import NotFoundError
from core.ids import shard_of
from core.keys import EVERYONE, Caller
from core.sessions import Point, find_place, show_points
from db.minutes import PointSpan, Span
from db.session_telemetry import SessionTelemetryStore
from streaming.bus.base import Once

INLINE_BYTES_MAX = 32_768
"""Larger bodies are read in a thread, so that they do not hold up small requests."""

Row = dict[str, Any]


class TelemetryWriter:
    """Puts the points of one session on the bus, for one caller who reaches it."""

    def __init__(self, uses: Resources, caller: Caller, session_id: str) -> None:
        self._uses = uses
        self._caller = caller
        self._session_id = session_id

    async def accept_point(self, point: Row) -> None:
        """Put a point on the bus, together with what others send at the same time.

        Raises:
            InvalidError: It is wrong; nothing was taken.
            TelemetraError: It was not taken, for the reason that it says.
        """
        row = {**point, "stream_id": self._session_id, "type": "reading"}
        told = {name: value for name, value in row.items() if value is not None}
        body = orjson.dumps(told, option=orjson.OPT_UTC_Z)
        # The stream is the session's own, and whether that is within reach was asked before.
        receipt = await self._uses.small_bodies.accept(body, read_json, EVERYONE)
        if receipt.rejected:
            raise refuse_rows(receipt.rejected)
        shard = shard_of(self._session_id, self._uses.settings.bus_shards)
        await self._uses.written.note(self._session_id, {shard: receipt.offsets[shard]})

    async def accept(self, body: bytes, read: Reader, key: str | None = None) -> Checked:
        """Put all points of a body on the bus; with a key they count once.

        Raises:
            InvalidError: Some of them are wrong; nothing was taken.
            TelemetraError: Nothing was taken, for the reason that it says.
        """
        if len(body) > INLINE_BYTES_MAX:
            checked, entries = await asyncio.to_thread(self._check, body, read)
        else:
            checked, entries = self._check(body, read)
        if entries:
            with metrics.bus_append_seconds.time():
                offsets = await self._uses.bus.append(entries, once=self._claim(body, key))
            if offsets is not None:
                await self._uses.written.note(self._session_id, offsets)
                count_events(checked.count_by_type(), 0)
        return checked

    def _check(self, body: bytes, read: Reader) -> tuple[Checked, dict[int, bytes]]:
        def read_whole(body: bytes) -> Rows:
            raw, unreadable = read(body)
            if unreadable:
                raise refuse_rows(unreadable)
            refuse_missing(raw)
            refuse_long_units(raw)
            return raw, []

        checker = self._uses.small_bodies.checker
        # The stream is the session's own, and whether that is within reach was asked before.
        checked = checker.check_body(body, read_whole, EVERYONE)
        if checked.rejected:
            raise refuse_rows(checked.rejected)
        return checked, checker.pack(checked.events)

    def _claim(self, body: bytes, key: str | None) -> Once | None:
        if key is None:
            return None
        owner = f"{self._caller.key_id or 'everyone'}:{self._session_id}"
        return Once(f"{owner}:{key}", hashlib.sha256(body).hexdigest())


async def find_latest(uses: Resources, caller: Caller, session_id: str, channel: str) -> Row:
    """Return the newest point of a channel as clients read it.

    Raises:
        NotFoundError: There is none, or no such session within reach.
    """
    points: list[Point] = []
    async with uses.pool.connection() as connection:
        session = await require_session(connection, caller, session_id)
        place = find_place(session, channel)
        if place is not None:
            store = SessionTelemetryStore(connection)
            points = await store.list_points(session, [place], PointSpan(Span(limit=1)))
    if not points:
        raise NotFoundError(f"There is no value of {channel!r} here.")
    return show_points(session_id, points)[0]
