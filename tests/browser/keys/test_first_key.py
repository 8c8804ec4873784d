"""Keys on the page: the first one shuts the door, its maker goes on, others are told why not."""

import re
from typing import Any

import httpx
from playwright.async_api import Locator, Page, expect

from tests.fixtures.browsers import open_page
from tests.fixtures.clients import open_client
from tests.fixtures.products import Product
from tests.fixtures.waiting import eventually

KEYS = "/api/v1/keys"


async def read_once(page: Page) -> str:
    """Return the key that is shown this once, and put it away."""
    shown = page.get_by_test_id("key-once")
    text: str = await shown.get_by_test_id("key-text").input_value()
    await shown.get_by_role("button", name="Done").press("Enter")
    await expect(shown).to_have_count(0)
    assert text not in await page.content()
    return text


def show(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


async def is_refused(api: httpx.AsyncClient, text: str) -> bool:
    return (await api.get("/api/v1/streams", headers=show(text))).status_code == 401


def find_field(place: Page | Locator, label: str) -> Locator:
    return place.get_by_role("textbox", name=re.compile(f"^{label}"))


def find_key(page: Page, key: dict[str, Any]) -> Locator:
    return page.locator(f'[data-testid="key"][data-key-id="{key["key_id"]}"]')


async def make_first_key(page: Page, api: httpx.AsyncClient) -> str:
    """Make the key that shuts an open server, and return it."""
    await page.goto(f"{api.base_url}app/keys")
    await expect(page.get_by_test_id("keys-open")).to_contain_text("asks nobody for a key")
    await page.get_by_role("button", name="Make the first key").press("Enter")
    await expect(find_field(page, "Name")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("A name has 1 to 100 letters.")).to_be_visible()
    await page.keyboard.type("control room")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("key-once")).to_contain_text("This page uses it")
    return await read_once(page)


async def test_keys_are_made_replaced_and_revoked_and_the_log_says_so(product: Product) -> None:
    url = product.url
    async with open_client(f"{url}/") as api, open_page() as page:
        admin = await make_first_key(page, api)
        api.headers.update(show(admin))
        assert (await api.get("/api/v1/health")).json()["keys"] == "required"
        (own,) = (await api.get(KEYS)).json()["data"]
        await expect(find_key(page, own)).to_contain_text("this page")
        # The page goes on with it, also its socket.
        await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")

        await page.get_by_role("button", name="New key").press("Enter")
        await find_field(page, "Name").fill("bench 7")
        await page.get_by_role("button", name="read", exact=True).press("Space")
        await page.get_by_role("button", name="ingest", exact=True).press("Space")
        await find_field(page, "Only these streams").fill("bench-07*")
        await page.get_by_role("button", name="90 days").press("Space")
        await find_field(page, "Name").press("Enter")
        await expect(page.get_by_test_id("key-once")).to_contain_text("bench 7 is ready")
        first = await read_once(page)
        made = (await api.get(KEYS)).json()["data"][0]
        assert (made["scopes"], made["streams"]) == (["ingest"], ["bench-07*"])
        row = find_key(page, made)
        for words in ("bench 7", f"tk_{made['prefix']}_…", "ingest", "bench-07*", "never used"):
            await expect(row).to_contain_text(words)

        # Another secret: the one before stops.
        await row.get_by_role("link").press("Enter")
        card = page.get_by_test_id("key-card")
        await card.get_by_role("button", name="Replace its secret").press("Enter")
        await card.get_by_role("button", name="Replace it now").press("Enter")
        second = await read_once(page)
        assert second != first
        await eventually(lambda: is_refused(api, first))
        assert not await is_refused(api, second)

        # Its end asks for its name.
        await card.get_by_role("button", name="Revoke", exact=True).press("Enter")
        await expect(card.get_by_role("button", name="Revoke key")).to_be_disabled()
        await page.keyboard.type("bench 7")
        await page.keyboard.press("Enter")
        await expect(row).to_have_count(0)
        await page.get_by_role("button", name="Show 1 that ended").press("Enter")
        await expect(row).to_have_attribute("data-state", "revoked")
        await eventually(lambda: is_refused(api, second))

        await page.get_by_role("button", name="Audit log").press("Enter")
        log = (await api.get("/api/v1/audit")).json()["data"]
        entries = page.get_by_test_id("audit-entry")
        await expect(entries).to_have_count(len(log))
        assert [entry["action"] for entry in log][:2] == ["key.revoke", "key.rotate"]
        for place, entry in enumerate(log):
            await expect(entries.nth(place)).to_contain_text(entry["action"])
            await expect(entries.nth(place)).to_contain_text(entry["actor_name"])
        await _look_with_less(page, api)


async def _look_with_less(page: Page, api: httpx.AsyncClient) -> None:
    """See what a key without the scope shows: words, and no way to what it may not do."""
    wish = {"name": "hall", "scopes": ["read"]}
    reader = (await api.post(KEYS, json=wish)).json()["key"]
    await page.evaluate("text => sessionStorage.setItem('telemetra.key', text)", reader)
    await page.goto(f"{api.base_url}app/keys")
    told = page.get_by_test_id("keys-forbidden")
    await expect(told).to_contain_text("Your key allows read.")
    rail = page.locator("nav.rail")
    await expect(rail.get_by_role("link", name="Alerts")).to_be_visible()
    await expect(rail.get_by_role("link", name="Keys")).to_have_count(0)
    await rail.get_by_role("link", name="Alerts").click()
    await expect(page.get_by_test_id("look-only")).to_contain_text("needs the scope admin")
    await expect(page.get_by_role("button", name=re.compile("^New "))).to_have_count(0)
