"""Moments on the page: somebody says that they saw one, and everybody sees that they did."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from playwright.async_api import Locator, Page, expect

from core.clock import SystemClock
from tests.fixtures.browsers import open_page
from tests.fixtures.clients import open_client
from tests.fixtures.products import Product
from tests.fixtures.receivers import Receiver
from tests.fixtures.uproars import chat, open_spike, send
from tests.fixtures.waiting import eventually

SEEN_MS_MAX = 20_000
"""A message takes milliseconds; reaching this means that none came."""

BRIEF = "brief_guest"
GUEST = "loud_guest"
STRANGE = "strange_guest"
"""Streams that no demo sends to: nothing makes the one appear anew, or the others calm."""

HOSTILE = "שלום <img src=x onerror=\"document.title='owned'\"> " + "x" * 120
"""From right to left, with a tag, and too long for a line."""


@asynccontextmanager
async def ask(demo: Product) -> AsyncIterator[httpx.AsyncClient]:
    async with open_client(demo.url) as client:
        yield client


async def list_over(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    answer = await client.get("/api/v1/moments", params={"state": "open", "limit": 200})
    return [moment for moment in answer.json()["data"] if moment["ended_at"] is not None]


async def find_over(demo: Product) -> dict[str, Any]:
    """Return a moment of the demo's history that is over, and that nobody has seen."""
    async with ask(demo) as client:
        over: list[dict[str, Any]] = await eventually(lambda: list_over(client), within_s=60)
    return over[0]


async def reopen(demo: Product, moment: dict[str, Any]) -> None:
    async with ask(demo) as client:
        await client.patch(f"/api/v1/moments/{moment['moment_id']}", json={"action": "reopen"})


async def open_live(page: Page, demo: Product, path: str = "/") -> None:
    await page.goto(f"{demo.url}{path}")
    await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")


async def is_listed(client: httpx.AsyncClient, stream_id: str) -> bool:
    return (await client.get(f"/api/v1/streams/{stream_id}")).status_code == 200


def find_row(page: Page, moment: dict[str, Any]) -> Locator:
    return page.locator(f'[data-testid="moment"][data-moment-id="{moment["moment_id"]}"]')


async def test_what_is_done_in_one_page_leaves_the_feed_of_all_and_stays_on_the_stream(
    demo: Product,
) -> None:
    moment = await find_over(demo)
    stream_path = f"/app/streams/{moment['stream_id']}?moment={moment['moment_id']}"
    async with open_page() as page, open_page() as second, open_page() as third:
        for one in (page, second):
            await open_live(one, demo)
            await expect(find_row(one, moment)).to_have_count(1)
        await open_live(third, demo, stream_path)
        panel = find_row(third, moment)
        await expect(panel.get_by_role("button", name=re.compile("^Done: "))).to_be_visible()

        button = find_row(page, moment).get_by_role("button", name=re.compile("^Done: "))
        await expect(button).to_have_accessible_name(re.compile(moment["stream_id"]))
        await button.focus()
        await page.keyboard.press("Enter")

        for one in (page, second):
            await expect(find_row(one, moment)).to_have_count(0, timeout=SEEN_MS_MAX)
        await expect(panel).to_contain_text("resolved", timeout=SEEN_MS_MAX)
        # Keys go on at the next moment.
        await expect(page.locator(":focus")).to_have_attribute("data-act", re.compile("."))

        await panel.get_by_role("button", name=re.compile("^Reopen: ")).click()
        for one in (page, second):
            await expect(find_row(one, moment)).to_have_count(1, timeout=SEEN_MS_MAX)


