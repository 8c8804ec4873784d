"""Chromiums: a real browser without a screen, and what it says of the page it shows.

Here it draws in software: raster and compositing run on the processor, beside the page's own
thread. So what is judged is the page's thread alone, by its processor time, and what the whole
browser used is told beside it.
"""

import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import orjson
import psutil
from playwright.async_api import Browser, BrowserType, CDPSession, Page, async_playwright

WITHOUT: Final = (
    # Pages of the browser's own for its address bar: to load them takes longer than to load ours.
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup", "AimEnabled"),
    # What Playwright does without, too: the last list is the one that counts.
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades"),
    *("HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding"),
    *("ThirdPartyStoragePartitioning", "AvoidCorsURLLoaderRestartOnRedirect"),
    *("OptimizationHints", "NetworkTimeServiceQuerying", "PreconnectToSearch"),
)
"""Features of the browser that show nothing without a screen, or ask somebody on the internet."""

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
SWITCHES: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    f"--disable-features={','.join(WITHOUT)}",
)
PAGE_THREAD: Final = "CrRendererMain"
TASK: Final = "RunTask"
WIDTH: Final = 1400
HEIGHT: Final = 900


@dataclass(frozen=True, slots=True)
class Usage:
    """Processor seconds until now."""

    script_s: float
    """JavaScript on the page's thread."""

    style_s: float
    """Style and layout there."""

    page_s: float
    """Everything there, painting included."""

    browser_s: float
    """All processes of the browser, raster in software included."""

    def since(self, before: "Usage") -> "Usage":
        """Return what was used since another look."""
        return Usage(
            self.script_s - before.script_s,
            self.style_s - before.style_s,
            self.page_s - before.page_s,
            self.browser_s - before.browser_s,
        )


class Tab:
    """A page and the door to its browser's own figures."""

    def __init__(self, page: Page, session: CDPSession) -> None:
        self.page = page
        self._session = session

    @classmethod
    async def open(cls, page: Page) -> "Tab":
        """Begin to measure a page, in processor time of its thread."""
        session = await page.context.new_cdp_session(page)
        await session.send("Performance.enable", {"timeDomain": "threadTicks"})
        return cls(page, session)

    async def read_usage(self) -> Usage:
        """Return what was used until now."""
        answer = await self._session.send("Performance.getMetrics")
        told = {metric["name"]: metric["value"] for metric in answer["metrics"]}
        return Usage(
            told["ScriptDuration"],
            told["LayoutDuration"] + told["RecalcStyleDuration"],
            told["TaskDuration"],
            read_browser_seconds(),
        )

    @asynccontextmanager
    async def trace(self) -> AsyncIterator[list[float]]:
        """Fill a list with the milliseconds of processor time of each task of the page's thread."""
        tasks: list[float] = []
        browser = self.page.context.browser
        if browser is None:
            message = "a tab without its browser cannot be traced"
            raise RuntimeError(message)
        await browser.start_tracing(page=self.page, categories=["toplevel"])
        try:
            yield tasks
        finally:
            events = orjson.loads(await browser.stop_tracing())["traceEvents"]
            tasks += _list_tasks(events)

    async def read_heap_mb(self) -> float:
        """Return what lives on the heap when garbage is gone."""
        for _ in range(2):
            await self._session.send("HeapProfiler.collectGarbage")
        usage = await self._session.send("Runtime.getHeapUsage")
        return float(usage["usedSize"]) / 1e6


def _list_tasks(events: list[dict[str, Any]]) -> list[float]:
    """Return how long each task of the busiest page thread took, in milliseconds."""
    pages = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == PAGE_THREAD
    }
    found: dict[tuple[int, int], list[float]] = {}
    for event in events:
        thread = (event["pid"], event["tid"])
        if thread in pages and event["name"].endswith(TASK) and "tdur" in event:
            found.setdefault(thread, []).append(event["tdur"] / 1000)
    return max(found.values(), key=sum, default=[])


def read_browser_seconds() -> float:
    """Return the processor seconds of all browsers that this process started."""
    total = 0.0
    for child in psutil.Process().children(recursive=True):
        try:
            if "chrom" in child.name():
                times = child.cpu_times()
                total += times.user + times.system
        except psutil.NoSuchProcess:
            continue
    return total


def find_chromium() -> str | None:
    """Return the program of the browser, where there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@asynccontextmanager
async def open_browser(*switches: str) -> AsyncIterator[Browser]:
    """Start a browser that has never seen any page.

    Args:
        switches: More of them than every browser here gets.

    Raises:
        SystemExit: There is none.
    """
    async with async_playwright() as playwright, launch(playwright.chromium, *switches) as browser:
        yield browser


@asynccontextmanager
async def launch(kind: BrowserType, *switches: str) -> AsyncIterator[Browser]:
    """Start one more browser with what drives others already.

    Raises:
        SystemExit: There is none.
    """
    if (path := find_chromium()) is None:
        sys.exit("There is no Chromium here: `apt install chromium` brings it.")
    browser = await kind.launch(executable_path=path, args=[*SWITCHES, *switches])
    try:
        yield browser
    finally:
        await browser.close()


@asynccontextmanager
async def open_tab(*, width: int = WIDTH, height: int = HEIGHT) -> AsyncIterator[Tab]:
    """Open an empty page in a browser of its own."""
    async with open_browser() as browser:
        page = await browser.new_page(viewport={"width": width, "height": height})
        yield await Tab.open(page)
