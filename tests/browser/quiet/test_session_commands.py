"""Commands of a device on the page of a session: from when they were asked to their end."""

from typing import Any

import httpx
from playwright.async_api import Locator, Page, expect

from tests.fixtures.axes import list_faults
from tests.fixtures.browsers import open_page
from tests.fixtures.devices import Device, a_device
from tests.fixtures.products import Product
from tests.fixtures.session_pages import SESSIONS, ask, make_session, open_session


async def begin(client: httpx.AsyncClient, *streams: str) -> str:
    wish = {"name": "Looks at a device", "stream_ids": list(streams)}
    made = await client.post(SESSIONS, json=wish)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def send(client: httpx.AsyncClient, command: str, **parameters: object) -> dict[str, Any]:
    wish = {"command": command, "parameters": parameters}
    sent = await client.post("/api/v1/devices/chamber-1/commands", json=wish)
    assert sent.status_code == 202, sent.text
    answer: dict[str, Any] = sent.json()
    return answer


async def end(client: httpx.AsyncClient, device: Device, stage: str, number: int) -> dict[str, Any]:
    """Have a command of the device end, and return it as the API has it then."""
    asked = await send(client, "count_to", number=number)
    given = await device.hear_command("count_to")
    await device.result(given, stage, message=f"I said {number}.")
    path = f"/api/v1/devices/chamber-1/commands/{asked['command_id']}?wait=30"
    told: dict[str, Any] = (await client.get(path)).json()
    assert told["state"] == stage
    return told


def find(page: Page, command: dict[str, Any]) -> Locator:
    return page.locator(
        f'[data-testid="session-command"][data-command-id="{command["command_id"]}"]'
    )


async def test_commands_stand_on_the_axis_with_what_came_of_them(product: Product) -> None:
    address = product.url.partition("//")[2]
    async with ask(product) as client, a_device(address) as device, open_page() as page:
        session_id = await begin(client, "chamber-1", "nobody")
        good = await end(client, device, "succeeded", 3)
        bad = await end(client, device, "failed", 4)
        await open_session(page, client, session_id)
        await expect(find(page, good)).to_have_attribute("data-outcome", "good")
        await expect(find(page, bad)).to_have_attribute("data-outcome", "bad")
        said = await find(page, bad).get_attribute("title")
        assert said is not None
        for words in ("count_to number 4", f"asked by {bad['asker']}", "failed after", "I said 4."):
            assert words in said
        # What is asked for while the page is open comes, and so does its end.
        asked = await send(client, "open", side="left")
        await expect(find(page, asked)).to_have_attribute("data-outcome", "going")
        given = await device.hear_command("open")
        await device.result(given, "succeeded")
        await expect(find(page, asked)).to_have_attribute("data-outcome", "good")
        order = [find(page, one) for one in (good, bad, asked)]
        boxes = [box for box in [await one.bounding_box() for one in order] if box]
        assert len(boxes) == len(order)
        assert [box["x"] for box in boxes] == sorted(box["x"] for box in boxes)
        assert await list_faults(page) == []
        await page.set_viewport_size({"width": 390, "height": 844})
        assert await page.evaluate("document.documentElement.scrollWidth") == 390
        await find(page, asked).click()
        await expect(page.get_by_test_id("command-details")).to_contain_text("succeeded")


async def test_a_replay_knows_of_a_command_what_was_known_then(product: Product) -> None:
    address = product.url.partition("//")[2]
    async with ask(product) as client, a_device(address) as device, open_page() as page:
        session_id = await begin(client, "chamber-1")
        asked = await send(client, "count_to", number=9)
        given = await device.hear_command("count_to")
        await device.result(given, "failed")
        path = f"/api/v1/devices/chamber-1/commands/{asked['command_id']}?wait=30"
        told = (await client.get(path)).json()
        at = told["created_at"]
        await open_session(page, client, f"{session_id}?t={at}")
        await expect(find(page, told)).to_have_attribute("data-outcome", "going")
        said = await find(page, told).get_attribute("title")
        assert said is not None
        assert "not ended yet" in said
        await page.keyboard.press("l")
        await expect(find(page, told)).to_have_attribute("data-outcome", "bad")


async def test_without_a_device_there_is_no_such_lane(product: Product) -> None:
    address = product.url.partition("//")[2]
    async with ask(product) as client, a_device(address), open_page() as page:
        session_id = await make_session(client, "No device", [1.0, 2.0])
        async with page.expect_response("**/api/v1/devices?*"):
            await open_session(page, client, session_id)
        await expect(page.get_by_test_id("session-command")).to_have_count(0)
        await expect(page.get_by_test_id("timeline")).not_to_contain_text("Commands")
