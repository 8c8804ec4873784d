"""The moments page, as a person works through it: what comes, what is done, what is taken back."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx
from playwright.async_api import Locator, Page, Route, expect

from tests.fixtures.browsers import open_page
from tests.fixtures.clients import open_client
from tests.fixtures.uproars import open_spike
from tests.fixtures.waiting import eventually

SEEN_MS_MAX = 20_000
"""A message takes milliseconds; reaching this means that none came."""

PAST = timedelta(hours=5)
"""Longer ago than any list of the other pages reaches."""

SPIKES = "/app/moments?type=chat_spike"
"""Of a stream that nobody sends to any more there soon is a silence, too."""

WITHDRAW = """
UPDATE moments
SET ended_at = now(), metadata = metadata || '{"withdrawn": true}'
WHERE moment_id = $1
"""


@asynccontextmanager
async def ask(status: dict[str, Any]) -> AsyncIterator[httpx.AsyncClient]:
    async with open_client(status["api_url"]) as client:
        yield client


def path_of(moment: dict[str, Any]) -> str:
    return f"/api/v1/moments/{moment['moment_id']}"


async def read(client: httpx.AsyncClient, moment: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = (await client.get(path_of(moment))).json()
    return told


async def list_slid(client: httpx.AsyncClient) -> list[str]:
    answer = await client.get("/api/v1/moments", params={"limit": 200, "type": "chat_spike"})
    rows = answer.json()["data"]
    return [row["moment_id"] for row in rows if row["stream_id"].startswith("slid_")]


async def open_live(page: Page, status: dict[str, Any], path: str) -> None:
    await page.goto(f"{status['api_url']}{path}")
    await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")


def find_row(page: Page, moment: dict[str, Any]) -> Locator:
    return page.locator(f'[data-testid="feed-row"][data-moment-id="{moment["moment_id"]}"]')


def find_opened(page: Page, moment: dict[str, Any]) -> Locator:
    return page.locator(f'[data-testid="moment-page"][data-moment-id="{moment["moment_id"]}"]')


async def list_shown(page: Page) -> list[str]:
    rows = page.get_by_test_id("feed-row")
    shown: list[str] = await rows.evaluate_all("rows => rows.map(row => row.dataset.momentId)")
    return shown


async def test_a_spike_slides_in_within_seconds_and_waits_for_who_reads_further_down(
    status: dict[str, Any],
) -> None:
    async with ask(status) as client, open_page(height=300) as page:
        await open_live(page, status, f"{SPIKES}&q=slid_")
        await expect(page.get_by_text("No moment fits the filter.")).to_be_visible()
        moment = await open_spike(client, "slid_first")
        await expect(find_row(page, moment)).to_be_visible(timeout=SEEN_MS_MAX)
        await expect(page.get_by_test_id("announcer")).to_contain_text("chat spike on slid_first")
        for stream in ("slid_second", "slid_third"):
            await expect(find_row(page, await open_spike(client, stream))).to_have_count(1)
        assert await list_shown(page) == await list_slid(client)

        feed = page.get_by_test_id("feed")
        await feed.evaluate("list => list.scrollTo(0, 60)")
        late = await open_spike(client, "slid_fourth")
        await expect(page.get_by_test_id("waiting")).to_have_text("1 new", timeout=SEEN_MS_MAX)
        await expect(find_row(page, late)).to_have_count(0)
        await page.get_by_test_id("waiting").click()
        # Those of one minute stand in the order of the API, so that it need not be the first.
        await expect(find_row(page, late)).to_have_count(1)
        await expect(page.get_by_test_id("waiting")).to_have_count(0)
        assert await list_shown(page) == await list_slid(client)


async def test_what_is_shown_is_in_the_address_and_equals_the_api(status: dict[str, Any]) -> None:
    async with ask(status) as client, open_page() as page:
        moment = await open_spike(client, "filtered")
        await client.patch(path_of(moment), json={"action": "resolve"})
        await open_live(page, status, "/app/moments")
        await page.get_by_test_id("state-resolved").click()
        await expect(find_row(page, moment)).to_be_visible()
        await page.get_by_test_id("state-open").click()
        await page.get_by_test_id("state-acknowledged").click()
        await page.get_by_label("Type").select_option("chat_spike")
        await page.get_by_label("Least severity").select_option("medium")
        await page.get_by_label("Stream", exact=True).fill("filtered")
        await page.get_by_label("Stream", exact=True).press("Enter")
        await page.get_by_label("Search moments").fill("SPIKE filt")
        said = {
            "state": ["resolved"],
            "type": ["chat_spike"],
            "severity": ["medium"],
            "stream": ["filtered"],
            "q": ["SPIKE filt"],
        }
        await eventually(lambda: parse_qs(urlsplit(page.url).query), holds=lambda q: q == said)
        wanted = {"state": "resolved", "type": "chat_spike", "min_score": "1.5"}
        listed = await client.get("/api/v1/streams/filtered/moments", params=wanted)
        ids = [one["moment_id"] for one in listed.json()["data"]]
        assert moment["moment_id"] in ids
        await page.reload()
        await eventually(lambda: list_shown(page), holds=lambda shown: shown == ids)
        await page.get_by_label("Search moments").fill("nothing like it")
        await expect(page.get_by_text("No moment fits the filter.")).to_be_visible()


async def test_acting_moves_on_to_the_next_open_one_and_u_takes_it_back(
    status: dict[str, Any],
) -> None:
    async with ask(status) as client, open_page() as page:
        one = await open_spike(client, "work_a")
        other = await open_spike(client, "work_b")
        await open_live(page, status, f"{SPIKES}&q=work_")
        await eventually(lambda: list_shown(page), holds=lambda shown: len(shown) == 2)

        # With the keyboard alone: to the first, into it, past it.
        await page.keyboard.press("j")
        top = await page.evaluate("document.activeElement.dataset.momentId")
        moment, rest = (one, other) if top == one["moment_id"] else (other, one)
        await page.keyboard.press("Enter")
        await expect(find_opened(page, moment)).to_be_visible()
        await expect(page.get_by_test_id("moment-chart")).to_be_visible(timeout=SEEN_MS_MAX)
        await expect(page.get_by_test_id("lede")).to_contain_text("Chat rose to")
        await page.keyboard.press("s")
        await expect(find_opened(page, rest)).to_be_visible()
        shelved = await read(client, moment)
        assert (shelved["state"], shelved["life"][-1]["action"]) == ("shelved", "shelve")
        await expect(find_row(page, moment)).to_have_count(0)

        await page.keyboard.press("u")
        await expect(find_opened(page, moment)).to_be_visible()
        await expect(find_row(page, moment)).to_have_attribute("data-state", "open")
        assert (await read(client, moment))["state"] == "open"
        await page.keyboard.press("f")
        label = page.locator("[data-label=false]")
        await expect(label).to_have_attribute("aria-pressed", "true")
        assert (await read(client, moment))["label"] is False
        await page.keyboard.press("u")
        await expect(label).to_have_attribute("aria-pressed", "false")
        assert (await read(client, moment))["label"] is None

        await page.get_by_label("Comment", exact=True).fill("A raid\nof <b>900</b>")
        await page.keyboard.press("Control+Enter")
        history = page.get_by_test_id("history")
        await expect(history.locator(".said")).to_have_text("A raid\nof <b>900</b>")
        await expect(page.get_by_label("Comment", exact=True)).to_have_value("")
        await expect(history.locator("[data-entry=done]")).to_have_count(5)


async def test_no_key_is_lost_while_what_is_opened_is_still_read(status: dict[str, Any]) -> None:
    async with ask(status) as client, open_page() as page:
        moment = await open_spike(client, "slowly")
        await open_live(page, status, f"{SPIKES}&q=slowly")
        is_let = asyncio.Event()

        async def wait(route: Route) -> None:
            if route.request.method == "GET":
                await is_let.wait()
            await route.continue_()

        await page.route(f"**{path_of(moment)}", wait)
        await find_row(page, moment).click()
        await expect(find_opened(page, moment)).to_be_visible()
        await page.keyboard.press("f")
        await eventually(lambda: read(client, moment), holds=lambda now: now["label"] is False)
        is_let.set()
        await expect(page.locator("[data-label=false]")).to_have_attribute("aria-pressed", "true")


async def test_of_two_people_the_second_sees_what_the_first_one_did(
    status: dict[str, Any],
) -> None:
    async with ask(status) as client, open_page() as page:
        moment = await open_spike(client, "contested")
        await open_live(page, status, f"/app/moments/{moment['moment_id']}?q=contested")
        acts = page.get_by_test_id("acts")
        await expect(acts.locator("[data-act=acknowledge]")).to_be_visible()

        async def be_slower(route: Route) -> None:
            if route.request.method == "PATCH":
                faster = {"action": "mute", "comment": "mine"}
                done = await client.patch(path_of(moment), json=faster)
                assert done.status_code in {200, 409}, done.text
            await route.continue_()

        pattern = f"**{path_of(moment)}"
        await page.route(pattern, be_slower)
        await acts.locator("[data-act=acknowledge]").click()
        toast = page.get_by_test_id("toast")
        await expect(toast).to_contain_text("everyone muted it until it is over")
        await page.unroute(pattern, be_slower)
        step = page.get_by_test_id("life").locator("[data-step=shelved]")
        await expect(step).to_contain_text("Muted")
        told = await read(client, moment)
        assert [entry["action"] for entry in told["life"]] == ["mute"]
        # And what others do afterwards arrives by itself.
        await client.patch(path_of(moment), json={"action": "resolve"})
        resolved = page.get_by_test_id("life").locator("[data-step=resolved]")
        await expect(resolved).to_have_attribute("aria-current", "step", timeout=SEEN_MS_MAX)


async def test_an_old_link_opens_and_what_is_withdrawn_meanwhile_stays(
    status: dict[str, Any],
) -> None:
    async with ask(status) as client, open_page(width=390, height=844) as page:
        moment = await open_spike(client, "long_ago", ago=PAST)
        await open_live(page, status, f"/app/moments/{moment['moment_id']}")
        title = page.get_by_role("heading", level=2)
        await expect(title).to_have_text("Chat spike on long_ago")
        await expect(page.get_by_test_id("moment-chart")).to_be_visible(timeout=SEEN_MS_MAX)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")

        connection = await asyncpg.connect(status["database_url"])
        try:
            await connection.execute(WITHDRAW, moment["moment_id"])
        finally:
            await connection.close()
        await client.patch(path_of(moment), json={"comment": "It was none."})
        await expect(title).to_have_css("text-decoration-line", "line-through", timeout=SEEN_MS_MAX)
        await expect(page.get_by_test_id("history")).to_contain_text("Withdrawn")

        # A phone shows one of the two, and the way back.
        await page.get_by_role("link", name="All moments").click()
        row = find_row(page, moment)
        await expect(row).to_contain_text("withdrawn")
        await expect(row.get_by_text("Chat spike", exact=True)).to_have_css(
            "text-decoration-line", "line-through"
        )
        await expect(page.get_by_test_id("moment-page")).to_have_count(0)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")

        await page.goto(f"{status['api_url']}/app/moments/mom_{'f' * 20}")
        await expect(page.get_by_test_id("problem")).to_contain_text(re.compile("No such moment"))
