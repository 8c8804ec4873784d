"""Pictures: every view of the live page, dark and light, on a phone, a desk and a wall.

    make pictures    of the product that runs here, into docs/pictures

They show what the product shows: run it with its demo for a while first, so that there is an hour
behind the lines and something in the feed, and have a device run a script.
"""

import argparse
import asyncio
import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from playwright.async_api import Browser, Page, ViewportSize

from core.settings import REPOSITORY
from loadtest.bench.chromiums import open_browser

FOLDER: Final = REPOSITORY / "docs" / "pictures"
THEMES: Final = ("dark", "light")
QUALITY: Final = 82
"""Of 100; below it the smallest letters fray."""

SETTLED_MS: Final = 4000
"""After the numbers are live: sparklines and charts have come, and a second value of each."""

MEASURED_MS: Final = 20_000
"""What is measured while the view is open has its first figures then."""


@dataclass(frozen=True, slots=True)
class Screen:
    """What somebody looks at."""

    size: ViewportSize
    scale: int = 1


SCREENS: Final[Mapping[str, Screen]] = {
    "desktop": Screen(ViewportSize(width=1400, height=900)),
    "phone": Screen(ViewportSize(width=390, height=844), scale=2),
    "wall": Screen(ViewportSize(width=2560, height=1440)),
}


async def find_views(url: str) -> dict[str, str]:
    """Return the address of each view, of things that are there."""
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:

        async def read(path: str) -> list[dict[str, Any]]:
            answer = await client.get(path)
            found: list[dict[str, Any]] = answer.raise_for_status().json()["data"]
            return found

        moments = await read("/api/v1/moments?state=open&limit=50")
        boards = await read("/api/v1/boards?limit=50")
        devices = await read("/api/v1/devices?limit=100")
        sessions = await read("/api/v1/sessions?limit=100")
        richest = max(devices, key=lambda device: int(device["telemetry_types"]), default=None)
        runs = await read(f"/api/v1/devices/{richest['device_id']}/scripts") if richest else []
    strongest = max(moments, key=lambda moment: float(moment["score"]), default=None)
    stream = strongest["stream_id"] if strongest else "northlight_live"
    views = {
        "overview": "/",
        "stream": f"/app/streams/{stream}",
        "moments": "/app/moments",
        "sessions": "/app/sessions",
        "devices": "/app/devices",
        "boards": "/app/boards",
        "alerts": "/app/alerts",
        "system": "/app/system",
        "keys": "/app/keys",
    }
    if strongest:
        views["moment"] = f"/app/moments/{strongest['moment_id']}"
    if sessions:
        noted = max(sessions, key=lambda session: int(session["note_count"]))
        views["session"] = f"/app/sessions/{noted['id']}"
    if richest:
        views["device"] = device = f"/app/devices/{richest['device_id']}"
        if runs:
            views["script"] = f"{device}?tab=scripts&run={runs[0]['run_id']}#past-panel"
    if boards:
        fullest = max(boards, key=lambda board: len(board["charts"]))
        views["board"] = f"/app/boards/{fullest['board_id']}"
    return views


async def take(page: Page, url: str, file: Path, settled_ms: int) -> None:
    """Take the picture of one view, so long after its numbers are live."""
    await page.goto(url)
    await page.locator('[data-testid="connection"][data-state="live"]').wait_for()
    if part := urlsplit(url).fragment:
        await page.locator(f"#{part}").evaluate("shown => shown.scrollIntoView()")
    await page.wait_for_timeout(settled_ms)
    session = await page.context.new_cdp_session(page)
    shot = await session.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    await asyncio.to_thread(file.write_bytes, base64.b64decode(shot["data"]))


async def take_all(
    browser: Browser, url: str, views: Mapping[str, str], folder: Path, full: frozenset[str]
) -> None:
    """Take every view on every screen in both themes."""
    for name, screen in SCREENS.items():
        for theme in THEMES:
            context = await browser.new_context(
                viewport=screen.size,
                device_scale_factor=screen.scale,
                color_scheme="dark" if theme == "dark" else "light",
            )
            page = await context.new_page()
            for view, path in views.items():
                if not full or view in full:
                    settled_ms = MEASURED_MS if view == "system" else SETTLED_MS
                    file = folder / f"{view}-{theme}-{name}.webp"
                    await take(page, url + path, file, settled_ms)
            await context.close()


async def main() -> None:
    """Take the pictures that were asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--url", default="http://127.0.0.1:8000", help="the API that serves the page"
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the pictures go")
    parser.add_argument(
        "--view", action="append", default=[], help="only this view; may be repeated"
    )
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    views = await find_views(asked.url)
    async with open_browser() as browser:
        await take_all(browser, asked.url, views, asked.folder, frozenset(asked.view))


if __name__ == "__main__":
    asyncio.run(main())
