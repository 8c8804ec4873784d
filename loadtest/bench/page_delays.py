"""Page delays: from the commit of a change until it is on the screen of a real Chromium.

    python -m loadtest.bench.page_delays

    simulator ─► api ─► bus ─► flow ─commit─► Redis ─► api ─► socket ─► page ─► pixels
                                  └ stamp                     ``page_probes.js`` in it ┘

Everything is real and on one machine, so that both ends read one clock. A message carries when
its change was committed; the probe sees it arrive, sees the page change, and waits for the frame
after that one. Overview shows new figures once a second; the chart of a stream is drawn one frame
after its message came.
"""

import argparse
import asyncio
import sys
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, Page

from loadtest.bench.askable import start_ours
from loadtest.bench.catch_ups import find_start
from loadtest.bench.chromiums import open_browser
from loadtest.bench.delay import Delays
from loadtest.bench.folders import RESULTS, find_bench_folder
from loadtest.bench.processes import Process
from loadtest.bench.reports import Measurement, save_measurement
from loadtest.bench.servers import Servers, run_servers
from loadtest.bench.tables import write_table

PROBE: Final = Path(__file__).with_name("page_probes.js")
READY: Final = "/readyz"
STREAM: Final = "northlight_live"

WARM_UP_S: Final = 10
"""Until the page, its scripts and the database know one another; not counted."""

SHOWN_MS_MAX: Final = 60_000
LEAST: Final = 20
"""Fewer changes say nothing of the slowest in a hundred."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the pages showed."""

    seconds: float
    streams: int
    rows: Delays
    """Figures of Overview, from the commit of what they show."""

    waited: Delays
    """The same from the first change that they stand for: older ones were replaced unseen."""

    charts: Delays
    """The chart of one stream."""


def measure_page_delays(seconds: float, streams: int) -> Found:
    """Start everything and watch both pages."""
    with run_servers(find_bench_folder()) as servers, ExitStack() as stack:
        flow = stack.enter_context(servers.run("streaming.flow"))
        api = start_ours(servers, stack, "api", None)
        api.wait_until_good(READY)
        find_start([flow])
        stack.enter_context(_simulate(servers, api.url, streams))
        return asyncio.run(_watch(api.url, seconds, streams))


def _simulate(servers: Servers, url: str, streams: int) -> AbstractContextManager[Process]:
    return servers.run("streaming.simulator", "--url", url, "--streams", str(streams))


async def _watch(url: str, seconds: float, streams: int) -> Found:
    async with open_browser() as browser:
        overview = await _watch_page(browser, url, seconds, '[data-testid="stream-row"]')
        stream = f"{url}/app/streams/{STREAM}"
        chart = await _watch_page(browser, stream, seconds, '[data-testid="chart-chat"]')
    return Found(
        seconds=seconds,
        streams=streams,
        rows=_sum_up("rows", overview),
        waited=_sum_up("waited", overview),
        charts=_sum_up("charts", chart),
    )


async def _watch_page(
    browser: Browser, url: str, seconds: float, shown: str
) -> dict[str, list[float]]:
    """Open a page, let it settle, and return the delays in milliseconds that it then has."""
    page: Page = await browser.new_page(viewport={"width": 1400, "height": 900})
    try:
        await page.add_init_script(path=PROBE)
        await page.goto(url)
        await page.locator(shown).first.wait_for(timeout=SHOWN_MS_MAX)
        await asyncio.sleep(WARM_UP_S)
        await page.evaluate("for (const kind of Object.values(telemetraDelays)) kind.length = 0")
        await asyncio.sleep(seconds)
        found: dict[str, list[float]] = await page.evaluate("telemetraDelays")
        return found
    finally:
        await page.close()


def _sum_up(kind: str, found: dict[str, list[float]]) -> Delays:
    if len(found[kind]) < LEAST:
        sys.exit(f"Only {len(found[kind])} changes of {kind} were shown. Measure for longer.")
    return Delays.of([delay / 1000 for delay in found[kind]])


def write_found(found: Found) -> str:
    """Return the table."""
    kinds = {
        "chart of a stream, from the oldest change in it": found.charts,
        "figures of Overview, from the change that they show": found.rows,
        "figures of Overview, from the first change since the one before": found.waited,
    }
    rows = [
        [
            name,
            f"{delays.p50_ms:.0f} ms",
            f"{delays.p99_ms:.0f} ms",
            f"{delays.most_ms:.0f} ms",
            f"{delays.samples:,}",
        ]
        for name, delays in kinds.items()
    ]
    return write_table(["from commit to pixel", "p50", "p99", "most", "changes"], rows)


def main() -> None:
    """Measure, save and print."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.bench.page_delays")
    parser.add_argument("--seconds", type=float, default=120.0, help="for each of the two pages")
    parser.add_argument("--streams", type=int, default=8, help="of the simulator")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where results go")
    options = parser.parse_args()
    found = measure_page_delays(options.seconds, options.streams)
    measurement = Measurement(
        name="page-delays",
        title="Page delays",
        text=(
            f"The simulator with {found.streams} streams, the page in Chromium without a graphics"
            f" processor, Overview and then one stream for {found.seconds:g} s each: from the"
            " stamp of a commit to the frame after the one that shows it."
        ),
        table=write_found(found),
        found=found,
    )
    sys.stdout.write(save_measurement(measurement, options.results))


if __name__ == "__main__":
    main()
