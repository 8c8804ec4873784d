"""Devices on the page: values that equal the API's, commands with their ends, links that go."""

import asyncio
import operator
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import orjson
import pytest
from playwright.async_api import ConsoleMessage, Locator, Page, expect

from tests.fixtures.axes import list_faults
from tests.fixtures.browsers import open_page
from tests.fixtures.clients import open_client
from tests.fixtures.devices import a_device
from tests.fixtures.products import Product
from tests.fixtures.waiting import eventually

WAIT_MS: Final = 30_000
"""Reaching this means that it never came."""


@pytest.fixture(scope="module")
def url(product: Product) -> str:
    return product.url


@asynccontextmanager
async def look(url: str, path: str) -> AsyncIterator[Page]:
    """Open the page somewhere; whatever stands on the console in the end fails the test."""
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    async with open_page() as page:
        page.set_default_timeout(WAIT_MS)
        page.on("console", hear)
        await page.goto(url + path)
        await expect(page.get_by_test_id("connection")).to_have_attribute(
            "data-state", "live", timeout=WAIT_MS
        )
        yield page
        assert complaints == []


def name_host(url: str) -> str:
    return url.partition("//")[2]


async def ask(url: str, path: str) -> Any:
    async with open_client(url, timeout=30, trust_env=False) as client:
        answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def find_value(page: Page, name: str) -> Locator:
    return page.locator(f'[data-testid="value"][data-name="{name}"]')


def find_sent(page: Page, state: str) -> Locator:
    return page.locator(f'[data-testid="sent-command"][data-state="{state}"]').first


async def choose(page: Page, command: str) -> None:
    await page.get_by_test_id("command-form").get_by_label("Command").select_option(command)


async def press_send(page: Page) -> None:
    await page.get_by_test_id("command-send").click()


async def test_the_example_of_the_empty_page_is_a_device(url: str, tmp_path: Path):
    async with look(url, "/app/devices") as page:
        example = await page.get_by_test_id("devices-empty-example").text_content()
        file = tmp_path / "thermometer.py"
        file.write_text(example or "")
        process = await asyncio.create_subprocess_exec(sys.executable, str(file))
        try:
            row = page.locator('[data-testid="device"][data-device="thermometer-1"]')
            await expect(row).to_have_attribute("data-state", "connected", timeout=WAIT_MS)
            await row.get_by_role("link").click()
            await expect(page.get_by_role("heading", level=1)).to_have_text("Thermometer")
            await expect(find_value(page, "temperature")).to_have_attribute("data-state", "good")
            await page.get_by_label("target").fill("30")
            await press_send(page)
            await expect(find_sent(page, "succeeded")).to_be_visible()
        finally:
            process.terminate()
            await process.wait()
        link = page.get_by_test_id("device-link")
        await expect(link).to_have_attribute("data-state", "gone", timeout=WAIT_MS)


async def test_values_on_screen_are_those_of_the_api_and_stay_in_the_address(url: str):
    points = {"temperature": 61.43, "status": "warning", "is_open": True, "count": 1284}
    async with a_device(name_host(url), "valued") as device:
        for name, value in points.items():
            await device.point(name, value)
        async with look(url, "/app/devices/valued") as page:
            await _expect_values(page, url, points)
            assert "61.4" in (await find_value(page, "temperature").inner_text())
            assert "1,284" in (await find_value(page, "count").inner_text())
            assert "yes" in (await find_value(page, "is_open").inner_text())
            # What comes live replaces what was read.
            await device.point("temperature", -12.5)
            await _expect_values(page, url, {**points, "temperature": -12.5})
            await page.get_by_role("tab", name="Log").click()
            await page.get_by_role("button", name="Values", exact=True).click()
            lines = page.get_by_test_id("log-line")
            await expect(lines).to_have_count(len(points) + 1)
            await page.get_by_label("Value", exact=True).select_option("count")
            await expect(lines).to_have_count(1)
            await expect(lines.first).to_contain_text("1284")
            total = (await ask(url, "/api/v1/devices/valued/history"))["total_records"]
            await expect(page.get_by_test_id("log-totals")).to_have_attribute(
                "data-total", str(total)
            )
            await page.reload()
            await expect(lines).to_have_count(1)


async def _expect_values(page: Page, url: str, points: dict[str, Any]) -> None:
    for name, value in points.items():
        shown = find_value(page, name)
        await expect(shown).to_have_attribute("data-value", orjson.dumps(value).decode())
        # The page hears of a value before it is stored.
        await eventually(partial(read_last, url, name), holds=partial(operator.eq, [value]))


async def read_last(url: str, name: str) -> list[Any]:
    """Return the last value that is stored of a name, if there is one."""
    log = await ask(url, f"/api/v1/devices/valued/history?type=data&id={name}&limit=1")
    return [row["value"] for row in log["data"]]


