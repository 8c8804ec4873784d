"""Boards on the page: pinned to, arranged by keys, kept, shared, changed by two, hung on a wall."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from playwright.async_api import Browser, Locator, Page, Route, expect

from tests.fixtures.browsers import open_page
from tests.fixtures.clients import open_client
from tests.fixtures.products import Product
from tests.fixtures.waiting import eventually

BOARDS = "/api/v1/boards"
STREAM = "northlight_live"
ROOM = "Łódź <b>finals</b> 🎉"
WAIT_MS = 30_000
"""Reaching this means that it never came: a saved step takes a second."""


@asynccontextmanager
async def ask(demo: Product) -> AsyncIterator[httpx.AsyncClient]:
    url = demo.url
    async with open_client(url, timeout=30) as client:
        yield client


async def make_board(demo: Product, name: str, *kinds: str, height: int = 2) -> str:
    charts = [
        {"chart_id": kind, "kind": kind, "stream_id": STREAM, "height": height} for kind in kinds
    ]
    async with ask(demo) as client:
        answer = await client.post(BOARDS, json={"name": name, "charts": charts})
    assert answer.status_code == 201, answer.text
    board_id: str = answer.json()["board_id"]
    return board_id


async def list_kept(demo: Product, board_id: str) -> list[tuple[str, int, int]]:
    """Return what the API says of the charts of a board."""
    async with ask(demo) as client:
        charts: list[dict[str, Any]] = (await client.get(f"{BOARDS}/{board_id}")).json()["charts"]
    return [(chart["kind"], chart["width"], chart["height"]) for chart in charts]


async def open_at(page: Page, demo: Product, path: str) -> None:
    page.set_default_timeout(WAIT_MS)
    await page.goto(f"{demo.url}{path}")
    await expect(page.get_by_test_id("connection")).to_have_attribute(
        "data-state", "live", timeout=WAIT_MS
    )


@asynccontextmanager
async def open_other(page: Page) -> AsyncIterator[Page]:
    """Open a page of somebody else: another profile of the same browser."""
    browser = page.context.browser
    assert isinstance(browser, Browser)
    context = await browser.new_context()
    yield await context.new_page()
    await context.close()


class Blinkers:
    """Keeps a page from looking again at its board until it changes it, however long that takes."""

    def __init__(self) -> None:
        self._is_off = False

    async def pass_on(self, route: Route) -> None:
        self._is_off |= route.request.method == "PUT"
        await (route.continue_() if self._is_off else route.abort())


def name_tiles(page: Page) -> Locator:
    return page.get_by_test_id("tile")


async def list_shown(page: Page) -> list[str]:
    return [str(await tile.get_attribute("data-tile")) for tile in await name_tiles(page).all()]


async def wait_until_saved(page: Page) -> None:
    await expect(page.get_by_test_id("board-state")).to_have_attribute(
        "data-state", "saved", timeout=WAIT_MS
    )


async def test_a_chart_is_pinned_by_keys_and_the_toast_takes_it_back(demo: Product):
    async with open_page() as page:
        await open_at(page, demo, f"/app/streams/{STREAM}")
        await page.get_by_test_id("chart-viewers").focus()
        await page.keyboard.press("b")
        menu = page.get_by_test_id("pin-menu")
        await menu.get_by_role("textbox").fill(ROOM)
        await page.keyboard.press("Enter")
        toast = page.get_by_test_id("toast")
        await expect(toast).to_contain_text(ROOM)
        await toast.get_by_role("link").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(ROOM)
        await expect(name_tiles(page)).to_have_count(1)
        board_id = page.url.rpartition("/")[2]
        assert [kind for kind, *_ in await list_kept(demo, board_id)] == ["viewers"]

        # The same once more says so; another one is taken back with a key.
        await page.go_back()
        for chart in ("chart-viewers", "chart-chat"):
            await page.get_by_test_id(chart).focus()
            await page.keyboard.press("b")
            await menu.get_by_role("button", name=ROOM).click()
            await expect(menu).to_have_count(0)
        assert [kind for kind, *_ in await list_kept(demo, board_id)] == ["viewers", "chat"]
        await page.keyboard.press("u")

        async def list_kinds() -> list[str]:
            return [kind for kind, *_ in await list_kept(demo, board_id)]

        await eventually(list_kinds, holds=lambda kinds: kinds == ["viewers"], within_s=30)


async def test_a_board_arranged_by_keys_survives_and_is_the_same_for_others(demo: Product):
    board_id = await make_board(demo, "Keys", "chat", "viewers", "sentiment")
    path = f"/app/boards/{board_id}"
    async with open_page() as page:
        await open_at(page, demo, path)
        await expect(page.locator('[data-tile="chat"] canvas').first).to_be_visible()
        await page.keyboard.press("e")
        await page.locator('[data-tile="chat"]').focus()
        for key in ("ArrowRight", "ArrowRight", "Shift+ArrowRight", "Shift+ArrowDown"):
            await page.keyboard.press(key)
            await expect(page.locator('[data-tile="chat"]')).to_be_focused()
        await page.locator('[data-tile="viewers"]').focus()
        await page.keyboard.press("Delete")
        await expect(page.locator('[data-tile="sentiment"]')).to_be_focused()
        assert await list_shown(page) == ["sentiment", "chat"]
        await page.keyboard.press("u")
        assert await list_shown(page) == ["viewers", "sentiment", "chat"]
        await page.get_by_test_id("board-name").fill("Keys, arranged")
        await page.keyboard.press("Enter")
        await page.keyboard.press("Escape")
        await wait_until_saved(page)
        kept = [("viewers", 6, 2), ("sentiment", 6, 2), ("chat", 7, 3)]
        assert await list_kept(demo, board_id) == kept

        await page.reload()
        await expect(name_tiles(page)).to_have_count(3)
        assert await list_shown(page) == ["viewers", "sentiment", "chat"]
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await page.get_by_test_id("share").click()
        await page.get_by_test_id("share-fixed").click()
        shared = await page.evaluate("navigator.clipboard.readText()")
        assert re.search(rf"{path}\?from=.+&to=.+", shared)
        async with open_other(page) as other:
            await other.goto(shared)
            await expect(other.get_by_role("heading", level=1)).to_have_text("Keys, arranged")
            await expect(name_tiles(other)).to_have_count(3)
            assert await list_shown(other) == ["viewers", "sentiment", "chat"]
            # It stands still where the link says, and live is one step away.
            follow = other.get_by_role("button", name="Go live")
            await follow.click()
            await expect(other.get_by_role("button", name="Live", exact=True)).to_be_visible()


async def test_of_two_who_change_a_board_the_second_is_asked_and_nothing_is_lost(
    demo: Product,
):
    board_id = await make_board(demo, "Two", "chat", "viewers")
    async with open_page() as page:
        await open_at(page, demo, f"/app/boards/{board_id}")
        await expect(name_tiles(page)).to_have_count(2)
        await page.route(f"**{BOARDS}/{board_id}", Blinkers().pass_on)
        async with open_other(page) as other:
            await open_at(other, demo, f"/app/boards/{board_id}")
            await expect(name_tiles(other)).to_have_count(2)
            await other.keyboard.press("e")
            await other.locator('[data-tile="chat"]').focus()
            await other.keyboard.press("Shift+ArrowLeft")
            await wait_until_saved(other)
            await eventually(
                lambda: list_kept(demo, board_id), holds=lambda kept: kept[0] == ("chat", 5, 2)
            )
        await page.keyboard.press("e")
        await page.locator('[data-tile="viewers"]').focus()
        await page.keyboard.press("ArrowLeft")
        question = page.get_by_test_id("board-conflict")
        await expect(question).to_be_visible(timeout=WAIT_MS)
        # Nothing is saved before it is answered, and both changes are on screen.
        assert await list_kept(demo, board_id) == [("chat", 5, 2), ("viewers", 6, 2)]
        assert await list_shown(page) == ["viewers", "chat"]
        await question.get_by_role("button", name="Save both").click()
        await wait_until_saved(page)
        assert await list_kept(demo, board_id) == [("viewers", 6, 2), ("chat", 5, 2)]
        await expect(question).to_have_count(0)


async def test_charts_are_dragged_and_a_board_that_was_deleted_comes_back(demo: Product):
    board_id = await make_board(demo, "Drag", "chat", "viewers", height=1)
    async with open_page() as page:
        await open_at(page, demo, f"/app/boards/{board_id}")
        await expect(name_tiles(page)).to_have_count(2)
        await page.get_by_test_id("arrange").click()
        chat, viewers = [await name_tiles(page).nth(k).bounding_box() for k in range(2)]
        assert chat is not None
        assert viewers is not None
        await page.mouse.move(chat["x"] + 60, chat["y"] + 20)
        await page.mouse.down()
        await page.mouse.move(viewers["x"] + viewers["width"] - 20, viewers["y"] + 30, steps=4)
        await page.mouse.up()
        assert await list_shown(page) == ["viewers", "chat"]
        await wait_until_saved(page)
        await page.get_by_role("link", name="Boards", exact=True).last.click()
        card = page.get_by_test_id("board-card").filter(has_text="Drag")
        await card.get_by_role("button").click()
        await expect(card).to_have_count(0)
        await page.get_by_test_id("toast").get_by_role("button", name="Undo").click()
        await expect(card).to_have_count(1)
        assert await list_kept(demo, board_id) == [("viewers", 6, 1), ("chat", 6, 1)]


async def test_a_wall_shows_boards_in_turn_and_says_how_long(demo: Product):
    names = ["Wall one", "Wall two"]
    for name in names:
        await make_board(demo, name, "chat")
    async with open_page(width=2560, height=1440) as page:
        await open_at(page, demo, "/app/boards?wall=1&every=600")
        await expect(page.get_by_test_id("wall-place")).to_contain_text("each for 10 min")
        await expect(page.locator("nav.rail")).to_be_hidden()
        title = page.get_by_role("heading", level=1)
        await expect(title).not_to_have_text("Boards")
        first = await title.inner_text()
        await page.keyboard.press("ArrowRight")
        await expect(title).not_to_have_text(first, timeout=WAIT_MS)
        await page.keyboard.press("ArrowLeft")
        await expect(title).to_have_text(first, timeout=WAIT_MS)
        await page.keyboard.press("Escape")
        await expect(page.locator("nav.rail")).to_be_visible()
        # By itself.
        await open_at(page, demo, "/app/boards?wall=1&every=10")
        await expect(title).not_to_have_text(first, timeout=WAIT_MS)
