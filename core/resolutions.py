"""Resolutions: how much time one row of metrics tells of.

    a range of time -> choose_resolution -> the finest whose rows are still few enough

``db.windows`` reads the rows of each, ``api.metrics`` and ``api.compare`` choose.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from core.times import EPOCH


@dataclass(frozen=True, slots=True)
class Resolution:
    """A width of windows; windows begin at whole multiples of it since the epoch, in UTC."""

    name: str
    width: timedelta
    is_stored: bool = True
    """Whether its rows are in a table; if not they are put together from minutes."""

    @property
    def minutes(self) -> int:
        """Minutes in one window."""
        return self.width // timedelta(minutes=1)

    def round_up(self, at: datetime) -> datetime:
        """Return the first start of a window that does not lie before a time."""
        return at + (EPOCH - at) % self.width

    def count_windows(self, span: timedelta) -> int:
        """Return how many windows can begin within a span."""
        return -(-span // self.width)


MINUTE: Final = Resolution("1m", timedelta(minutes=1))
RESOLUTIONS: Final = (
    MINUTE,
    Resolution("5m", timedelta(minutes=5), is_stored=False),
    Resolution("15m", timedelta(minutes=15), is_stored=False),
    Resolution("1h", timedelta(hours=1)),
    Resolution("1d", timedelta(days=1)),
)
"""From fine to coarse."""

BY_NAME: Final = {resolution.name: resolution for resolution in RESOLUTIONS}

ROWS_MAX: Final = 1000
"""Rows that a chosen resolution may give: about a pixel each on a wide chart."""


MINUTES_MAX: Final = 50_000
"""Minutes that rows of a chosen resolution are put together from, five weeks; beyond, hours do."""


def choose_resolution(span: timedelta, rows_max: int = ROWS_MAX) -> Resolution:
    """Return the finest resolution that gives a span no more rows; the coarsest if none does."""
    is_short = MINUTE.count_windows(span) <= MINUTES_MAX
    fine = (
        each
        for each in RESOLUTIONS
        if each.count_windows(span) <= rows_max and (each.is_stored or is_short)
    )
    return next(fine, RESOLUTIONS[-1])
