"""Page, overview: what a thousand live streams cost a browser.

    python -m loadtest.bench.page_overview [--minutes 60]

    simulator (known seed) ─► door ─► flow ─► api ─► a real Chromium on `/`

Paint is timed from the start of the navigation until a row shows a rate, in a browser that has
never seen the page. Costs are processor time of the page's thread: without a screen raster runs
in software on other threads, which a graphics card would do. Frames that come late here are
told, but the machine is shared with all servers: what the page itself is to blame for are tasks of
its thread that take more processor time than a frame has.
"""

import argparse
import asyncio
import gzip
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import linear_regression, median
from typing import Final

import httpx

from core.clock import SystemClock
from core.settings import REPOSITORY
from loadtest.bench.askable import start_ours
from loadtest.bench.catch_ups import find_start
from loadtest.bench.chromiums import Tab, Usage, open_tab
from loadtest.bench.folders import RESULTS, find_bench_folder
from loadtest.bench.histories import connecting, write_minutes
from loadtest.bench.reports import Measurement, save_measurement
from loadtest.bench.servers import Servers, run_servers
from loadtest.bench.smoothness import Smoothness, watch_frames, write_smoothness
from loadtest.bench.tables import write_table
from streaming.simulator.profiles import list_profiles

DIST: Final = REPOSITORY / "dashboards" / "live" / "dist"
SEED: Final = 7
RATE: Final = "2000/s"
PAST: Final = timedelta(hours=1)
"""Minutes that were there before, so that every line has its hour."""

LOADS: Final = 5
LIVE_S_MAX: Final = 120
SETTLE_S: Final = 10.0
SCROLL_S: Final = 10.0

WATCH_PAINT: Final = """
    const watcher = new MutationObserver(() => {
        if (!document.querySelector('[data-testid=chat-rate][data-value]')) return;
        watcher.disconnect();
        const note = () => { document.documentElement.dataset.painted = performance.now(); };
        requestAnimationFrame(() => setTimeout(note));
    });
    watcher.observe(document, { childList: true, subtree: true, attributes: true });
"""


@dataclass(frozen=True, slots=True)
class Bundle:
    """Bytes of scripts, styles and the page, as gzip packs them."""

    first_kb: float
    all_kb: float


@dataclass(frozen=True, slots=True)
class Paint:
    """How long a first visit took until a row showed a rate."""

    waited_ms: float
    worked_ms: float
    """Processor time of the page's thread: what of it a busy machine does not change."""


