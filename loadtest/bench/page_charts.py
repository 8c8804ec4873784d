"""Page: what twenty live charts on one page cost the browser.

    telemetra up --detach
    python -m loadtest.bench.page_charts

    events of channels, four times a second ─► API ─► socket ─► page of a stream, charts in view
                                                                 └─► Chromium counts what it did

The page shows a stream with as many channels as it draws, beside its chat, viewers, sentiment and
transactions, on a screen tall enough for all of them. Frames are those that the browser offered.
"""

import argparse
import asyncio
import math
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import httpx
from playwright.async_api import CDPSession, Page

from core.clock import SystemClock
from loadtest.bench.chromiums import open_browser
from loadtest.bench.folders import RESULTS
from loadtest.bench.reports import Measurement, save_measurement
from loadtest.bench.tables import write_table

URL: Final = "http://127.0.0.1:8000"
STREAM: Final = "charts"
CHANNELS: Final = 16
OWN: Final = 4
"""Chat, viewers, sentiment, transactions."""

PAST_MINUTES: Final = 120
BEAT_S: Final = 0.25
WIDTH: Final = 1400
HEIGHT: Final = 2400
"""So tall that all charts are in view: what is not is not drawn."""

WARM_S: Final = 8
FRAME_MS_MAX: Final = 25
"""A frame later than this was not the next one at 60 a second."""

COUNT_FRAMES: Final = """
() => {
  const seen = (window.seenFrames = { at: [], stop: false });
  const next = (at) => { seen.at.push(at); if (!seen.stop) requestAnimationFrame(next); };
  requestAnimationFrame(next);
}
"""


@dataclass(frozen=True, slots=True)
class Charted:
    """What the browser did while charts were live."""

    charts: int
    seconds: float
    script_percent: float
    """Of one core, in JavaScript."""

    task_percent: float
    """Of one core, in all of the page's main thread."""

    frames: int
    frames_late: int
    frame_ms_p99: float
    heap_mb: float


async def measure(url: str, seconds: float, range_key: str) -> Charted:
    """Open the page, let it warm up, and count."""
    async with open_browser() as browser:
        page = await browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        await page.goto(f"{url}/app/streams/{STREAM}?range={range_key}")
        await page.wait_for_selector('[role="slider"] canvas')
        await asyncio.sleep(WARM_S)
        return await _count(page, seconds)


async def _count(page: Page, seconds: float) -> Charted:
    session = await page.context.new_cdp_session(page)
    # Its own time, not that of whatever else runs on the machine.
    await session.send("Performance.enable", {"timeDomain": "threadTicks"})
    charts = await page.locator('[role="slider"] canvas').count()
    await page.evaluate(COUNT_FRAMES)
    before, began = await _read(session), time.monotonic()
    await asyncio.sleep(seconds)
    after, took = await _read(session), time.monotonic() - began
    at = await page.evaluate("() => { seenFrames.stop = true; return seenFrames.at }")
    gaps = sorted(later - earlier for earlier, later in pairwise(at))
    return Charted(
        charts=charts,
        seconds=took,
        script_percent=100 * (after["ScriptDuration"] - before["ScriptDuration"]) / took,
        task_percent=100 * (after["TaskDuration"] - before["TaskDuration"]) / took,
        frames=len(gaps),
        frames_late=sum(gap > FRAME_MS_MAX for gap in gaps),
        frame_ms_p99=gaps[int(0.99 * (len(gaps) - 1))] if gaps else math.nan,
        heap_mb=after["JSHeapUsedSize"] / 1e6,
    )


async def _read(session: CDPSession) -> dict[str, float]:
    answer = await session.send("Performance.getMetrics")
    return {each["name"]: each["value"] for each in answer["metrics"]}


@asynccontextmanager
async def sending(url: str, channels: int) -> AsyncIterator[None]:
    """Send the past at once, and then what happens four times a second."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        now = SystemClock().now()
        minutes = [now - timedelta(minutes=k) for k in range(PAST_MINUTES, 0, -1)]
        await _send(client, [each for at in minutes for each in list_events(at, channels)])
        task = asyncio.create_task(_send_on(client, channels))
        try:
            yield
        finally:
            task.cancel()


async def _send_on(client: httpx.AsyncClient, channels: int) -> None:
    while True:
        await _send(client, list_events(SystemClock().now(), channels))
        await asyncio.sleep(BEAT_S)


async def _send(client: httpx.AsyncClient, events: list[dict[str, Any]]) -> None:
    answer = await client.post("/api/v1/ingest", json=events)
    answer.raise_for_status()


def list_events(at: datetime, channels: int) -> list[dict[str, Any]]:
    """Return a message, the viewers, a gift and a reading of each channel."""
    beat = at.timestamp() / 60
    base = {"stream_id": STREAM, "timestamp": at.isoformat()}
    readings = [
        base
        | {"type": "reading", "channel": f"channel_{k:02}", "value": 20 + k + math.sin(beat + k)}
        for k in range(channels)
    ]
    return [
        base | {"type": "chat", "user": "user1", "text": "hello Kappa"},
        base | {"type": "viewers", "value": 1000 + round(50 * math.sin(beat / 9))},
        base | {"type": "transaction", "kind": "bits", "amount": 1, "currency": "USD"},
        *readings,
    ]


def write_charted(found: Charted) -> str:
    """Return the table of what was found."""
    rows = [
        ["live charts in view", f"{found.charts}"],
        ["JavaScript, of one core", f"{found.script_percent:.1f} %"],
        ["main thread, of one core", f"{found.task_percent:.1f} %"],
        ["frames", f"{found.frames} in {found.seconds:.0f} s"],
        [f"frames later than {FRAME_MS_MAX} ms", f"{found.frames_late}"],
        ["between frames, p99", f"{found.frame_ms_p99:.1f} ms"],
        ["heap", f"{found.heap_mb:.1f} MB"],
    ]
    return write_table(["", "found"], rows)


async def run(url: str, options: argparse.Namespace) -> Charted:
    """Send to an installation and look at it."""
    async with sending(url, options.charts - OWN):
        return await measure(url, options.seconds, options.range)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.bench.page_charts")
    parser.add_argument("--charts", type=int, default=OWN + CHANNELS, help="at most 20")
    parser.add_argument("--seconds", type=float, default=20, help="to count for")
    parser.add_argument("--range", default="2h", help="of the charts")
    parser.add_argument("--url", default=URL, help="of an installation that runs")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where results go")
    return parser.parse_args()


def main() -> None:
    """Measure, save and print."""
    options = read_options()
    found = asyncio.run(run(options.url, options))
    measurement = Measurement(
        name="page_charts",
        title="Charts on a page",
        text=f"One page of a stream in Chromium, {options.range} of minutes, its charts changing"
        f" {1 / BEAT_S:.0f} times a second.",
        table=write_charted(found),
        found=found,
    )
    sys.stdout.write(save_measurement(measurement, options.results))


if __name__ == "__main__":
    main()
