"""Retention: how long what is stored is kept."""

from dataclasses import dataclass
from datetime import timedelta

from core.settings import Settings


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """Decides what is old enough to go; None keeps it for ever."""

    raw: timedelta | None = timedelta(days=30)
    """Raw points, and the lists of late events and dead letters."""

    minutes: timedelta | None = timedelta(days=400)
    """A year and a month, so that a month can be compared with the same one of last year."""

    hours: timedelta | None = None
    """Hours and days: some 9 000 rows a stream and year."""


def make_retention_policy(settings: Settings) -> RetentionPolicy:
    """Return the policy that the settings ask for."""
    return RetentionPolicy(
        raw=_days(settings.retention_raw_days),
        minutes=_days(settings.retention_minutes_days),
        hours=_days(settings.retention_hours_days),
    )


def _days(days: int) -> timedelta | None:
    return timedelta(days=days) if days else None
