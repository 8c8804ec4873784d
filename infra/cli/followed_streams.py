"""Followed streams: what ``telemetra tail`` knows of one, from what it read and what it is told.

rows over HTTP, live messages -> FollowedStream -> a picture, or lines
"""

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

MINUTES_MAX: Final = 60
"""An hour: as wide as a terminal has room for."""

MOMENTS_MAX: Final = 5
CHATS_MAX: Final = 50
CHANNELS_MAX: Final = 12
"""Channels that are shown, the first ones heard of; a bench may have thousands."""

VALUES_MAX: Final = MINUTES_MAX
MINUTE: Final = timedelta(minutes=1)

Row = Mapping[str, Any]


class FollowedStream:
    """The last hour of one stream."""

    def __init__(self, stream_id: str) -> None:
        self.stream_id = stream_id
        self.title: str | None = None
        self.state = "silent"
        self.dropped = 0
        self.moments: dict[str, Row] = {}
        self.chats: deque[Row] = deque(maxlen=CHATS_MAX)
        self.channels: dict[str, deque[Row]] = {}
        self._minutes: dict[str, Row] = {}

    @property
    def newest(self) -> Row | None:
        """The newest minute that is known."""
        return self._minutes[max(self._minutes)] if self._minutes else None

    def learn(self, stream: Row, minutes: Iterable[Row], moments: Iterable[Row]) -> None:
        """Take what the API told over HTTP."""
        self.title = stream["title"]
        self.state = "live" if stream["is_live"] else "silent"
        for row in minutes:
            self._add_minute(row)
        for moment in moments:
            self._add_moment(moment)

    def hear(self, message: Row) -> None:
        """Take a live message; what is not for the picture changes nothing."""
        kind, told = message["type"], message.get("data", {})
        if kind in {"metrics", "minute"}:
            self._add_minute(told)
            self.state = "live" if self.state == "silent" and kind == "metrics" else self.state
        elif kind == "moment":
            self._add_moment(told)
        elif kind == "chat":
            self.chats.extend(told["messages"])
        elif kind == "reading":
            self._add_reading(told)
        elif kind == "stream":
            self.state = told["state"]
        elif kind == "dropped":
            self.dropped += message["count"] - message["replaced"]

    def list_values(self, column: str) -> list[float | None]:
        """Return a number of each of the last minutes, None where there was none."""
        if self.newest is None:
            return []
        last = datetime.fromisoformat(self.newest["window_start"])
        starts = [last - back * MINUTE for back in range(MINUTES_MAX - 1, -1, -1)]
        by_start = {datetime.fromisoformat(key): row for key, row in self._minutes.items()}
        return [by_start[start][column] if start in by_start else None for start in starts]

    def _add_minute(self, row: Row) -> None:
        self._minutes[row["window_start"]] = row
        for start in sorted(self._minutes)[:-MINUTES_MAX]:
            del self._minutes[start]

    def _add_moment(self, moment: Row) -> None:
        self.moments[moment["moment_id"]] = moment
        newest = sorted(self.moments.values(), key=lambda one: one["started_at"], reverse=True)
        self.moments = {one["moment_id"]: one for one in newest[:MOMENTS_MAX]}

    def _add_reading(self, told: Row) -> None:
        name = told["channel"]
        if name not in self.channels and len(self.channels) >= CHANNELS_MAX:
            return
        self.channels.setdefault(name, deque(maxlen=VALUES_MAX)).append(told)
