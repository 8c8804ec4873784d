"""Tunings: rules by which single series are judged, each change with its entry in the audit log."""

from datetime import timedelta
from typing import Any, Final

from core.errors import ConflictError, NotFoundError
from core.keys import Caller
from core.tunings import RULES_MAX, TuningRule, Tunings
from db.audit_log import AuditStore
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("tunings")

LOCK_ID: Final = 0x7E1E3E7D
"""Key of the advisory lock that changes of rules hold."""

Row = dict[str, Any]
"""A rule as people see it: durations in seconds."""


class TuningStore:
    """Reads and changes rules through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._audit = AuditStore(connection)

    async def insert(self, rule: TuningRule, *, actor: Caller) -> Row:
        """Add a rule.

        Raises:
            ConflictError: There is one for the same already, or as many as there may be.
        """
        async with self._connection.transaction():
            await self._connection.execute(SQL["lock_changes"], LOCK_ID)
            await self._require_different(rule)
            if await self._connection.fetchval(SQL["count_tunings"]) >= RULES_MAX:
                raise ConflictError(f"There are {RULES_MAX} tunings already. Delete one first.")
            row = await self._write("insert_tuning", rule, actor)
            await self._audit.insert(actor, "tuning.create", rule.tuning_id, before=None, after=row)
        return row

    async def replace(self, rule: TuningRule, *, actor: Caller) -> Row:
        """Put a rule in the place of the one with its id; the same again changes nothing.

        Raises:
            NotFoundError: There is none with its id.
            ConflictError: Another one is for the same already.
        """
        async with self._connection.transaction():
            await self._connection.execute(SQL["lock_changes"], LOCK_ID)
            before = await self.get(rule.tuning_id)
            if _read_rule(before) == rule:
                return before
            await self._require_different(rule)
            row = await self._write("replace_tuning", rule, actor)
            await self._audit.insert(actor, "tuning.put", rule.tuning_id, before=before, after=row)
        return row

    async def delete(self, tuning_id: str, *, actor: Caller) -> Row:
        """Take a rule away and return it.

        Raises:
            NotFoundError: There is no such rule.
        """
        async with self._connection.transaction():
            await self._connection.execute(SQL["lock_changes"], LOCK_ID)
            before = await self.get(tuning_id)
            await self._connection.execute(SQL["delete_tuning"], tuning_id)
            await self._audit.insert(actor, "tuning.delete", tuning_id, before=before, after=None)
        return before

    async def get(self, tuning_id: str) -> Row:
        """Return one rule.

        Raises:
            NotFoundError: There is no such rule.
        """
        row = await self._connection.fetchrow(SQL["get_tuning"], tuning_id)
        if row is None:
            raise NotFoundError(f"There is no tuning {tuning_id!r}.")
        return dict(row)

    async def list_tunings(self, *, after: tuple[str, str] | None, limit: int) -> list[Row]:
        """Return rules by their patterns.

        Args:
            after: Both patterns of the last rule of the page before.
            limit: How many.
        """
        rows = await self._connection.fetch(SQL["list_tunings"], *(after or (None, None)), limit)
        return [dict(row) for row in rows]

    async def stamp(self) -> int:
        """Return a number that changes when ``load`` would."""
        return int(await self._connection.fetchval(SQL["stamp_rules"]))

    async def load(self) -> Tunings:
        """Return all rules, to judge by."""
        # Taken before the rules are read: what changes in between is read again the next time.
        version = await self.stamp()
        rows = await self._connection.fetch(SQL["list_rules"], RULES_MAX)
        return Tunings(tuple(_read_rule(dict(row)) for row in rows), version)

    async def _require_different(self, rule: TuningRule) -> None:
        same = await self._connection.fetchval(
            SQL["find_same"], rule.stream_pattern, rule.metric_pattern, rule.tuning_id
        )
        if same is not None:
            raise ConflictError(
                f"The tuning {same} is for these streams and metrics already. Change that one."
            )

    async def _write(self, statement: str, rule: TuningRule, actor: Caller) -> Row:
        row = await self._connection.fetchrow(
            SQL[statement],
            rule.tuning_id,
            rule.stream_pattern,
            rule.metric_pattern,
            rule.is_watched,
            rule.strictness,
            rule.deviation_min,
            rule.direction,
            _to_seconds(rule.merge),
            _to_seconds(rule.cool_down),
            _to_seconds(rule.silence_after),
            actor.name,
        )
        assert row is not None  # noqa: S101 (the statement returns the row that it wrote)
        return dict(row)


def _read_rule(row: Row) -> TuningRule:
    return TuningRule(
        tuning_id=row["tuning_id"],
        stream_pattern=row["stream_pattern"],
        metric_pattern=row["metric_pattern"],
        is_watched=row["is_watched"],
        strictness=row["strictness"],
        deviation_min=row["deviation_min"],
        direction=row["direction"],
        merge=_read_seconds(row["merge_s"]),
        cool_down=_read_seconds(row["cool_down_s"]),
        silence_after=_read_seconds(row["silence_after_s"]),
    )


def _to_seconds(span: timedelta | None) -> int | None:
    return None if span is None else span // timedelta(seconds=1)


def _read_seconds(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
