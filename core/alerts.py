"""Alerts: which moments a rule is about, and which of them nobody needs to be told of.

    rule: streams, types, score, duration, hours        moment as it is now, with its stream
                    └──────────────── matches ────────────────┘

Pure, and about one rule and one moment. ``core.alert_watches`` follows a moment through its life,
``core.alert_groups`` says when a group of them is told.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, Final

import orjson

from core.moments import MomentState
from core.weekly_hours import WeeklyHours, read_hours

RULES_MAX: Final = 200
"""Each change of a moment is held against all rules: some ten thousand comparisons a round."""

HISTORY_AFTER: Final = timedelta(hours=24)
"""A moment that began so long before it was written is history, sent in afterwards: it wakes nobody
although it goes on."""

PAST_AFTER: Final = timedelta(hours=1)
"""The same for one that is over."""

INHIBITIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "silence": ("chat_drop", "viewer_drop", "flatline"),
}
"""A moment of the first type keeps those of the others, of the same stream, from being told: a
stream that says nothing has, of course, no chat and no viewers, and its curves do not move."""

INHIBITED: Final = frozenset(name for names in INHIBITIONS.values() for name in names)


class Severity(StrEnum):
    """How much what a rule tells matters."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Dimension(StrEnum):
    """What moments of a group have in common."""

    STREAM = "stream"
    TYPE = "type"
    SEVERITY = "severity"


@dataclass(frozen=True, slots=True)
class Subject:
    """What rules look at: a moment as it is now, and its stream."""

    moment_id: str
    timestamp: datetime
    stream_id: str
    moment_type: str
    score: float
    started_at: datetime
    ended_at: datetime | None = None
    state: MomentState = "open"
    """As ``core.moment_lives`` finds it now."""

    stream_kind: str = "stream"
    stream_tags: tuple[str, ...] = ()
    is_withdrawn: bool = False
    """The flow says that it was none."""

    is_inhibited: bool = False
    noted_at: datetime | None = None
    """When it was last written; None: now."""

    @property
    def is_over(self) -> bool:
        """Whether it ended, or somebody said that it needs nobody any more."""
        return self.ended_at is not None or self.state == "resolved"

    @property
    def is_quiet(self) -> bool:
        """Whether nobody is to be told of it who was not told yet."""
        return self.state != "open" or self.is_withdrawn or self.is_inhibited


@dataclass(frozen=True, slots=True)
class AlertRule:
    """Who is told of what, and when."""

    rule_id: str
    name: str
    created_at: datetime
    is_enabled: bool = True
    stream: str = "*"
    kind: str = "*"
    tags: tuple[str, ...] = ()
    """Patterns; each has to be met by a tag of the stream."""

    moment_types: frozenset[str] = frozenset()
    """Empty: all."""

    score_min: float = 0.0
    duration_min: timedelta = timedelta()
    """How long a moment must have gone on before it is told."""

    schedule: WeeklyHours | None = None
    """When the rule speaks; None: always."""

    severity: Severity = Severity.WARNING
    group_by: frozenset[Dimension] = frozenset()
    group_wait: timedelta = timedelta()
    cool_down: timedelta = timedelta()
    routes: tuple[str, ...] = ()
    tells_ends: bool = True

    def matches(self, subject: Subject) -> bool:
        """Whether a moment is one of those that the rule is about."""
        return (
            (not self.moment_types or subject.moment_type in self.moment_types)
            and subject.score >= self.score_min
            and fnmatchcase(subject.stream_id, self.stream)
            and fnmatchcase(subject.stream_kind, self.kind)
            and all(
                any(fnmatchcase(tag, pattern) for tag in subject.stream_tags)
                for pattern in self.tags
            )
        )

    def speaks(self, at: datetime) -> bool:
        """Whether the rule tells anything at a time."""
        return self.schedule is None or self.schedule.holds(at)

    def name_group(self, subject: Subject) -> str:
        """Return the group of a moment, as JSON of what its moments have in common."""
        known = {
            Dimension.STREAM: subject.stream_id,
            Dimension.TYPE: subject.moment_type,
            Dimension.SEVERITY: str(self.severity),
        }
        chosen = {str(name): known[name] for name in Dimension if name in self.group_by}
        return orjson.dumps(chosen).decode()


def read_rule(row: Mapping[str, Any]) -> AlertRule:
    """Return a rule as it is stored."""
    return AlertRule(
        rule_id=row["rule_id"],
        name=row["name"],
        created_at=row["created_at"],
        is_enabled=row["enabled"],
        stream=row["stream"],
        kind=row["kind"],
        tags=tuple(row["tags"]),
        moment_types=frozenset(row["types"]),
        score_min=row["min_score"],
        duration_min=timedelta(seconds=row["min_duration_s"]),
        schedule=read_hours(row["schedule"]),
        severity=Severity(row["severity"]),
        group_by=frozenset(map(Dimension, row["group_by"])),
        group_wait=timedelta(seconds=row["group_wait_s"]),
        cool_down=timedelta(seconds=row["cool_down_s"]),
        routes=tuple(row["routes"]),
        tells_ends=row["tell_ends"],
    )


def is_news(rule: AlertRule, subject: Subject, now: datetime) -> bool:
    """Whether a moment that a rule has not looked at before is new, and not from long ago."""
    noted_at = subject.noted_at or now
    if subject.ended_at is None:
        return noted_at - subject.started_at <= HISTORY_AFTER
    return noted_at - subject.ended_at <= PAST_AFTER and subject.ended_at >= rule.created_at


def is_inhibited(subject: Subject, others: Iterable[Subject], now: datetime) -> bool:
    """Whether another moment of the same stream says it all.

    Of a moment that goes on, one that goes on as well; of one that is over, one of the same time.
    """
    return any(
        subject.moment_type in INHIBITIONS.get(other.moment_type, ())
        and other.stream_id == subject.stream_id
        and not other.is_withdrawn
        and _overlap(subject, other, now)
        for other in others
    )


def _overlap(subject: Subject, other: Subject, now: datetime) -> bool:
    if subject.ended_at is None:
        return other.ended_at is None
    return other.started_at <= subject.ended_at and (other.ended_at or now) >= subject.started_at