async def test_a_command_is_checked_fails_and_succeeds_before_ones_eyes(url: str):
    async with (
        a_device(name_host(url), "counting") as device,
        look(url, "/app/devices/counting") as page,
    ):
        await choose(page, "count_to")
        field = page.get_by_label("number")
        await press_send(page)
        await expect(field).to_be_focused()
        await field.fill("0")
        await page.keyboard.press("Enter")
        form = page.get_by_test_id("command-form")
        await expect(form).to_contain_text("0 is under the limit of 1.")
        await expect(field).to_have_attribute("aria-invalid", "true")
        assert (await ask(url, "/api/v1/devices/counting/commands"))["data"] == []

        await field.fill("3")
        await page.keyboard.press("Enter")
        command = await device.hear_command("count_to")
        assert command["parameters"] == {"number": 3}
        await expect(find_sent(page, "sent")).to_be_visible()
        await device.result(command, "acknowledged")
        await expect(find_sent(page, "acknowledged")).to_be_visible()
        await device.result(command, "running", message="One, two")
        await expect(find_sent(page, "running")).to_contain_text("One, two")
        await device.result(command, "failed", message="I lost count.")
        await expect(find_sent(page, "failed")).to_contain_text("I lost count.")

        await press_send(page)
        command = await device.hear_command("count_to")
        await device.result(command, "succeeded", message="Three.", details={"steps": 3})
        await expect(find_sent(page, "succeeded")).to_contain_text("Three.")
        rows = page.get_by_test_id("command")
        await expect(rows).to_have_count(2)
        told = (await ask(url, "/api/v1/devices/counting/commands"))["data"]
        assert [await row.get_attribute("data-state") for row in await rows.all()] == [
            row["state"] for row in told
        ]
        await page.get_by_label("State").select_option("failed")
        await expect(rows).to_have_count(1)
        await rows.get_by_role("button", name="Show what became of count_to").click()
        await expect(page.get_by_test_id("command-details")).to_contain_text("I lost count.")
        await page.reload()
        await expect(page.get_by_test_id("command-details")).to_contain_text("I lost count.")


async def test_what_the_server_refuses_stands_beside_the_field(url: str):
    """The page checks by the template that it has read; the device has another one by now."""
    async with a_device(name_host(url), "oven") as device, open_page() as page:
        page.set_default_timeout(WAIT_MS)
        await page.goto(f"{url}/app/devices/oven")
        await choose(page, "count_to")
        before = await ask(url, "/api/v1/devices/oven/command-templates")
        await page.route("**/command-templates", lambda route: route.fulfill(json=before))
        changed = {"count_to": {"parameters": {"number": {"type": "int", "max": 2}}}}
        await device.socket.close()
        async with a_device(name_host(url), "oven", command_templates=changed):
            await page.get_by_label("number").fill("3")
            await press_send(page)
            fault = page.get_by_test_id("command-form").locator(".err", has_text="3")
            await expect(fault).to_contain_text("2")
            await expect(page.get_by_label("number")).to_be_focused()


async def test_a_link_leads_to_a_command_that_is_not_on_the_first_page(url: str):
    async with a_device(name_host(url), "busy") as device:
        async with open_client(url, timeout=30, trust_env=False) as client:
            ids = []
            for _ in range(32):
                sent = await client.post("/api/v1/devices/busy/commands", json={"command": "open"})
                ids.append(sent.json()["command_id"])
                await device.result(await device.hear_command("open"), "succeeded")
        async with look(url, f"/app/devices/busy?open={ids[0]}") as page:
            await expect(page.get_by_test_id("command-details")).to_contain_text(ids[0])
            rows = page.get_by_test_id("command")
            await expect(rows).to_have_count(31)
            await expect(rows.last).to_have_attribute("data-command-id", ids[0])
            await page.get_by_role("button", name="Load older").click()
            await expect(rows).to_have_count(32)
            shown = [await row.get_attribute("data-command-id") for row in await rows.all()]
            assert shown == ids[::-1]


async def test_a_dangerous_command_asks_twice(url: str):
    async with (
        a_device(name_host(url), "venting") as device,
        look(url, "/app/devices/venting") as page,
    ):
        await choose(page, "vent")
        await press_send(page)
        question = page.get_by_test_id("command-confirm")
        await expect(question).to_be_focused()
        # Whoever presses Enter once more has said nothing.
        await page.keyboard.press("Enter")
        await question.get_by_role("button", name="Do not send").click()
        await expect(find_sent(page, "cancelled")).to_be_visible()
        await press_send(page)
        await question.get_by_role("button", name="Confirm vent").click()
        command = await device.hear_command("vent")
        await device.result(command, "succeeded")
        await expect(find_sent(page, "succeeded")).to_be_visible()
        kept = (await ask(url, "/api/v1/devices/venting/commands?command=vent"))["data"]
        assert [row["state"] for row in kept] == ["succeeded", "cancelled"]
        assert kept[0]["command_id"] == command["command_id"]


