"""Alert previews: how often a rule would have told something of moments that are stored.

    moments ─ matches, lasted, not inhibited ─► groups ─ wait, cool-down, hours ─► tellings

Pure, and an estimate: what people did with moments at the time is left aside, and a moment is
looked at as it is stored, with the score that it reached. Ends are not counted.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.alert_groups import TOLD_MAX, find_due
from core.alert_watches import Phase, Watch
from core.alerts import INHIBITED, INHIBITIONS, AlertRule, Subject, is_inhibited


@dataclass(frozen=True, slots=True)
class Telling:
    """What would have been told at once."""

    at: datetime
    moment_ids: tuple[str, ...]


def choose_subjects(rule: AlertRule, subjects: Sequence[Subject], now: datetime) -> list[Subject]:
    """Return the moments that a rule would have had to tell of."""
    causes: dict[str, list[Subject]] = defaultdict(list)
    for subject in subjects:
        if subject.moment_type in INHIBITIONS:
            causes[subject.stream_id].append(subject)
    return [
        subject
        for subject in subjects
        if rule.matches(subject)
        and _lasts(rule, subject, now)
        and _is_heard(rule, subject)
        and not (
            subject.moment_type in INHIBITED
            and is_inhibited(subject, causes[subject.stream_id], now)
        )
    ]


def preview_tellings(rule: AlertRule, subjects: Iterable[Subject], now: datetime) -> list[Telling]:
    """Return what a rule would have told until now of moments that it is about, oldest first."""
    groups: dict[str, list[Watch]] = defaultdict(list)
    for subject in subjects:
        watch = _watch(rule, subject)
        groups[watch.group_key].append(watch)
    tellings = [telling for group in groups.values() for telling in _tell_group(rule, group, now)]
    return sorted(tellings, key=lambda telling: telling.at)


def _tell_group(rule: AlertRule, group: list[Watch], now: datetime) -> Iterable[Telling]:
    waiting = sorted(group, key=lambda watch: (watch.ready_at, watch.moment_id))
    told_at: datetime | None = None
    while waiting:
        due = find_due(rule, told_at, waiting[:1])
        if due is None or due > now:
            return
        ready = [watch for watch in waiting[:TOLD_MAX] if watch.ready_at <= due]
        yield Telling(due, tuple(watch.moment_id for watch in ready))
        waiting = waiting[len(ready) :]
        told_at = due


def _watch(rule: AlertRule, subject: Subject) -> Watch:
    return Watch(
        moment_id=subject.moment_id,
        timestamp=subject.timestamp,
        group_key=rule.name_group(subject),
        phase=Phase.HELD,
        ready_at=subject.started_at + rule.duration_min,
    )


def _lasts(rule: AlertRule, subject: Subject, now: datetime) -> bool:
    return (subject.ended_at or now) - subject.started_at >= rule.duration_min


def _is_heard(rule: AlertRule, subject: Subject) -> bool:
    """Whether the rule speaks at any time at which the moment could be told."""
    if rule.schedule is None or subject.ended_at is None:
        return True
    return rule.schedule.find_next(subject.started_at + rule.duration_min) <= subject.ended_at
