"""Alert routes: made, changed and deleted, each change with its entry in the audit log.

What leaves here for people has neither target nor secret; only ``list_all`` has, for the worker.
"""

from typing import Any, Final

from core.alert_routes import ROUTES_MAX, AlertRoute, RouteKind, hide_target, read_route
from core.errors import ConflictError, NotFoundError
from core.keys import Caller
from db.audit_log import AuditStore
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("alert_routes")

LOCK_ID: Final = 0x7E1E3A17
"""Key of the advisory lock that changes of routes and rules hold, and whoever decides."""

FIELDS: Final = (
    "name",
    "kind",
    "enabled",
    "target",
    "secret",
    "rate_per_minute",
    "quiet",
    "critical_passes",
    "timeout_s",
)
"""What people choose of a route."""

Row = dict[str, Any]


class AlertRouteStore:
    """Reads and changes routes through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._audit = AuditStore(connection)

    async def insert(self, route_id: str, chosen: Row, *, actor: Caller) -> Row:
        """Make a route.

        Raises:
            ConflictError: There are as many as there may be, or one of that name.
        """
        async with self._connection.transaction(isolation="read_committed"):
            await self.lock()
            if await self._connection.fetchval(SQL["count_routes"]) >= ROUTES_MAX:
                raise ConflictError(f"There are {ROUTES_MAX} routes already. Delete one first.")
            await self._require_name(chosen["name"], "")
            values = [chosen[name] for name in FIELDS]
            row = await self._write("insert_route", route_id, *values, actor.name)
            await self._audit.insert(
                actor, "alert_route.create", route_id, before=None, after=show_route(row)
            )
        return show_route(row)

    async def update(self, route_id: str, chosen: Row, *, actor: Caller) -> Row:
        """Change what is named of a route.

        Raises:
            NotFoundError: There is no such route.
            ConflictError: There is another one of that name.
        """
        async with self._connection.transaction(isolation="read_committed"):
            await self.lock()
            before = await self.get_stored(route_id)
            after = {**before, **chosen}
            await self._require_name(after["name"], route_id)
            row = await self._write("update_route", route_id, *(after[name] for name in FIELDS))
            # That a secret was replaced is said, and not by what.
            facts = {**show_route(row), "replaced": sorted({"target", "secret"} & chosen.keys())}
            await self._audit.insert(
                actor, "alert_route.update", route_id, before=show_route(before), after=facts
            )
        return show_route(row)

    async def delete(self, route_id: str, *, actor: Caller, used_by: list[str]) -> None:
        """Delete a route; what waits to be sent over it has failed.

        Args:
            route_id: Which one.
            actor: Who does.
            used_by: Names of the rules that name it.

        Raises:
            NotFoundError: There is no such route.
            ConflictError: A rule names it.
        """
        before = await self.get_stored(route_id)
        if used_by:
            raise ConflictError(f"The route is named by the rule {used_by[0]!r}. Change it first.")
        await self._connection.execute(SQL["end_deliveries"], route_id)
        await self._connection.execute(SQL["delete_route"], route_id)
        await self._audit.insert(
            actor, "alert_route.delete", route_id, before=show_route(before), after=None
        )

    async def lock(self) -> None:
        """Keep routes and rules as they are, but for this transaction."""
        await self._connection.execute(SQL["lock_changes"], LOCK_ID)

    async def get(self, route_id: str) -> Row:
        """Return a route as people see it.

        Raises:
            NotFoundError: There is no such route.
        """
        return show_route(await self.get_stored(route_id))

    async def get_stored(self, route_id: str) -> Row:
        """Return a route with its secrets.

        Raises:
            NotFoundError: There is no such route.
        """
        row = await self._connection.fetchrow(SQL["get_route"], route_id)
        if row is None:
            raise NotFoundError(f"There is no alert route {route_id!r}.")
        return dict(row)

    async def list_routes(self, *, after: str | None, limit: int) -> list[Row]:
        """Return routes as people see them, by name, from after a name on."""
        rows = await self._connection.fetch(SQL["list_routes"], after, limit)
        return [show_route(dict(row)) for row in rows]

    async def list_all(self) -> list[AlertRoute]:
        """Return every route with its secrets, for whoever sends."""
        rows = await self._connection.fetch(SQL["list_routes"], None, ROUTES_MAX)
        return [read_route(dict(row)) for row in rows]

    async def _require_name(self, name: str, route_id: str) -> None:
        if await self._connection.fetchval(SQL["has_name"], name, route_id):
            raise ConflictError(f"There is an alert route {name!r} already.")

    async def _write(self, statement: str, *values: object) -> Row:
        row = await self._connection.fetchrow(SQL[statement], *values)
        assert row is not None  # noqa: S101 (the statement returns the row that it wrote)
        return dict(row)


def show_route(row: Row) -> Row:
    """Return a stored route as people see it: nothing of it opens a door."""
    shown = dict(row)
    shown["target"] = hide_target(RouteKind(row["kind"]), row["target"])
    shown["has_secret"] = shown.pop("secret") is not None
    return shown
