"""Groups: what a rule has to tell of moments that belong together, and when it tells it.

    first that waits + group wait ┐
    last telling + cool-down      ├─ the latest of them ─► one telling of all that is ready
    hours of the rule             ┘

Pure. One telling becomes one delivery for each route that it concerns. Deciding again what was
decided before changes nothing, and the ids of its deliveries are the same.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from core.alert_watches import WAITING, Phase, Watch, follow
from core.alerts import AlertRule, Subject

TOLD_MAX: Final = 100
"""Moments in one telling: a few hundred kilobytes. What is left is told after the cool-down."""


class What(StrEnum):
    """What is told of a moment."""

    OPENED = "opened"
    PASSED = "passed"
    """That it was, and is over: it came and went within a wait or a cool-down."""

    ENDED = "ended"
    WITHDRAWN = "withdrawn"
    """That it was none, which is an end as well."""


@dataclass(frozen=True, slots=True)
class Item:
    """One moment of a telling."""

    moment_id: str
    what: What


@dataclass(frozen=True, slots=True)
class GroupState:
    """What is remembered of a group."""

    told_at: datetime | None = None
    due_at: datetime | None = None
    """When it is looked at again; None while nothing waits."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A group after it was looked at."""

    state: GroupState
    watches: Mapping[str, Watch | None] = field(default_factory=dict)
    """Those that changed, by moment; None where there is nothing to follow any more."""

    told: Mapping[str, tuple[Item, ...]] = field(default_factory=dict)
    """What each route is told."""


def find_due(
    rule: AlertRule, told_at: datetime | None, waiting: Iterable[Watch]
) -> datetime | None:
    """Return when a group is told next; None when nothing waits."""
    first = min((watch.ready_at for watch in waiting), default=None)
    if first is None:
        return None
    due = first + rule.group_wait
    if told_at is not None:
        due = max(due, told_at + rule.cool_down)
    return due if rule.schedule is None else rule.schedule.find_next(due)


def settle_group(
    rule: AlertRule,
    state: GroupState,
    watches: Sequence[Watch],
    subjects: Mapping[str, Subject],
    *,
    routes: Collection[str],
    now: datetime,
) -> Settled:
    """Return a group after all that waits in it was looked at.

    Args:
        rule: Of which it is.
        state: What is remembered of it.
        watches: All that wait in it.
        subjects: Their moments as they are now; one that is missing was deleted.
        routes: Those that take anything.
        now: When.
    """
    after = {watch.moment_id: _look(watch, rule, subjects, now) for watch in watches}
    waiting = [watch for watch in after.values() if watch and watch.phase in WAITING]
    told: dict[str, tuple[Item, ...]] = {}
    told_at = state.told_at
    due = find_due(rule, told_at, waiting)
    if due is not None and due <= now:
        open_routes = tuple(route for route in rule.routes if route in routes)
        ready = _choose_ready(waiting, now)
        told = _tell(ready, subjects, open_routes, routes)
        after |= {watch.moment_id: _move_on(watch, open_routes, now) for watch in ready}
        chosen = {watch.moment_id for watch in ready}
        told_at = now
        due = find_due(rule, now, [each for each in waiting if each.moment_id not in chosen])
    known = {watch.moment_id: watch for watch in watches}
    changed = {name: watch for name, watch in after.items() if watch != known[name]}
    return Settled(GroupState(told_at, due), changed, told)


def make_delivery_id(rule_id: str, route_id: str, group_key: str, items: Iterable[Item]) -> str:
    """Return the id of a delivery; deciding the same once more gives the same."""
    named = sorted(f"{item.moment_id} {item.what}" for item in items)
    name = "\x1f".join((rule_id, route_id, group_key, *named))
    return "dlv_" + hashlib.blake2b(name.encode(), digest_size=12).hexdigest()


def _look(
    watch: Watch, rule: AlertRule, subjects: Mapping[str, Subject], now: datetime
) -> Watch | None:
    subject = subjects.get(watch.moment_id)
    return None if subject is None else follow(watch, rule, subject, now)


def _choose_ready(waiting: Iterable[Watch], now: datetime) -> list[Watch]:
    ready = (watch for watch in waiting if watch.ready_at <= now)
    return sorted(ready, key=lambda watch: (watch.ready_at, watch.moment_id))[:TOLD_MAX]


def _tell(
    ready: Sequence[Watch],
    subjects: Mapping[str, Subject],
    open_routes: Sequence[str],
    routes: Collection[str],
) -> dict[str, tuple[Item, ...]]:
    told: dict[str, list[Item]] = {}
    for watch in ready:
        item = Item(watch.moment_id, _name(watch, subjects[watch.moment_id]))
        chosen = watch.routes if watch.phase is Phase.OVER else open_routes
        for route_id in chosen:
            if route_id in routes:
                told.setdefault(route_id, []).append(item)
    return {route_id: tuple(items) for route_id, items in told.items()}


def _name(watch: Watch, subject: Subject) -> What:
    if watch.phase is Phase.HELD:
        return What.OPENED
    if watch.phase is Phase.PASSED:
        return What.PASSED
    return What.WITHDRAWN if subject.is_withdrawn else What.ENDED


def _move_on(watch: Watch, open_routes: tuple[str, ...], now: datetime) -> Watch:
    phase = Phase.TOLD if watch.phase is Phase.HELD else Phase.CLOSED
    routes = watch.routes if watch.phase is Phase.OVER else open_routes
    return replace(watch, phase=phase, routes=routes, ready_at=now)
