"""Access: nobody is shut out of any page, in either theme, and no page complains of itself."""

from dataclasses import dataclass, field
from typing import Final

from playwright.async_api import ConsoleMessage, Page, Request, Response, ViewportSize, expect

from tests.fixtures.axes import list_faults
from tests.fixtures.browsers import open_page
from tests.fixtures.products import Product

SHOWN_MS_MAX: Final = 30_000
"""A page shows itself within a second; reaching this means that it never does."""

PAGES: Final = {
    "overview": "/",
    "stream": "/app/streams/northlight_live",
    "moments": "/app/moments",
    "devices": "/app/devices",
    "boards": "/app/boards",
    "alerts": "/app/alerts",
    "system": "/app/system",
    "keys": "/app/keys",
    "nothing": "/app/nowhere",
}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
DESK: Final[ViewportSize] = {"width": 1400, "height": 900}
LEFT: Final = "net::ERR_ABORTED"
"""What a page had asked when it was left."""


@dataclass
class Complaints:
    """What a page says of itself and what it is refused."""

    told: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        page.on("console", self._hear)
        page.on("requestfailed", self._lose)
        page.on("response", self._answer)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.told.append(f"{message.type}: {message.text}")

    def _lose(self, request: Request) -> None:
        if request.failure != LEFT:
            self.told.append(f"{request.failure}: {request.url}")

    def _answer(self, response: Response) -> None:
        if response.status >= 400:
            self.told.append(f"{response.status}: {response.url}")


async def show(page: Page, url: str) -> None:
    """Open a page and wait until it shows what it has."""
    await page.goto(url)
    live = page.get_by_test_id("connection")
    await expect(live).to_have_attribute("data-state", "live", timeout=SHOWN_MS_MAX)
    await wait_until_shown(page)


async def wait_until_shown(page: Page) -> None:
    await expect(page.locator("main > *").first).to_be_visible(timeout=SHOWN_MS_MAX)
    await expect(page.locator("[aria-busy=true]")).to_have_count(0, timeout=SHOWN_MS_MAX)


async def test_no_page_has_a_serious_fault_complains_or_scrolls_a_phone_sideways(demo: Product):
    widths, faults, complaints = {}, {}, Complaints()
    async with open_page() as page:
        complaints.listen(page)
        for name, path in PAGES.items():
            await page.emulate_media(color_scheme="dark", reduced_motion="reduce")
            await page.set_viewport_size(PHONE)
            await show(page, demo.url + path)
            widths[name] = await page.evaluate("document.documentElement.scrollWidth")
            await page.set_viewport_size(DESK)
            await wait_until_shown(page)
            faults[f"{name}, dark"] = await list_faults(page)
            # A theme changes colours and nothing else.
            await page.emulate_media(color_scheme="light", reduced_motion="reduce")
            faults[f"{name}, light"] = await list_faults(page, "color-contrast")
    assert {name: found for name, found in faults.items() if found} == {}
    assert {name: width for name, width in widths.items() if width > PHONE["width"]} == {}
    assert complaints.told == []
