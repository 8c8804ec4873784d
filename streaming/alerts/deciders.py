"""Deciders: changes of moments and groups whose time has come become deliveries.

    changes ─► moments as they are now ─► every rule follows them ─┐
    due groups ────────────────────────────────────────────────────┴► what waits ─► deliveries

One transaction, and one decider at a time: a change is taken with what came of it, or not at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from core import metrics
from core.alert_groups import GroupState, Settled, make_delivery_id, settle_group
from core.alert_messages import make_content
from core.alert_watches import Watch, follow
from core.alerts import AlertRule
from core.clock import Clock
from core.moment_lives import show_moment
from db.alert_routes import AlertRouteStore
from db.alert_rules import AlertRuleStore
from db.alerts import AlertStore, NewDelivery, Place
from db.moment_changes import MomentChange, MomentChangeStore
from db.pool import Connection, Pool
from streaming.alerts.scenes import Scene

CHANGES_MAX: Final = 500
"""Changes in one round: with 200 rules, some tenths of a second."""

GROUPS_MAX: Final = 500
"""Due groups in one round."""


@dataclass(frozen=True, slots=True)
class Round:
    """What came of one round."""

    changes: int = 0
    groups: int = 0
    deliveries: int = 0
    next_due: datetime | None = None

    @property
    def is_full(self) -> bool:
        """Whether there may be more at once."""
        return self.changes >= CHANGES_MAX or self.groups >= GROUPS_MAX


@dataclass(slots=True)
class _Book:
    """What is to be written."""

    watches: dict[Place, Watch | None] = field(default_factory=dict)
    groups: dict[Place, GroupState] = field(default_factory=dict)
    deliveries: list[NewDelivery] = field(default_factory=list)


class Decider:
    """Decides what is told of what changed."""

    def __init__(self, pool: Pool, clock: Clock, public_url: str) -> None:
        self._pool = pool
        self._clock = clock
        self._public_url = public_url

    async def run_round(self) -> Round:
        """Decide about what waits, as much as fits into one round.

        Raises:
            DatabaseAwayError: Nothing was decided; it all waits still.
        """
        async with (
            self._pool.connection() as connection,
            # What the decider before this one committed has to be seen.
            connection.transaction(isolation="read_committed"),
        ):
            deliberation = _Deliberation(connection, self._clock.now(), self._public_url)
            done = await deliberation.run()
        metrics.alert_deliveries_written_total.inc(done.deliveries)
        return done


class _Deliberation:
    """One round, within its transaction."""

    def __init__(self, connection: Connection, now: datetime, public_url: str) -> None:
        self._connection = connection
        self._store = AlertStore(connection)
        self._changes = MomentChangeStore(connection)
        self._routes = AlertRouteStore(connection)
        self._now = now
        self._public_url = public_url
        self._scene = Scene(self._store, now)
        self._book = _Book()

    async def run(self) -> Round:
        """Take, decide, write."""
        # Nobody else decides meanwhile, and rules and routes, which what is written names, stay.
        await self._routes.lock()
        changes = await self._changes.take(CHANGES_MAX)
        due = await self._store.list_due(self._now, GROUPS_MAX)
        if changes or due:
            rules = {
                rule.rule_id: rule for rule in await AlertRuleStore(self._connection).list_all()
            }
            touched = set(due)
            if rules:
                touched |= await self._follow_changes(rules, changes)
            await self._settle_groups(rules, touched)
            await self._changes.delete(changes)
        return Round(
            len(changes), len(due), len(self._book.deliveries), await self._store.find_next_due()
        )

    async def _follow_changes(
        self, rules: Mapping[str, AlertRule], changes: Sequence[MomentChange]
    ) -> set[Place]:
        """Let every rule look at what changed; return the groups that this concerns."""
        noted = {change.moment_id: change.at for change in changes}
        await self._scene.load({change.moment_id: change.timestamp for change in changes}, noted)
        await self._scene.load_released()
        known = await self._store.list_watches(self._scene.subjects)
        touched: set[Place] = set()
        for rule in rules.values():
            for subject in self._scene.subjects.values():
                place = rule.rule_id, subject.moment_id
                before = known.get(place)
                after = follow(before, rule, subject, self._now)
                if after != before:
                    self._book.watches[place] = after
                    touched |= {
                        (rule.rule_id, watch.group_key) for watch in (before, after) if watch
                    }
        # What waits is read back with what waited before.
        await self._store.write_watches(self._book.watches, self._now)
        self._book.watches.clear()
        return touched

    async def _settle_groups(self, rules: Mapping[str, AlertRule], touched: set[Place]) -> None:
        waiting = await self._store.list_waiting(touched)
        states = await self._store.list_groups(touched)
        routes = await self._routes.list_all()
        enabled = {route.route_id for route in routes if route.is_enabled}
        places = {watch.moment_id: watch.timestamp for group in waiting.values() for watch in group}
        await self._scene.load(places)
        for place in sorted(touched):
            rule = rules[place[0]]
            settled = settle_group(
                rule,
                states.get(place, GroupState()),
                waiting[place],
                self._scene.subjects,
                routes=enabled,
                now=self._now,
            )
            self._note(rule, place, settled)
        await self._store.write_watches(self._book.watches, self._now)
        await self._store.write_groups(self._book.groups, self._now)
        await self._store.write_deliveries(self._book.deliveries, self._now)

    def _note(self, rule: AlertRule, place: Place, settled: Settled) -> None:
        self._book.groups[place] = settled.state
        self._book.watches |= {
            (rule.rule_id, moment_id): watch for moment_id, watch in settled.watches.items()
        }
        for route_id, items in settled.told.items():
            moments = {item.moment_id: self._show(item.moment_id) for item in items}
            content = make_content(
                rule, place[1], items, moments, public_url=self._public_url, now=self._now
            )
            self._book.deliveries.append(
                NewDelivery(
                    delivery_id=make_delivery_id(rule.rule_id, route_id, place[1], items),
                    rule_id=rule.rule_id,
                    route_id=route_id,
                    group_key=place[1],
                    severity=rule.severity,
                    content=content,
                    moment_ids=list(moments),
                )
            )

    def _show(self, moment_id: str) -> dict[str, Any]:
        return show_moment(self._scene.rows[moment_id], self._now)