async def test_a_moment_that_goes_on_stays_acknowledged_until_it_is_resolved(
    demo: Product,
) -> None:
    async with ask(demo) as client:
        moment = await open_spike(client, GUEST)
    async with open_page() as page, open_page() as second:
        for one in (page, second):
            await open_live(one, demo)
        rows = find_row(page, moment), find_row(second, moment)
        await rows[0].get_by_role("button", name=re.compile("^Acknowledge: ")).click()
        for row in rows:
            await expect(row).to_contain_text("acknowledged", timeout=SEEN_MS_MAX)
            await expect(row.get_by_test_id("moment-actions")).to_have_text("Resolve")
        await second.reload()
        await expect(rows[1]).to_contain_text("acknowledged", timeout=SEEN_MS_MAX)
        await rows[1].get_by_role("button", name=re.compile("^Resolve: ")).click()
        for row in rows:
            await expect(row).to_have_count(0, timeout=SEEN_MS_MAX)


async def make_rule(client: httpx.AsyncClient, receiver: Receiver) -> None:
    """Let somebody be told of the stranger's moments."""
    way = {"name": "on call", "kind": "webhook", "target": receiver.url}
    route = (await client.post("/api/v1/alert-routes", json=way)).json()
    rule = {"name": "strangers", "stream": STRANGE, "routes": [route["route_id"]]}
    made = await client.post("/api/v1/alert-rules", json=rule)
    assert made.status_code == 201, made.text


async def test_the_panel_tells_why_and_who_knows_and_what_strangers_wrote_stays_text(
    demo: Product, receiver: Receiver
) -> None:
    async with ask(demo) as client:
        await make_rule(client, receiver)
        moment = await open_spike(client, STRANGE, HOSTILE)
        path = f"/app/streams/{STRANGE}?moment={moment['moment_id']}"
    async with open_page(width=390) as page:
        await open_live(page, demo, path)
        panel = find_row(page, moment)
        why = panel.get_by_test_id("moment-why")
        await expect(why.locator(".facts")).to_have_text(re.compile("Value.*Expected.*Usual"))
        said = why.locator('[data-kind="message"] bdi').last
        await expect(said).to_have_text(HOSTILE[:200])
        await expect(said).to_have_css("direction", "rtl")
        assert await why.locator("img").count() == 0
        assert "owned" not in await page.title()
        assert await page.evaluate("document.body.scrollWidth <= innerWidth")
        told = panel.get_by_test_id("moment-told")
        await expect(told).to_contain_text("on call", timeout=SEEN_MS_MAX)


async def test_why_it_was_not_done_is_said_beside_the_button(demo: Product) -> None:
    moment = await find_over(demo)
    async with open_page() as page:
        await open_live(page, demo)
        row = find_row(page, moment)
        button = row.get_by_role("button", name=re.compile("^Done: "))
        await page.context.set_offline(True)
        await button.click()
        await expect(row.get_by_role("alert")).to_contain_text("cannot be reached")
        await page.context.set_offline(False)
        await button.click()
        await expect(row).to_have_count(0, timeout=SEEN_MS_MAX)
    await reopen(demo, moment)


async def test_a_deleted_stream_leaves_the_list_and_its_own_page_says_so(
    demo: Product,
) -> None:
    async with ask(demo) as client, open_page() as page, open_page() as second:
        await send(client, [chat(BRIEF, SystemClock().now(), 0)])
        await eventually(lambda: is_listed(client, BRIEF), within_s=60)
        await open_live(page, demo)
        row = page.locator(f'[data-testid="stream-row"][data-stream-id="{BRIEF}"]')
        await expect(row).to_have_count(1, timeout=SEEN_MS_MAX)
        await open_live(second, demo, f"/app/streams/{BRIEF}")
        await expect(second.get_by_test_id("chart-chat")).to_be_visible()

        deleted = await client.delete(f"/api/v1/streams/{BRIEF}")
        assert deleted.status_code in {200, 202}, deleted.text

        await expect(row).to_have_count(0, timeout=SEEN_MS_MAX)
        gone = second.get_by_test_id("problem")
        await expect(gone).to_contain_text(f"{BRIEF} was deleted", timeout=SEEN_MS_MAX)
        await gone.get_by_role("link", name="Go to Overview").click()
        await expect(second.get_by_test_id("stream-row").first).to_be_visible()
