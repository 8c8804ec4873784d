"""The live page, as a person sees it: numbers move, and come back after the API was away."""

from playwright.async_api import Page, expect

from tests.fixtures.browsers import open_page
from tests.fixtures.clients import open_client
from tests.fixtures.products import Product
from tests.fixtures.waiting import eventually

CHANGE_MS_MAX = 20_000
CAUGHT_UP_MS_MAX = 120_000
"""The simulator sends four times a second; reaching this means that nothing moves."""

STREAM = "northlight_live"


async def _open_stream(page: Page, demo: Product) -> None:
    await page.goto(f"{demo.url}/app/streams/{STREAM}")
    await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")
    await expect(page.get_by_test_id("chat-rate")).to_contain_text("/s", timeout=CHANGE_MS_MAX)


async def _expect_change(page: Page) -> None:
    rate = page.get_by_test_id("chat-rate")
    before = await rate.inner_text()
    await expect(rate).not_to_have_text(before, timeout=CHANGE_MS_MAX)


async def test_the_overview_lists_every_stream_of_the_api(demo: Product) -> None:
    url = demo.url
    async with open_page() as page, open_client(url) as client:
        await page.goto(url)
        rows = page.get_by_test_id("stream-row")

        async def list_ids() -> tuple[set[str], set[str]]:
            answer = await client.get("/api/v1/streams")
            shown = await rows.evaluate_all("rows => rows.map(row => row.dataset.streamId)")
            return {stream["id"] for stream in answer.json()["data"]}, set(shown)

        known, shown = await eventually(list_ids, holds=lambda ids: ids[0] == ids[1] != set())
        assert STREAM in shown
        assert len(known) >= 8


async def test_a_row_leads_to_its_stream(demo: Product) -> None:
    async with open_page() as page:
        await page.goto(demo.url)
        await page.locator(f'[data-testid="stream-row"][data-stream-id="{STREAM}"]').click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(STREAM)
        await expect(page.get_by_test_id("chart-chat")).to_be_visible()


async def test_the_numbers_of_a_stream_change_by_themselves(demo: Product) -> None:
    async with open_page() as page:
        await _open_stream(page, demo)
        await _expect_change(page)
        await _expect_change(page)
        # The demo begins with two hours of the past; these are of the last minutes.
        emotes = page.get_by_test_id("emote-row")
        await expect(emotes.first).to_be_visible(timeout=CAUGHT_UP_MS_MAX)


async def test_an_unknown_stream_is_explained(demo: Product) -> None:
    async with open_page() as page:
        await page.goto(f"{demo.url}/app/streams/nobody")
        await expect(page.get_by_text("There is no stream 'nobody'")).to_be_visible()


async def test_the_page_recovers_after_the_api_restarts(demo: Product) -> None:
    async with open_page() as page:
        await _open_stream(page, demo)
        killed = demo.kill("api")
        await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "offline")
        await eventually(lambda: demo.is_back("api", instead_of=killed), within_s=60)
        await expect(page.get_by_test_id("connection")).to_have_attribute(
            "data-state", "live", timeout=CHANGE_MS_MAX
        )
        await _expect_change(page)


async def test_a_phone_shows_the_stream_without_sideways_scrolling(demo: Product) -> None:
    async with open_page(width=390, height=844) as page:
        await _open_stream(page, demo)
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390
        await expect(page.get_by_test_id("chart-chat")).to_be_visible()
