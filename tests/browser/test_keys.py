"""Keys on the page: who has none is asked, a bad one is named, a good one shows live numbers."""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import orjson
import pytest
from playwright.async_api import Page, expect

from core.settings import REPOSITORY
from tests.fixtures.api_keys import wait_until_known
from tests.fixtures.browsers import find_chromium, open_page
from tests.fixtures.devices import a_device
from tests.fixtures.products import Product, run_product

CHANGE_MS_MAX = 20_000
"""The simulator sends four times a second; reaching this means that nothing moves."""

STREAM = "northlight_live"


@dataclass(frozen=True, slots=True)
class Key:
    """A key as the command line prints it."""

    key_id: str
    text: str


def pair(option: str, values: Sequence[str]) -> list[str]:
    return [word for value in values for word in (option, value)]


def make_key(product: Product, *scopes: str, streams: Sequence[str] = ()) -> Key:
    chosen = [*pair("--scope", scopes), *pair("--stream", streams)]
    made = product.run("keys", "create", "a browser", *chosen, "--json")
    assert made.returncode == 0, made.stderr.decode()
    said = orjson.loads(made.stdout)
    wait_until_known(product.url, said["key"])
    return Key(said["key_id"], said["key"])


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    find_chromium()
    with run_product(tmp_path_factory.mktemp("product"), "--no-demo") as running:
        # The first key shuts the door, so the demo would be refused: it comes with one of its own.
        sender = make_key(running, "ingest", "read")
        command = [sys.executable, "-m", "streaming.simulator", "--api-key", sender.text]
        simulator = subprocess.Popen([*command, "--url", running.url], cwd=REPOSITORY)
        try:
            yield running
        finally:
            simulator.terminate()
            simulator.wait()


async def show_key(page: Page, text: str) -> None:
    await page.get_by_label("Key", exact=True).fill(text)
    await page.get_by_role("button", name="Use key").click()


async def open_shut_page(page: Page, product: Product, path: str = "/") -> None:
    await page.goto(f"{product.url}{path}")
    await expect(page.get_by_role("heading", name="This server asks for a key")).to_be_visible()


async def test_who_has_no_key_is_asked_for_one_and_told_how_to_make_it(product: Product) -> None:
    async with open_page() as page:
        await open_shut_page(page, product)
        await expect(page.get_by_text("telemetra keys create")).to_be_visible()
        await expect(page.get_by_label("Key", exact=True)).to_be_focused()
        await expect(page.get_by_test_id("stream-row")).to_have_count(0)


async def test_a_key_that_is_not_good_or_may_not_read_is_named(product: Product) -> None:
    async with open_page() as page:
        await open_shut_page(page, product)
        fault = page.get_by_test_id("key-fault")
        await show_key(page, "no key at all")
        await expect(fault).to_contain_text("begins with tk_")
        await show_key(page, "tk_0123456789ab_" + "x" * 43)
        await expect(fault).to_contain_text("not good")
        await show_key(page, make_key(product, "ingest").text)
        await expect(fault).to_contain_text("scope read")
        kept = await page.evaluate("[sessionStorage.length, localStorage['telemetra.key']]")
        assert kept == [0, None]


async def test_a_good_key_shows_live_numbers_and_a_revoked_one_asks_again(
    product: Product,
) -> None:
    key = make_key(product, "read")
    async with open_page() as page:
        await open_shut_page(page, product, f"/app/streams/{STREAM}")
        await page.get_by_label("Key", exact=True).fill(key.text)
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")
        rate = page.get_by_test_id("chat-rate")
        await expect(rate).to_contain_text("/s", timeout=CHANGE_MS_MAX)
        before = await rate.inner_text()
        await expect(rate).not_to_have_text(before, timeout=CHANGE_MS_MAX)
        assert key.text not in page.url
        product.run("keys", "revoke", key.key_id)
        await expect(page.get_by_role("heading", name="no longer good")).to_be_visible()
        await expect(rate).to_have_count(0)
        assert await page.evaluate("sessionStorage.length") == 0


async def test_a_key_lasts_through_a_reload_and_goes_when_it_is_forgotten(
    product: Product,
) -> None:
    key = make_key(product, "read")
    async with open_page() as page:
        await open_shut_page(page, product)
        await show_key(page, key.text)
        await expect(page.get_by_test_id("stream-row").first).to_be_visible()
        await page.reload()
        await expect(page.get_by_test_id("stream-row").first).to_be_visible()
        await page.get_by_test_id("key-button").click()
        await expect(page.get_by_role("dialog")).to_contain_text(re.compile("until this tab"))
        await page.get_by_role("button", name="Forget key").click()
        await expect(page.get_by_test_id("key-panel")).to_be_visible()


async def test_a_key_is_kept_on_the_device_only_when_that_is_wanted(product: Product) -> None:
    key = make_key(product, "read")
    async with open_page() as page:
        await open_shut_page(page, product)
        await page.get_by_label("Remember on this device").check()
        await show_key(page, key.text)
        await expect(page.get_by_test_id("stream-row").first).to_be_visible()
        assert await page.evaluate("localStorage['telemetra.key']") == key.text
        # A tab that is opened later begins without what belongs to this one.
        await page.evaluate("sessionStorage.clear()")
        await page.reload()
        await expect(page.get_by_test_id("stream-row").first).to_be_visible()


async def test_a_key_that_may_only_read_is_told_what_it_lacks_to_act(product: Product) -> None:
    key = make_key(product, "read")
    async with open_page() as page:
        await open_shut_page(page, product)
        await show_key(page, key.text)
        actions = page.get_by_test_id("moment-actions").first
        await actions.get_by_role("button").first.click(timeout=CHANGE_MS_MAX)
        await expect(actions.get_by_role("alert")).to_contain_text("scope operate")
        await expect(page.get_by_test_id("key-panel")).to_have_count(0)


async def test_a_key_that_may_only_read_looks_at_scripts_and_runs_none(product: Product) -> None:
    sender, key = make_key(product, "ingest"), make_key(product, "read")
    address = product.url.partition("//")[2]
    shown = {"authorization": f"Bearer {sender.text}"}
    async with a_device(address, "guarded", headers=shown), open_page() as page:
        await open_shut_page(page, product, "/app/devices/guarded?tab=scripts")
        await show_key(page, key.text)
        told = page.get_by_test_id("script-look-only")
        await expect(told).to_contain_text("scope operate", timeout=CHANGE_MS_MAX)
        await expect(page.get_by_test_id("script-none")).to_be_visible()
        await expect(page.get_by_test_id("script-start")).to_have_count(0)


async def test_a_key_of_one_stream_shows_it_and_says_why_the_rest_is_not_shown(
    product: Product,
) -> None:
    key = make_key(product, "read", streams=[STREAM])
    async with open_page() as page:
        await open_shut_page(page, product, f"/app/streams/{STREAM}")
        await show_key(page, key.text)
        await expect(page.get_by_test_id("chat-rate")).to_contain_text("/s", timeout=CHANGE_MS_MAX)
        await page.goto(product.url)
        await expect(page.get_by_test_id("problem")).to_contain_text("single streams only")