async def test_a_command_is_cancelled_while_it_waits(url: str):
    async with a_device(name_host(url), "slow") as device:
        await device.socket.close()
        async with look(url, "/app/devices/slow?send=open") as page:
            link = page.get_by_test_id("device-link")
            await expect(link).to_have_attribute("data-state", "gone")
            await expect(page.get_by_test_id("command-form")).to_contain_text("waits for it")
            await press_send(page)
            waiting = find_sent(page, "queued")
            await waiting.get_by_role("button", name="Cancel open").click()
            await expect(find_sent(page, "cancelled")).to_be_visible()


async def test_a_link_goes_and_comes(url: str):
    async with look(url, "/app/devices") as page:
        async with a_device(name_host(url), "roamer", title="Roamer") as device:
            await device.point("temperature", 20.0)
            row = page.locator('[data-testid="device"][data-device="roamer"]')
            await expect(row).to_have_attribute("data-state", "connected")
        await expect(row).to_have_attribute("data-state", "gone")
        await page.keyboard.press("/")
        # It is loaded when it is asked for the first time.
        await page.get_by_test_id("search").get_by_role("combobox").fill("roamer")
        # Its stream has the same name.
        await page.locator('[data-testid="found"][data-kind="device"]').click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Roamer")
        await expect(find_value(page, "temperature")).to_have_attribute("data-state", "stale")
        async with a_device(name_host(url), "roamer", title="Roamer II") as device:
            link = page.get_by_test_id("device-link")
            await expect(link).to_have_attribute("data-state", "connected")
            await expect(page.get_by_role("heading", level=1)).to_have_text("Roamer II")
            await device.point("temperature", 21.0)
            await expect(find_value(page, "temperature")).to_have_attribute("data-state", "good")
            await page.get_by_role("tab", name="Link").click()
            await expect(page.get_by_test_id("link-change")).to_have_count(3)
            await _expect_links(page, url)


async def _expect_links(page: Page, url: str) -> None:
    async def list_shown() -> list[str | None]:
        rows = await page.get_by_test_id("link-change").all()
        return [await row.get_attribute("data-state") for row in rows]

    told = (await ask(url, "/api/v1/devices/roamer/links"))["data"]
    await eventually(list_shown, holds=lambda shown: shown == [row["state"] for row in told])


async def test_keys_alone_lead_to_a_device_and_back(url: str):
    async with (
        a_device(name_host(url), "a-first", title="A first"),
        a_device(name_host(url), "a-second", title="A second"),
        look(url, "/") as page,
    ):
        await page.keyboard.press("g")
        await page.keyboard.press("d")
        await expect(page.get_by_test_id("device").first).to_be_visible()
        for key in ("j", "j", "k", "j", "Enter"):
            await page.keyboard.press(key)
        await expect(page.get_by_role("heading", level=1)).to_have_text("A second")
        await page.go_back()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Devices")


async def test_a_device_that_is_not_there_says_so(url: str):
    async with open_page(width=390, height=844) as page:
        await page.goto(f"{url}/app/devices/nobody")
        await expect(page.get_by_test_id("problem")).to_contain_text("nobody")
        assert await page.evaluate("document.documentElement.scrollWidth") == 390


async def test_one_device_shuts_nobody_out_and_fits_a_phone(url: str):
    async with a_device(name_host(url), "kiln") as device, look(url, "/app/devices/kiln") as page:
        for name, value in (("temperature", 20.5), ("status", "ok"), ("position", [1, 2, 3])):
            await device.point(name, value)
        await expect(find_value(page, "position")).to_have_attribute("data-state", "good")
        await choose(page, "vent")
        await press_send(page)
        await expect(page.get_by_test_id("command-confirm")).to_be_focused()
        await page.get_by_role("button", name="Show what became of vent").click()
        await expect(page.get_by_test_id("command-details")).to_contain_text("queued")
        faults = {}
        for tab in ("Commands", "Log", "Link"):
            await page.get_by_role("tab", name=tab).click()
            await page.emulate_media(color_scheme="dark", reduced_motion="reduce")
            faults[tab, "dark"] = await list_faults(page)
            # A theme changes colours and nothing else.
            await page.emulate_media(color_scheme="light", reduced_motion="reduce")
            faults[tab, "light"] = await list_faults(page, "color-contrast")
        assert {where: found for where, found in faults.items() if found} == {}
        await page.set_viewport_size({"width": 390, "height": 844})
        for tab in ("Log", "Link", "Commands"):
            await page.get_by_role("tab", name=tab).click()
            assert await page.evaluate("document.documentElement.scrollWidth") == 390
        await page.get_by_role("button", name="Show what became of vent").click()
        await expect(page.get_by_test_id("command-details")).to_contain_text("queued")
        assert await page.evaluate("document.documentElement.scrollWidth") == 390
