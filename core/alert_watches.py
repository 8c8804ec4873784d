"""Watches: one moment as one rule follows it, from when it may be told to when its end was.

    nothing ─ matches ─► held ─ told of ─► told ─ over ─► over ─ its end told ─► closed
       │                  │ ╲─ muted, too short ─► nothing     ╲─ ends are not told ─► closed
       ╰─ is over already ┴─ over before it was told ─► passed ─ told of ─► closed

Pure. A watch that is closed is kept for a while, so that a moment that the flow writes once more is
not told again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.alerts import AlertRule, Subject, is_news


class Phase(StrEnum):
    """How far a moment has been told."""

    HELD = "held"
    """It goes on, and nobody was told yet."""

    PASSED = "passed"
    """It came and went before anybody was told."""

    TOLD = "told"
    """It was told, and goes on."""

    OVER = "over"
    """It was told, and its end was not yet."""

    CLOSED = "closed"
    """There is nothing more to tell."""


WAITING = frozenset({Phase.HELD, Phase.PASSED, Phase.OVER})
"""Phases in which something is to be told."""


@dataclass(frozen=True, slots=True)
class Watch:
    """How a rule follows a moment."""

    moment_id: str
    timestamp: datetime
    group_key: str
    phase: Phase
    ready_at: datetime
    """When what waits may be told at the earliest."""

    routes: tuple[str, ...] = ()
    """Over which its beginning was told: over these its end is."""


def read_watch(row: Mapping[str, Any]) -> Watch:
    """Return a watch as it is stored."""
    return Watch(
        moment_id=row["moment_id"],
        timestamp=row["timestamp"],
        group_key=row["group_key"],
        phase=Phase(row["phase"]),
        ready_at=row["ready_at"],
        routes=tuple(row["routes"]),
    )


def follow(watch: Watch | None, rule: AlertRule, subject: Subject, now: datetime) -> Watch | None:
    """Return the watch of a moment as it is now; None where there is nothing to follow."""
    if watch is None:
        return _begin(rule, subject, now)
    if watch.phase is Phase.HELD:
        return _hold(watch, rule, subject, now)
    if watch.phase is Phase.PASSED:
        return None if subject.is_quiet or not rule.is_enabled else watch
    if watch.phase is Phase.TOLD and subject.is_over:
        phase = Phase.OVER if rule.tells_ends else Phase.CLOSED
        return replace(watch, phase=phase, ready_at=now)
    return watch


def _begin(rule: AlertRule, subject: Subject, now: datetime) -> Watch | None:
    if not _concerns(rule, subject) or not is_news(rule, subject, now):
        return None
    watch = Watch(
        moment_id=subject.moment_id,
        timestamp=subject.timestamp,
        group_key=rule.name_group(subject),
        phase=Phase.HELD,
        ready_at=max(subject.started_at + rule.duration_min, now),
    )
    return _hold(watch, rule, subject, now)


def _hold(watch: Watch, rule: AlertRule, subject: Subject, now: datetime) -> Watch | None:
    """Return a watch of what nobody was told of yet."""
    if not _concerns(rule, subject):
        return None
    if subject.ended_at is None:
        return watch
    if subject.ended_at - subject.started_at < rule.duration_min or not rule.speaks(now):
        return None
    return replace(watch, phase=Phase.PASSED, ready_at=min(watch.ready_at, now))


def _concerns(rule: AlertRule, subject: Subject) -> bool:
    return rule.is_enabled and not subject.is_quiet and rule.matches(subject)
