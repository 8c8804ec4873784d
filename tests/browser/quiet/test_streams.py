"""The overview, as a person uses it: a thousand streams to sort, filter, pin and search.

What the modules before it have sent is there, too.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

import httpx
import orjson
import pytest
from playwright.async_api import Locator, Page, expect

from core.clock import SystemClock
from tests.fixtures.browsers import open_page
from tests.fixtures.clients import open_client
from tests.fixtures.products import Product
from tests.fixtures.servers import run_apart
from tests.fixtures.waiting import eventually

COUNT: Final = 1000
ROWS_MAX: Final = 60
"""What a screen of 900 pixels has room for, and six either side."""

WAIT_MS: Final = 30_000
BULK: Final = [f"bulk-{number:04}" for number in range(COUNT)]
FEW: Final = BULK[:10]
BENCHES: Final = [f"wind-cell-{number}" for number in range(9)]
"""Streams of another kind than the thousand."""


def _speak(names: list[str], messages: int) -> bytes:
    """Return events of streams that are alike but for their pace."""
    now = SystemClock().now() - timedelta(seconds=1)
    lines: list[dict[str, Any]] = []
    for number, name in enumerate(names):
        told = {"stream_id": name, "timestamp": now}
        spoken = {**told, "type": "chat", "user": "ana", "text": "great"}
        lines += [spoken] * (messages + number % 10)
        lines.append({**told, "type": "viewers", "value": 100 + number})
    return b"\n".join(orjson.dumps(line) for line in lines)


def _send(url: str, names: list[str], messages: int = 1) -> None:
    answer = httpx.post(
        f"{url}/api/v1/ingest",
        content=_speak(names, messages),
        headers={"Content-Type": "application/x-ndjson"},
        timeout=30,
    )
    assert answer.status_code == 202, answer.text


@pytest.fixture(scope="module")
def url(product: Product) -> str:
    _send(product.url, BULK)
    for name in BENCHES:
        named = httpx.put(f"{product.url}/api/v1/streams/{name}", json={"kind": "bench"})
        assert named.status_code == 200, named.text
    _send(product.url, BENCHES)
    # A page shows what is committed.
    run_apart(_list_known(product.url))
    return product.url


async def _list_known(url: str) -> set[str]:
    """Return all streams of the API once ours are there."""
    async with open_client(f"{url}/api/v1") as api:

        async def read() -> set[str]:
            names: set[str] = set()
            cursor: str | None = ""
            while cursor is not None:
                query = {"limit": 999} | ({"cursor": cursor} if cursor else {})
                page = (await api.get("/overview", params=query)).json()
                names |= set(page["data"]["id"])
                cursor = page["next_cursor"]
            return names

        return await eventually(read, holds=lambda names: names.issuperset([*BULK, *BENCHES]))


@asynccontextmanager
async def open_overview(
    url: str, query: str = "", *, width: int = 1400, height: int = 900
) -> AsyncIterator[Page]:
    async with open_page(width=width, height=height) as page:
        await page.goto(f"{url}/{query}")
        await expect(_rows(page).first).to_be_visible(timeout=WAIT_MS)
        yield page


def _rows(page: Page) -> Locator:
    return page.get_by_test_id("stream-row")


async def _list_names(page: Page) -> list[str]:
    names: list[str] = await _rows(page).evaluate_all(
        "rows => rows.map(row => row.dataset.streamId)"
    )
    return names


async def test_the_numbers_of_rows_are_those_of_the_api(url: str):
    async with open_overview(url, "?q=bulk-000&sort=name.up") as page:
        assert await _list_names(page) == FEW
        _send(url, FEW, messages=20)
        async with open_client(url) as client:

            async def compare() -> tuple[list[Any], list[Any]]:
                answer = await client.get("/api/v1/streams", params={"q": "bulk-000", "live": True})
                told = [row["latest"] for row in answer.json()["data"]]
                if len(told) < len(FEW):
                    # On a slow machine they fell silent before the page was there.
                    _send(url, FEW, messages=20)
                shown = await _rows(page).evaluate_all(
                    """rows => rows.map((row) => ['chat-rate', 'viewers', 'sentiment'].map((name) =>
                        Number(row.querySelector(`[data-testid=${name}]`).dataset.value)))"""
                )
                return [
                    [row["chat_rate"], row["avg_viewers"], row["avg_sentiment"]] for row in told
                ], shown

            told, _ = await eventually(
                compare,
                holds=lambda both: (
                    len(both[0]) == len(both[1]) == len(FEW)
                    and all(
                        ours == pytest.approx(theirs, abs=0.001)
                        for ours, theirs in zip(*both, strict=True)
                    )
                ),
            )
            assert told[0][0] > 0
        total = len(await _list_known(url))
        await expect(page.get_by_test_id("state-all")).to_contain_text(f"{total:,}")


async def test_order_filter_and_pins_survive_a_reload(url: str):
    async with open_overview(url, "?sort=name.up") as page:
        await page.get_by_role("searchbox").fill("bulk-07")
        await page.get_by_role("columnheader").get_by_text("Stream").click()
        await expect(_rows(page).first).to_have_attribute("data-stream-id", "bulk-0799")
        assert "q=bulk-07" in page.url
        assert "sort=name.down" in page.url
        row = page.locator('[data-stream-id="bulk-0790"]')
        await row.hover()
        await row.get_by_test_id("pin").click()
        # The pinned one stands on top although the pointer rests on the list: somebody asked.
        await expect(_rows(page).first).to_have_attribute("data-stream-id", "bulk-0790")
        await page.reload()
        await expect(_rows(page).first).to_have_attribute(
            "data-stream-id", "bulk-0790", timeout=WAIT_MS
        )
        await expect(_rows(page).nth(1)).to_have_attribute("data-stream-id", "bulk-0799")
        await expect(page.get_by_role("searchbox")).to_have_value("bulk-07")
        await expect(_rows(page).first.get_by_test_id("pin")).to_have_attribute(
            "aria-pressed", "true"
        )
        # The same by keys: to the second row, and it stands on top, too.
        for key in ("j", "j", "p"):
            await page.keyboard.press(key)
        await expect(_rows(page).first).to_have_attribute("data-stream-id", "bulk-0799")
        await page.keyboard.press("k")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_have_text("bulk-0799")


async def test_chips_show_the_streams_of_a_state_and_kind(url: str):
    async with open_overview(url, "?q=bulk-0001") as page:
        await expect(_rows(page)).to_have_count(1)
        await page.get_by_test_id("state-moments").click()
        await expect(page.get_by_text("hidden by the filter")).to_be_visible()
        assert "state=moments" in page.url
        await page.get_by_role("button", name="Clear filter").click()
        await page.get_by_role("button", name="bench", exact=True).click()
        assert "kind=bench" in page.url
        names = await eventually(lambda: _list_names(page), holds=lambda all_of: len(all_of) < 20)
        assert set(names) == set(BENCHES)


async def test_search_finds_a_stream_and_a_page_by_keyboard_alone(url: str):
    async with open_overview(url) as page:
        await page.keyboard.press("/")
        field = page.get_by_role("combobox")
        # The search comes when it is asked for the first time.
        await expect(field).to_be_focused(timeout=WAIT_MS)
        await page.keyboard.type("blk 777")
        first = page.get_by_test_id("found").first
        await expect(first).to_contain_text("bulk-0777", timeout=WAIT_MS)
        await expect(field).to_have_attribute("aria-activedescendant", "found-0")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_have_text("bulk-0777")
        await page.keyboard.press("/")
        await page.keyboard.type("syst")
        await expect(page.get_by_test_id("found").first).to_have_attribute("data-kind", "page")
        await page.keyboard.press("Escape")
        await expect(page.get_by_test_id("search")).to_have_count(0)
        await page.keyboard.press("/")
        await page.keyboard.type("zzzz")
        await expect(page.get_by_text("Nothing is called")).to_be_visible()


async def test_of_a_thousand_streams_only_rows_on_screen_exist(url: str):
    async with open_overview(url, "?sort=name.up") as page:
        table = page.get_by_role("table", name="Streams")
        total = len(await _list_known(url))
        assert total >= COUNT + len(BENCHES)
        # One of them is the head.
        await expect(table).to_have_attribute("aria-rowcount", str(total + 1))
        assert 20 < await _rows(page).count() < ROWS_MAX
        link = _rows(page).first.get_by_role("link")
        name = await link.inner_text()
        await link.focus()
        await page.evaluate("scrollTo(0, document.body.scrollHeight)")
        last = page.locator(f'[data-testid=stream-row][aria-rowindex="{total + 1}"]')
        await expect(last).to_be_in_viewport()
        assert await _rows(page).count() < ROWS_MAX
        # Whoever holds the focus is still there, far above.
        assert await page.evaluate("document.activeElement.textContent") == name


async def test_only_streams_on_screen_are_followed(url: str):
    said: list[dict[str, Any]] = []
    async with open_page() as page:
        page.on(
            "websocket",
            lambda socket: socket.on("framesent", lambda text: said.append(orjson.loads(text))),
        )
        await page.goto(f"{url}/?sort=name.up")

        def list_names(kind: str) -> set[str]:
            return {name for one in said if one["type"] == kind for name in one["streams"]} - {"*"}

        followed = await eventually(lambda: list_names("subscribe"))
        assert len(followed) < ROWS_MAX
        assert {"type": "subscribe", "streams": ["*"], "others": ["moment", "stream"]} in said
        await page.mouse.move(500, 500)
        await page.mouse.wheel(0, 20_000)
        left = await eventually(lambda: list_names("unsubscribe"))
        assert left <= followed
        assert list_names("subscribe") > followed


async def test_a_wall_has_two_columns_and_no_rail(url: str):
    async with open_overview(url, "?wall=1", width=2560, height=1440) as page:
        await expect(page.get_by_role("table")).to_have_count(2)
        await expect(page.locator("nav.rail")).to_be_hidden()
        indexes = await _rows(page).evaluate_all("rows => rows.map(row => row.ariaRowIndex)")
        assert len(indexes) == len(set(indexes))
