"""Weekly hours: some days of the week, from one time of day to another, in a time zone.

    mon-fri 08:00-18:00 Europe/Berlin      fri,sat 22:00-06:00: until the next morning

Pure. The days are those on which the hours begin. ``core.alerts`` uses them for when a rule speaks,
``core.alert_routes`` for when a route is quiet.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class WeeklyHours:
    """Hours that come again every week."""

    days: frozenset[int]
    """On which they begin; Monday is 0. At least one."""

    begins: time
    ends: time
    """No later than it begins: on the next day."""

    zone: ZoneInfo

    def holds(self, at: datetime) -> bool:
        """Whether a time lies within them."""
        local = at.astimezone(self.zone)
        today, yesterday = local.weekday() in self.days, (local.weekday() - 1) % 7 in self.days
        moment = local.time()
        if self.begins < self.ends:
            return today and self.begins <= moment < self.ends
        return (today and moment >= self.begins) or (yesterday and moment < self.ends)

    def find_next(self, at: datetime) -> datetime:
        """Return the first time from here on that lies within them."""
        if self.holds(at):
            return at
        date = at.astimezone(self.zone).date()
        starts = (
            datetime.combine(date + timedelta(days=ahead), self.begins, self.zone).astimezone(UTC)
            for ahead in range(9)
            if (date + timedelta(days=ahead)).weekday() in self.days
        )
        return next(start for start in starts if start > at)


def read_hours(written: Mapping[str, Any] | None) -> WeeklyHours | None:
    """Return hours as they are stored; None where there are none."""
    if written is None:
        return None
    return WeeklyHours(
        days=frozenset(DAYS.index(day) for day in written["days"]),
        begins=time.fromisoformat(written["from"]),
        ends=time.fromisoformat(written["to"]),
        zone=ZoneInfo(written["zone"]),
    )