@dataclass(frozen=True, slots=True)
class Found:
    """What all looks found."""

    streams: int
    paints: list[Paint]
    bundle: Bundle
    seconds: float
    at_rest: Usage
    still: Smoothness
    scrolling: Smoothness
    rows: int
    """Rows in the document, of all streams."""

    received_kb_s: float
    """What the socket brought a second."""

    heaps_mb: list[float]
    """After each minute, garbage gone."""

    @property
    def settled_mb(self) -> list[float]:
        """The heap once the page has met what it keeps: moments come after some minutes."""
        return self.heaps_mb[len(self.heaps_mb) // 4 :]

    @property
    def slope_mb_h(self) -> float:
        """Megabytes that the settled heap grows by in an hour, by the line through its samples."""
        if len(self.settled_mb) < 2:
            return 0.0
        return linear_regression(range(len(self.settled_mb)), self.settled_mb).slope * 60


@contextmanager
def serve_streams(count: int) -> Iterator[str]:
    """Run everything with so many live streams that have an hour behind them; yield the address."""
    with run_servers(find_bench_folder()) as servers, ExitStack() as stack:
        asyncio.run(_write_past(servers, count))
        flow = stack.enter_context(servers.run("streaming.flow"))
        api = start_ours(servers, stack, "api", None)
        api.wait_until_good("/readyz")
        find_start([flow])
        told = ("--url", api.url, "--streams", str(count), "--seed", str(SEED), "--rate", RATE)
        stack.enter_context(servers.run("streaming.simulator", *told))
        asyncio.run(_wait_until_live(api.url, count))
        yield api.url


async def _write_past(servers: Servers, count: int) -> None:
    start = SystemClock().now().replace(second=0, microsecond=0) - PAST
    async with connecting(servers.database_url) as connection:
        for profile in list_profiles(count):
            await connection.execute(
                "INSERT INTO streams (stream_id, last_event_at) VALUES ($1, $2)",
                profile.stream_id,
                start,
            )
            await write_minutes(connection, profile.stream_id, start, 60)


async def _wait_until_live(url: str, count: int) -> None:
    async with httpx.AsyncClient(base_url=url) as client, asyncio.timeout(LIVE_S_MAX):
        live = 0
        # Quiet streams speak once in a while; most are enough to look.
        while live < count * 0.9:
            await asyncio.sleep(1)
            live = sum((await client.get("/api/v1/overview")).json()["data"]["is_live"])


async def measure_page(url: str, *, streams: int, seconds: float, minutes: int) -> Found:
    """Open the page, leave it alone, count frames at rest and while scrolling, and wait."""
    paints = [await _time_paint(url) for _ in range(LOADS)]
    received: list[int] = []
    async with open_tab() as tab:
        first: list[int] = []
        tab.page.on("response", lambda answer: first.append(_pack(answer.url)))
        tab.page.on(
            "websocket",
            lambda socket: socket.on(
                "framereceived", lambda payload: received.append(len(payload))
            ),
        )
        await tab.page.goto(url)
        await tab.page.locator("[data-testid=chat-rate][data-value]").first.wait_for()
        bundle = Bundle(sum(first) / 1000, sum(map(_pack, _list_built())) / 1000)
        await asyncio.sleep(SETTLE_S)
        received.clear()
        before = await tab.read_usage()
        await asyncio.sleep(seconds)
        at_rest = (await tab.read_usage()).since(before)
        received_kb_s = sum(received) / seconds / 1000
        rows = await tab.page.get_by_test_id("stream-row").count()
        still = await watch_frames(tab, seconds)
        scrolling = await watch_frames(tab, SCROLL_S, wheel=60)
        heaps = await _sample_heap(tab, minutes)
    return Found(
        streams,
        paints,
        bundle,
        seconds,
        at_rest,
        still,
        scrolling,
        rows,
        received_kb_s,
        heaps,
    )


async def _time_paint(url: str) -> Paint:
    async with open_tab() as tab:
        await tab.page.add_init_script(WATCH_PAINT)
        await tab.page.goto(url)
        # The page forbids what waiting for a condition in it would need.
        page = tab.page.locator("html[data-painted]")
        await page.wait_for(state="attached")
        worked_s = (await tab.read_usage()).page_s
        return Paint(float(await page.get_attribute("data-painted") or 0), worked_s * 1000)


async def _sample_heap(tab: Tab, minutes: int) -> list[float]:
    heaps = [await tab.read_heap_mb()]
    for _ in range(minutes):
        await asyncio.sleep(60)
        heaps.append(await tab.read_heap_mb())
    return heaps


def _list_built() -> list[str]:
    files = (DIST / "assets").iterdir()
    return ["/", *(f"/assets/{file.name}" for file in files)]


def _pack(address: str) -> int:
    """Return the packed size of a file of the page; of anything else nothing."""
    path = httpx.URL(address).path
    file = DIST / ("index.html" if path == "/" else path.lstrip("/"))
    return len(gzip.compress(file.read_bytes(), 9)) if file.is_file() else 0


def write_found(found: Found) -> str:
    """Return the table."""
    used, seconds = found.at_rest, found.seconds
    rows = [
        [
            "first useful paint",
            f"{median(paint.waited_ms for paint in found.paints):,.0f} ms",
            "under 1,000 ms",
        ],
        [
            "of it processor time of the page's thread",
            f"{median(paint.worked_ms for paint in found.paints):,.0f} ms",
            "",
        ],
        ["bundle, first load", f"{found.bundle.first_kb:.1f} kB", "under 150 kB"],
        ["bundle, all", f"{found.bundle.all_kb:.1f} kB", "under 150 kB"],
        ["scripting, of a core", f"{used.script_s / seconds:.1%}", "under 30 %"],
        ["style and layout", f"{used.style_s / seconds:.1%}", ""],
        ["page's thread, all", f"{used.page_s / seconds:.1%}", "under 30 %"],
        ["browser, raster in software included", f"{used.browser_s / seconds:.1%}", ""],
        *write_smoothness("at rest", found.still),
        *write_smoothness("scrolling", found.scrolling),
        ["rows in the document", f"{found.rows} of {found.streams}", ""],
        ["socket", f"{found.received_kb_s:.0f} kB/s", ""],
        ["heap, first and last", f"{found.heaps_mb[0]:.1f} and {found.heaps_mb[-1]:.1f} MB", ""],
        [
            "heap, settled",
            f"{min(found.settled_mb):.1f} to {max(found.settled_mb):.1f} MB,"
            f" {found.slope_mb_h:+.2f} MB/h over {len(found.settled_mb) - 1} min",
            "flat",
        ],
    ]
    return write_table(["", "found", "aim"], rows)


def main() -> int:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--minutes", type=int, default=3, help="of watching the heap")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()

    with serve_streams(options.streams) as url:
        look = measure_page(
            url, streams=options.streams, seconds=options.seconds, minutes=options.minutes
        )
        found = asyncio.run(look)
    text = (
        f"{found.streams:,} live streams, {RATE[:-2]} events a second, seed {SEED}; paint is the"
        f" median of {LOADS} first visits, costs are processor time over {found.seconds:.0f} s."
        " Without a screen raster runs in software and shares the machine with all servers: the"
        " page's thread is what counts, late frames and the browser as a whole are told beside it."
    )
    page = save_measurement(
        Measurement("page_overview", "The overview in a browser", text, write_found(found), found),
        options.out,
    )
    sys.stdout.write(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
