"""Keys on the page: who has none is asked, a bad one is named, a good one shows live numbers."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import httpx
import orjson
import pytest_asyncio
from playwright.async_api import Page, expect

from core.settings import REPOSITORY
from tests.fixtures.api_keys import wait_until_known
from tests.fixtures.browsers import open_page
from tests.fixtures.clients import open_client
from tests.fixtures.devices import a_device
from tests.fixtures.products import Product
from tests.fixtures.waiting import eventually

CHANGE_MS_MAX = 20_000
"""The simulator sends four times a second; reaching this means that nothing moves."""

STREAM = "northlight_live"


@dataclass(frozen=True, slots=True)
class Key:
    """A key as the command line prints it."""

    key_id: str
    text: str


@dataclass(frozen=True, slots=True)
class House:
    """A product whose door is shut, and the key of who looks after it."""

    url: str
    product: Product
    admin: Key

    async def make_key(self, *scopes: str, streams: Sequence[str] = ()) -> Key:
        """Make a key that the API knows already."""
        wish = {"name": "a browser", "scopes": scopes, "streams": streams or None}
        async with open_client(self.url, headers={"X-API-Key": self.admin.text}) as api:
            made = await api.post("/api/v1/keys", json=wish)
        assert made.status_code == 201, made.text
        key = Key(made.json()["key_id"], made.json()["key"])
        wait_until_known(self.url, key.text)
        return key


def print_key(product: Product, *scopes: str) -> Key:
    chosen = [word for scope in scopes for word in ("--scope", scope)]
    made = product.run("keys", "create", "a browser", *chosen, "--json")
    assert made.returncode == 0, made.stderr.decode()
    said = orjson.loads(made.stdout)
    wait_until_known(product.url, said["key"])
    return Key(said["key_id"], said["key"])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(product: Product) -> AsyncIterator[House]:
    # The first key shuts the door, so the demo would be refused: it comes with one of its own.
    admin, sender = print_key(product, "admin"), print_key(product, "ingest", "read")
    command = ["-m", "streaming.simulator", "--api-key", sender.text, "--url", product.url]
    simulator = await asyncio.create_subprocess_exec(sys.executable, *command, cwd=REPOSITORY)
    try:
        async with open_client(product.url, headers={"X-API-Key": admin.text}) as api:
            await eventually(lambda: is_known(api), within_s=60)
        yield House(product.url, product, admin)
    finally:
        simulator.terminate()
        await simulator.wait()


async def is_known(api: httpx.AsyncClient) -> bool:
    return (await api.get(f"/api/v1/streams/{STREAM}")).status_code == httpx.codes.OK


async def show_key(page: Page, text: str) -> None:
    await page.get_by_label("Key", exact=True).fill(text)
    await page.get_by_role("button", name="Use key").click()


async def open_shut_page(page: Page, house: House, path: str = "/") -> None:
    await page.goto(f"{house.url}{path}")
    await expect(page.get_by_role("heading", name="This server asks for a key")).to_be_visible()


async def test_who_has_no_key_is_asked_for_one_and_told_how_to_make_it(house: House) -> None:
    async with open_page() as page:
        await open_shut_page(page, house)
        await expect(page.get_by_text("telemetra keys create")).to_be_visible()
        await expect(page.get_by_label("Key", exact=True)).to_be_focused()
        await expect(page.get_by_test_id("stream-row")).to_have_count(0)


async def test_a_key_that_is_not_good_or_may_not_read_is_named(house: House) -> None:
    async with open_page() as page:
        await open_shut_page(page, house)
        fault = page.get_by_test_id("key-fault")
        await show_key(page, "no key at all")
        await expect(fault).to_contain_text("begins with tk_")
        await show_key(page, "tk_0123456789ab_" + "x" * 43)
        await expect(fault).to_contain_text("not good")
        await show_key(page, (await house.make_key("ingest")).text)
        await expect(fault).to_contain_text("scope read")
        kept = await page.evaluate("[sessionStorage.length, localStorage['telemetra.key']]")
        assert kept == [0, None]


async def test_a_good_key_shows_live_numbers_and_a_revoked_one_asks_again(
    house: House,
) -> None:
    key = await house.make_key("read")
    async with open_page() as page:
        await open_shut_page(page, house, f"/app/streams/{STREAM}")
        await page.get_by_label("Key", exact=True).fill(key.text)
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")
        rate = page.get_by_test_id("chat-rate")
        await expect(rate).to_contain_text("/s", timeout=CHANGE_MS_MAX)
        before = await rate.inner_text()
        await expect(rate).not_to_have_text(before, timeout=CHANGE_MS_MAX)
        assert key.text not in page.url
        house.product.run("keys", "revoke", key.key_id)
        await expect(page.get_by_role("heading", name="no longer good")).to_be_visible()
        await expect(rate).to_have_count(0)
        assert await page.evaluate("sessionStorage.length") == 0


async def test_a_key_lasts_through_a_reload_and_goes_when_it_is_forgotten(
    house: House,
) -> None:
    key = await house.make_key("read")
    async with open_page() as page:
        await open_shut_page(page, house)
        await show_key(page, key.text)
        await expect(page.get_by_test_id("stream-row").first).to_be_visible()
        await page.reload()
        await expect(page.get_by_test_id("stream-row").first).to_be_visible()
        await page.get_by_test_id("key-button").click()
        await expect(page.get_by_role("dialog")).to_contain_text(re.compile("until this tab"))
        await page.get_by_role("button", name="Forget key").click()
        await expect(page.get_by_test_id("key-panel")).to_be_visible()


async def test_a_key_is_kept_on_the_device_only_when_that_is_wanted(house: House) -> None:
    key = await house.make_key("read")
    async with open_page() as page:
        await open_shut_page(page, house)
        await page.get_by_label("Remember on this device").check()
        await show_key(page, key.text)
        await expect(page.get_by_test_id("stream-row").first).to_be_visible()
        assert await page.evaluate("localStorage['telemetra.key']") == key.text
        # A tab that is opened later begins without what belongs to this one.
        await page.evaluate("sessionStorage.clear()")
        await page.reload()
        await expect(page.get_by_test_id("stream-row").first).to_be_visible()


async def test_a_key_that_may_only_read_is_told_what_it_lacks_to_act(house: House) -> None:
    key = await house.make_key("read")
    async with open_page() as page:
        await open_shut_page(page, house)
        await show_key(page, key.text)
        actions = page.get_by_test_id("moment-actions")
        await actions.get_by_role("button").first.click(timeout=CHANGE_MS_MAX)
        # Others may have come above it meanwhile.
        await expect(actions.get_by_role("alert")).to_contain_text("scope operate")
        await expect(page.get_by_test_id("key-panel")).to_have_count(0)


async def test_a_key_that_may_only_read_looks_at_scripts_and_runs_none(house: House) -> None:
    sender, key = await house.make_key("ingest"), await house.make_key("read")
    address = house.url.partition("//")[2]
    shown = {"authorization": f"Bearer {sender.text}"}
    async with a_device(address, "guarded", headers=shown), open_page() as page:
        await open_shut_page(page, house, "/app/devices/guarded?tab=scripts")
        await show_key(page, key.text)
        told = page.get_by_test_id("script-look-only")
        await expect(told).to_contain_text("scope operate", timeout=CHANGE_MS_MAX)
        await expect(page.get_by_test_id("script-none")).to_be_visible()
        await expect(page.get_by_test_id("script-start")).to_have_count(0)


async def test_a_key_of_one_stream_shows_it_and_says_why_the_rest_is_not_shown(
    house: House,
) -> None:
    key = await house.make_key("read", streams=[STREAM])
    async with open_page() as page:
        await open_shut_page(page, house, f"/app/streams/{STREAM}")
        await show_key(page, key.text)
        await expect(page.get_by_test_id("chat-rate")).to_contain_text("/s", timeout=CHANGE_MS_MAX)
        await page.goto(house.url)
        await expect(page.get_by_test_id("problem")).to_contain_text("single streams only")
