"""Smoothness: whether a page keeps up with sixty frames a second.

Frames that come late here are counted by the page's own animation frames, on a machine that is
shared with all servers and draws in software. What the page itself is to blame for are tasks of its
thread that take more processor time than a frame has.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from playwright.async_api import Page

from loadtest.bench.chromiums import Tab

FRAME_MS: Final = 1000 / 60

COUNT_FRAMES: Final = """
    window.frames_ = []; window.counting = true;
    const next = (at) => {
        window.frames_.push(at);
        if (window.counting) requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
"""
TAKE_FRAMES: Final = "() => { window.counting = false; return window.frames_; }"


@dataclass(frozen=True, slots=True)
class Frames:
    """How evenly frames came."""

    seconds: float
    frames: int
    dropped: int
    """That a screen of 60 a second would have shown twice."""

    longest_ms: float

    @property
    def rate(self) -> float:
        """Frames a second."""
        return self.frames / self.seconds

    @classmethod
    def of(cls, times: Sequence[float]) -> "Frames":
        """Count the frames between times in milliseconds."""
        gaps = [later - earlier for earlier, later in pairwise(times)]
        dropped = sum(max(0, round(gap / FRAME_MS) - 1) for gap in gaps)
        return cls((times[-1] - times[0]) / 1000, len(gaps), dropped, max(gaps))


@dataclass(frozen=True, slots=True)
class Tasks:
    """What the page's thread did at a stretch, in processor time.

    No load of the machine and no raster is in it.
    """

    tasks: int
    over: int
    """That took longer than a frame, and would drop one on any machine like this."""

    longest_ms: float

    @classmethod
    def of(cls, tasks_ms: Sequence[float]) -> "Tasks":
        """Count tasks."""
        return cls(
            len(tasks_ms), sum(took > FRAME_MS for took in tasks_ms), max(tasks_ms, default=0)
        )


@dataclass(frozen=True, slots=True)
class Smoothness:
    """Frames as they came here, and what of it was the page's doing."""

    frames: Frames
    tasks: Tasks


async def watch_frames(tab: Tab, seconds: float, *, wheel: int = 0) -> Smoothness:
    """Count frames and tasks for so long, turning the wheel by so many pixels all the time."""
    async with tab.trace() as tasks:
        frames = await _count_frames(tab.page, seconds, wheel)
    return Smoothness(frames, Tasks.of(tasks))


async def _count_frames(page: Page, seconds: float, wheel: int) -> Frames:
    await page.mouse.move(500, 500)
    await page.evaluate(COUNT_FRAMES)
    ends = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < ends:
        if wheel:
            await page.mouse.wheel(0, wheel)
        await asyncio.sleep(0.03 if wheel else 0.5)
    return Frames.of(await page.evaluate(TAKE_FRAMES))


def write_smoothness(when: str, found: Smoothness) -> list[list[str]]:
    """Return rows of a table."""
    frames, tasks = found.frames, found.tasks
    return [
        [f"tasks longer than a frame, {when}", f"{tasks.over} of {tasks.tasks:,}", "none"],
        [f"longest task, {when}", f"{tasks.longest_ms:.1f} ms", "under 16.7 ms"],
        [f"frames a second here, {when}", f"{frames.rate:.1f}", "60"],
        [f"dropped frames here, {when}", f"{frames.dropped} of {frames.frames}", ""],
        [f"longest frame here, {when}", f"{frames.longest_ms:.0f} ms", ""],
    ]
