"""Displays: how far a command is, as a bar on a terminal or a line now and then in a log."""

import time
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from streaming.connectors.files.tallies import Tally

LINE_EVERY_S: Final = 5.0
"""Where nobody watches: often enough to see that it goes on."""

RATE_OVER_S: Final = 3.0
"""The rate that is shown is that of about so many seconds."""


class Display:
    """Shows how far a command is; quiet, it shows nothing."""

    def __init__(self, console: Console, *, total_bytes: int | None, is_quiet: bool) -> None:
        self._console = console
        self._total = total_bytes
        self._is_quiet = is_quiet
        self._is_plain = not console.is_terminal and not is_quiet
        self._began_s = self._told_s = self._rated_s = time.monotonic()
        self._began_bytes: int | None = None
        self._rated = 0
        self._rate = 0.0
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[facts]}"),
            TimeRemainingColumn(),
            console=console,
            disable=is_quiet or self._is_plain,
        )
        self._task: TaskID = self._bar.add_task("ingest", total=total_bytes, facts="")

    def __enter__(self) -> "Display":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def begin(self, name: str) -> None:
        """Say which file is read now."""
        self._bar.update(self._task, description=name)

    def tell(self, text: str) -> None:
        """Say something on a line of its own."""
        if not self._is_quiet:
            self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def show(self, read_bytes: int, tally: Tally) -> None:
        """Show how many bytes of all files are read, and what became of their rows."""
        now_s = time.monotonic()
        if self._began_bytes is None:
            # What was sent before says nothing of how long the rest takes.
            self._began_bytes = read_bytes
        self._measure(tally, now_s)
        facts = f"{tally.accepted:,} accepted, {tally.rejected_total:,} rejected"
        facts += f", {self._rate:,.0f}/s"
        self._bar.update(self._task, completed=read_bytes, facts=facts)
        if self._is_plain and now_s - self._told_s >= LINE_EVERY_S:
            self._told_s = now_s
            self.tell(f"ingest: {self._tell_share(read_bytes, now_s)}{facts}")

    def _measure(self, tally: Tally, now_s: float) -> None:
        span_s = now_s - self._rated_s
        if span_s >= RATE_OVER_S or not self._rated:
            self._rate = (tally.accepted - self._rated) / max(span_s, 1e-9)
        if span_s >= RATE_OVER_S:
            self._rated, self._rated_s = tally.accepted, now_s

    def _tell_share(self, read_bytes: int, now_s: float) -> str:
        done = read_bytes - (self._began_bytes or 0)
        if not self._total or not done:
            return ""
        left_s = (now_s - self._began_s) * (self._total - read_bytes) / done
        return f"{read_bytes / self._total:.0%}, {left_s:.0f} s left, "
