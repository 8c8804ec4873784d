"""Alert rules: made, changed and deleted, each change with its entry in the audit log."""

from datetime import datetime
from typing import Any, Final

from core.alerts import RULES_MAX, AlertRule, read_rule
from core.errors import ConflictError, InvalidError, NotFoundError
from core.keys import Caller
from db.alert_routes import AlertRouteStore
from db.audit_log import AuditStore
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("alert_rules")

USERS_MAX: Final = 10
"""Rules that are named as users of a route."""

FIELDS: Final = (
    "name",
    "enabled",
    "stream",
    "kind",
    "tags",
    "types",
    "min_score",
    "min_duration_s",
    "schedule",
    "severity",
    "group_by",
    "group_wait_s",
    "cool_down_s",
    "routes",
    "tell_ends",
)
"""What people choose of a rule."""

Row = dict[str, Any]


class AlertRuleStore:
    """Reads and changes rules through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._audit = AuditStore(connection)
        self._routes = AlertRouteStore(connection)

    async def insert(self, rule_id: str, chosen: Row, *, actor: Caller) -> Row:
        """Make a rule.

        Raises:
            ConflictError: There are as many as there may be, or one of that name.
            InvalidError: It names a route that is not there.
        """
        async with self._connection.transaction(isolation="read_committed"):
            await self._routes.lock()
            if await self._connection.fetchval(SQL["count_rules"]) >= RULES_MAX:
                raise ConflictError(f"There are {RULES_MAX} rules already. Delete one first.")
            await self._require_sense(chosen, "")
            values = [chosen[name] for name in FIELDS]
            row = await self._write("insert_rule", rule_id, *values, actor.name)
            await self._audit.insert(actor, "alert_rule.create", rule_id, before=None, after=row)
        return row

    async def update(self, rule_id: str, chosen: Row, *, actor: Caller, now: datetime) -> Row:
        """Change what is named of a rule.

        Raises:
            NotFoundError: There is no such rule.
            ConflictError: There is another one of that name.
            InvalidError: It names a route that is not there.
        """
        async with self._connection.transaction(isolation="read_committed"):
            await self._routes.lock()
            before = await self.get(rule_id)
            after = {**before, **chosen}
            await self._require_sense(after, rule_id)
            row = await self._write("update_rule", rule_id, *(after[name] for name in FIELDS))
            await self._connection.execute(SQL["wake_groups"], rule_id, now)
            await self._audit.insert(actor, "alert_rule.update", rule_id, before=before, after=row)
        return row

    async def delete(self, rule_id: str, *, actor: Caller) -> None:
        """Delete a rule and what it remembers; what it has sent stays listed.

        Raises:
            NotFoundError: There is no such rule.
        """
        async with self._connection.transaction(isolation="read_committed"):
            await self._routes.lock()
            before = await self.get(rule_id)
            await self._connection.execute(SQL["delete_rule"], rule_id)
            await self._audit.insert(actor, "alert_rule.delete", rule_id, before=before, after=None)

    async def delete_route(self, route_id: str, *, actor: Caller) -> None:
        """Delete a route that no rule names.

        Raises:
            NotFoundError: There is no such route.
            ConflictError: A rule names it.
        """
        async with self._connection.transaction(isolation="read_committed"):
            await self._routes.lock()
            rows = await self._connection.fetch(SQL["list_users"], route_id, USERS_MAX)
            await self._routes.delete(route_id, actor=actor, used_by=[row["name"] for row in rows])

    async def get(self, rule_id: str) -> Row:
        """Return one rule.

        Raises:
            NotFoundError: There is no such rule.
        """
        row = await self._connection.fetchrow(SQL["get_rule"], rule_id)
        if row is None:
            raise NotFoundError(f"There is no alert rule {rule_id!r}.")
        return dict(row)

    async def list_rules(self, *, after: str | None, limit: int) -> list[Row]:
        """Return rules by name, from after a name on."""
        rows = await self._connection.fetch(SQL["list_rules"], after, limit)
        return [dict(row) for row in rows]

    async def list_all(self) -> list[AlertRule]:
        """Return every rule, for whoever decides."""
        rows = await self._connection.fetch(SQL["list_rules"], None, RULES_MAX)
        return [read_rule(dict(row)) for row in rows]

    async def _require_sense(self, rule: Row, rule_id: str) -> None:
        if await self._connection.fetchval(SQL["has_name"], rule["name"], rule_id):
            raise ConflictError(f"There is an alert rule {rule['name']!r} already.")
        missing = await self._connection.fetchval(SQL["find_missing"], rule["routes"])
        if missing is not None:
            raise InvalidError(f"routes: there is no alert route {missing!r}.")

    async def _write(self, statement: str, *values: object) -> Row:
        row = await self._connection.fetchrow(SQL[statement], *values)
        assert row is not None  # noqa: S101 (the statement returns the row that it wrote)
        return dict(row)
