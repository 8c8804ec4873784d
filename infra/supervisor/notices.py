"""Notices: which lines of a child's output people should see on the console.

Warnings and worse from our own JSON logs, ``FATAL`` and ``PANIC`` from the servers. The rest is in
the log file.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import orjson

LOUD_LEVELS: Final = frozenset({"warning", "error", "critical"})
LOUD_WORDS: Final = (b"FATAL:", b"PANIC:")
NOTICE_CHARS_MAX: Final = 300
NOTICES_MAX: Final = 5
NOTICE_WINDOW: Final = timedelta(seconds=10)
"""At most so many notices of one process in so long; a flood tells people nothing more."""


def find_notice(line: bytes) -> str | None:
    """Return what to show of a line, if anything."""
    if line.startswith(b"{"):
        return _find_in_json(line)
    if any(word in line for word in LOUD_WORDS):
        return line.decode(errors="replace").strip()[:NOTICE_CHARS_MAX]
    return None


def _find_in_json(line: bytes) -> str | None:
    try:
        entry = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if entry.get("level") not in LOUD_LEVELS:
        return None
    hidden = ("level", "event", "timestamp", "process", "exception")
    facts = " ".join(f"{key}={value}" for key, value in entry.items() if key not in hidden)
    return f"{entry['level']}: {entry.get('event', '')} {facts}".strip()[:NOTICE_CHARS_MAX]


class NoticeGate:
    """Shows a process's notices, a bounded number in each window."""

    def __init__(self, name: str, show: Callable[[str], None], now: Callable[[], float]) -> None:
        self._name = name
        self._show = show
        self._now = now
        self._window_start = now()
        self._shown = 0

    def take_line(self, line: bytes) -> None:
        """Show a line of output if it is worth it."""
        if (notice := find_notice(line)) is None:
            return
        if self._now() - self._window_start > NOTICE_WINDOW.total_seconds():
            self._window_start = self._now()
            self._shown = 0
        self._shown += 1
        if self._shown <= NOTICES_MAX:
            self._show(f"{self._name}: {notice}")
        elif self._shown == NOTICES_MAX + 1:
            self._show(f"{self._name}: more of these are in its log")
