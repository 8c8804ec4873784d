"""Previews of rules: how often one would have told something in the last seven days.

moments of a week, the newest of them ─► core.alert_previews ─► counts by day, and at other scores
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from core.alert_previews import choose_subjects, preview_tellings
from core.alerts import AlertRule, Subject
from db.alerts import read_subject

DAYS: Final = 7

MOMENTS_MAX: Final = 3000
"""The newest so many are looked at: some tenths of a second of computing."""

SCORES: Final = (1.0, 1.5, 2.5, 4.0)
"""Where moments begin to be low, medium, high and critical."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Past:
    """Stored moments as rules look at them, and what people said of them."""

    subjects: Sequence[Subject]
    labels: Mapping[str, bool | None]
    is_complete: bool


def read_past(rows: Sequence[Row], now: datetime) -> Past:
    """Return stored moments as if nobody had looked at them yet; one row too many says more."""
    kept = rows[:MOMENTS_MAX]
    return Past(
        subjects=[replace(read_subject(row, None, now), state="open") for row in kept],
        labels={row["moment_id"]: row["label"] for row in kept},
        is_complete=len(rows) <= MOMENTS_MAX,
    )


def preview_rule(rule: AlertRule, past: Past, now: datetime) -> dict[str, Any]:
    """Return how often a rule would have told something, by day and at other least scores."""
    chosen = choose_subjects(rule, past.subjects, now)
    tellings = preview_tellings(rule, chosen, now)
    labels = Counter(past.labels[subject.moment_id] for subject in chosen)
    told = Counter(telling.at.date() for telling in tellings)
    seen = Counter(subject.started_at.date() for subject in past.subjects)
    matched = Counter(subject.started_at.date() for subject in chosen)
    days = [now.date() - timedelta(days=ago) for ago in reversed(range(DAYS))]
    return {
        "moments": len(past.subjects),
        "matched": len(chosen),
        "told": len(tellings),
        "told_24h": sum(telling.at > now - timedelta(hours=24) for telling in tellings),
        "labelled_true": labels[True],
        "labelled_false": labels[False],
        "is_complete": past.is_complete,
        "days": [
            {"day": day, "moments": seen[day], "matched": matched[day], "told": told[day]}
            for day in days
        ],
        "at_scores": [_preview_at(rule, score, past, now) for score in SCORES],
    }


def _preview_at(rule: AlertRule, score: float, past: Past, now: datetime) -> dict[str, Any]:
    other = replace(rule, score_min=score)
    chosen = choose_subjects(other, past.subjects, now)
    return {
        "min_score": score,
        "told": len(preview_tellings(other, chosen, now)),
        "labelled_false": sum(past.labels[each.moment_id] is False for each in chosen),
    }


def find_start(now: datetime) -> datetime:
    """Return the midnight at which the first of the days begins."""
    first = now - timedelta(days=DAYS - 1)
    return first.replace(hour=0, minute=0, second=0, microsecond=0)
