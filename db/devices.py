"""Devices: what each registered, and whether it is there, with the history of that."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from core.devices import GONE_AFTER, Link
from core.errors import NotFoundError
from core.keys import Caller
from db.audit_log import AuditStore
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("devices")

LOST_AFTER_S: Final = 15.0
"""Beyond the silence that a living connection is ended for, and far more than passes between two
times that whoever holds one says so: it is held, or nobody holds it."""

LOST_MAX: Final = 100
"""Devices found lost at once; the rest a second later."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Registration:
    """What a device says of itself when it connects."""

    title: str | None
    kind: str | None
    telemetry_types: Mapping[str, Row]
    command_templates: Mapping[str, Row]
    heartbeat_s: float
    at_once: int


class DeviceStore:
    """Reads and changes devices through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def register(self, device_id: str, given: Registration, now: datetime) -> int:
        """Write what a device says of itself; return the number of its connection.

        Whoever was connected under the same id before is replaced: the newest number counts.
        """
        async with self._connection.transaction(isolation="read_committed"):
            before = await self._connection.fetchrow(SQL["lock_device"], device_id)
            link_id: int = await self._connection.fetchval(SQL["make_link_id"])
            await self._connection.execute(
                SQL["upsert_device"],
                device_id,
                given.title,
                given.kind,
                given.telemetry_types,
                given.command_templates,
                given.heartbeat_s,
                given.at_once,
                link_id,
                now,
            )
            if before is not None and before["link"] != Link.GONE:
                reason = "A newer connection registered."
                await self._note(device_id, Link.REPLACED, now, reason)
            await self._note(device_id, Link.CONNECTED, now, "It registered.")
        return link_id

    async def touch(self, device_id: str, link_id: int, seen_at: datetime) -> Link | None:
        """Write when a connection was last heard; return its state, None if it counts no more."""
        link = await self._connection.fetchval(SQL["touch_device"], device_id, link_id, seen_at)
        return None if link is None else Link(link)

    async def set_link(
        self, device_id: str, link_id: int, link: Link, *, seen_at: datetime, reason: str
    ) -> bool:
        """Write that a connection is in another state; return whether that is news."""
        async with self._connection.transaction(isolation="read_committed"):
            found = await self._connection.fetchval(
                SQL["set_link"], device_id, link_id, link, seen_at
            )
            if found is None:
                return False
            await self._note(device_id, link, seen_at, reason)
        return True

    async def give_up_lost(self, now: datetime) -> list[str]:
        """Write that devices are gone whose connection nobody holds; return which."""
        gone = []
        async with self._connection.transaction(isolation="read_committed"):
            lost = await self._connection.fetch(
                SQL["find_lost"], now, GONE_AFTER, LOST_AFTER_S, LOST_MAX
            )
            for row in lost:
                device_id, link_id = row
                await self._connection.execute(SQL["set_link"], device_id, link_id, Link.GONE, now)
                reason = "The process that held its connection ended."
                await self._note(device_id, Link.GONE, now, reason)
                gone.append(device_id)
        return gone

    async def get(self, device_id: str) -> Row:
        """Return one device with all that it registered.

        Raises:
            NotFoundError: There is no such device.
        """
        row = await self._connection.fetchrow(SQL["get_device"], device_id)
        if row is None:
            raise NotFoundError(
                f"There is no device {device_id!r}. It appears when it connects and registers."
            )
        return dict(row)

    async def list_devices(self, *, after: str | None, limit: int) -> list[Row]:
        """Return devices by id, from after one on, with counts of what they registered."""
        rows = await self._connection.fetch(SQL["list_devices"], after, limit)
        return [dict(row) for row in rows]

    async def list_ids(self, *, command: str | None, limit: int) -> list[str]:
        """Return the devices that know a command, or all."""
        rows = await self._connection.fetch(SQL["list_ids"], command, limit)
        return [row["device_id"] for row in rows]

    async def put_title(self, device_id: str, title: str | None, *, actor: Caller) -> Row:
        """Name a device; with nothing, the name that it gives itself holds again.

        Raises:
            NotFoundError: There is no such device.
        """
        async with self._connection.transaction(isolation="read_committed"):
            before = await self.get(device_id)
            by = actor.name if title is not None else None
            await self._connection.execute(SQL["set_title"], device_id, title, by)
            after = await self.get(device_id)
            await AuditStore(self._connection).insert(
                actor,
                "device.put",
                device_id,
                before={"title": before["title"]},
                after={"title": title},
            )
        return after

    async def delete(self, device_id: str, *, actor: Caller) -> Row:
        """Forget a device with its commands and links; one that is connected comes back.

        Raises:
            NotFoundError: There is no such device.
        """
        async with self._connection.transaction(isolation="read_committed"):
            before = await self.get(device_id)
            await self._connection.execute(SQL["delete_device"], device_id)
            kept = {name: before[name] for name in ("title", "kind", "created_at")}
            await AuditStore(self._connection).insert(
                actor, "device.delete", device_id, before=kept, after=None
            )
        return before

    async def list_links(self, device_id: str, *, before: int | None, limit: int) -> list[Row]:
        """Return when a device came and went, newest first."""
        rows = await self._connection.fetch(SQL["list_links"], device_id, before, limit)
        return [dict(row) for row in rows]

    async def _note(self, device_id: str, state: Link, at: datetime, reason: str) -> None:
        await self._connection.execute(SQL["insert_link"], device_id, state, at, reason)
