"""Scripts on the page of a device: written, checked, run by the server, watched, run again."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from playwright.async_api import Locator, Page, WebSocketRoute, expect

from tests.fixtures.axes import list_faults
from tests.fixtures.browsers import open_page
from tests.fixtures.clients import open_client
from tests.fixtures.devices import Device, a_device
from tests.fixtures.products import Product

WAIT_MS: Final = 30_000
"""Reaching this means that it never came."""

TWO: Final = """\
name: two
steps:
  - command: count_to
    parameters: {number: 3}
  - command: open
"""


@pytest.fixture(scope="module")
def url(product: Product) -> str:
    return product.url


def name_host(url: str) -> str:
    return url.partition("//")[2]


async def look(page: Page, url: str, device_id: str) -> None:
    page.set_default_timeout(WAIT_MS)
    await page.goto(f"{url}/app/devices/{device_id}?tab=scripts")
    await expect(find_editor(page)).to_be_visible(timeout=WAIT_MS)


def find_editor(page: Page) -> Locator:
    return page.get_by_label("Script in YAML")


def find_run(page: Page, state: str) -> Locator:
    return page.locator(f'[data-testid="script-run"][data-state="{state}"]')


def find_step(page: Page, number: int, state: str) -> Locator:
    return page.locator(
        f'[data-testid="script-run"] [data-number="{number}"][data-state="{state}"]'
    )


async def ask(url: str, path: str) -> Any:
    async with open_client(url, timeout=30) as client:
        answer = await client.get(f"/api/v1/devices/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def list_runs(url: str, device_id: str) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = (await ask(url, f"{device_id}/scripts"))["data"]
    return runs


async def begin(url: str, device_id: str, text: str) -> str:
    """Have a script run as somebody else does."""
    async with open_client(url, timeout=30) as client:
        answer = await client.post(f"/api/v1/devices/{device_id}/scripts", json={"text": text})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["run_id"])


async def obey(device: Device, command: str, stage: str = "succeeded", **more: Any) -> None:
    given = await device.hear_command(command)
    await device.result(given, stage, **more)


async def test_the_example_is_good_and_runs(url: str):
    async with a_device(name_host(url), "tried") as device, open_page() as page:
        await device.point("count", 12)
        await look(page, url, "tried")
        await expect(page.get_by_test_id("script-start")).to_be_disabled()
        await page.get_by_role("button", name="Write the example").click()
        await page.get_by_test_id("script-check").click()
        await expect(page.get_by_test_id("script-good")).to_contain_text("No faults: 3 steps.")
        assert await list_runs(url, "tried") == []
        example = await find_editor(page).input_value()
        await page.reload()
        await expect(find_editor(page)).to_have_value(example)
        await find_editor(page).focus()
        await page.keyboard.press("Control+Enter")
        await expect(find_step(page, 1, "running")).to_be_visible()
        await expect(page.get_by_test_id("script-now")).to_contain_text("Step 1 of 3: count_to")
        await expect(page.get_by_test_id("script-start")).to_be_disabled()
        bar = page.get_by_role("progressbar", name="Steps done")
        await expect(bar).to_have_attribute("aria-valuenow", "0")
        await obey(device, "count_to", message="One.")
        await expect(find_step(page, 1, "succeeded")).to_contain_text("One.")
        await expect(find_run(page, "succeeded")).to_be_visible()
        await expect(bar).to_have_attribute("aria-valuenow", "3")
        (told,) = await list_runs(url, "tried")
        assert (told["name"], told["state"], told["steps_done"]) == ("first try", "succeeded", 3)
        row = page.locator(f'[data-testid="script-row"][data-run="{told["run_id"]}"]')
        await expect(row).to_have_attribute("data-state", "succeeded")
        # A step leads to its command, and back.
        await find_step(page, 1, "succeeded").get_by_role("link").click()
        await expect(page.get_by_test_id("command-details")).to_contain_text("One.")
        await page.go_back()
        await expect(find_run(page, "succeeded")).to_be_visible()


async def test_faults_stand_at_their_lines_and_move_with_them(url: str):
    bad = TWO.replace("number: 3", "number: 0").replace("open", "opne")
    async with a_device(name_host(url), "strict"), open_page() as page:
        await look(page, url, "strict")
        await find_editor(page).fill(bad)
        await page.get_by_test_id("script-start").click()
        faults = page.get_by_test_id("script-faults").get_by_role("button")
        await expect(faults).to_have_count(2)
        await expect(faults.nth(0)).to_contain_text("Line 3")
        await expect(faults.nth(1)).to_contain_text("Line 5")
        await expect(faults.nth(1)).to_contain_text("opne")
        marks = page.get_by_test_id("script-mark")
        assert [await mark.get_attribute("data-line") for mark in await marks.all()] == ["3", "5"]
        await expect(find_editor(page)).to_be_focused()
        await faults.nth(1).click()
        chosen = "node => node.value.slice(node.selectionStart, node.selectionEnd)"
        assert (await find_editor(page).evaluate(chosen)).strip() == "- command: opne"
        # Written over, that line is not known to be wrong; the other has moved down.
        await page.keyboard.type("  - command: open")
        await expect(faults).to_have_count(1)
        await page.keyboard.press("Control+Home")
        await page.keyboard.type("# Two steps.\n")
        await expect(faults).to_contain_text("Line 4")
        assert await list_runs(url, "strict") == []


async def test_a_dangerous_script_asks_first(url: str):
    async with a_device(name_host(url), "hot") as device, open_page() as page:
        await look(page, url, "hot")
        await find_editor(page).fill("steps:\n  - command: vent\n")
        await page.keyboard.press("Control+Enter")
        question = page.get_by_test_id("script-confirm")
        await expect(question).to_be_focused()
        await expect(question).to_contain_text("vent")
        await expect(question).to_contain_text("Line 2.")
        # Whoever presses Enter once more has said nothing.
        await page.keyboard.press("Enter")
        await question.get_by_role("button", name="Do not run").click()
        assert await list_runs(url, "hot") == []
        await page.get_by_test_id("script-start").click()
        await question.get_by_role("button", name="Run and confirm").click()
        await obey(device, "vent")
        await expect(find_run(page, "succeeded")).to_be_visible()
        (command,) = (await ask(url, "hot/commands"))["data"]
        assert (command["state"], command["confirmed_by"]) == ("succeeded", command["asker"])


async def test_a_run_of_somebody_else_is_seen_aborted_and_run_again(url: str):
    async with a_device(name_host(url), "shared") as device, open_page() as page:
        run_id = await begin(url, "shared", TWO)
        first = await device.hear_command("count_to")
        await look(page, url, "shared")
        await expect(find_run(page, "running")).to_have_attribute("data-run", run_id)
        await expect(find_step(page, 1, "running")).to_be_visible()
        await find_editor(page).fill("steps:\n  - pause: 1\n")
        await expect(page.get_by_test_id("script-start")).to_be_disabled()
        await page.get_by_test_id("script-abort").click()
        cancelled = await device.hear_kind("cancel")
        assert cancelled["command_id"] == first["command_id"]
        await expect(find_run(page, "aborted")).to_be_visible()
        await expect(find_step(page, 1, "aborted")).to_be_visible()
        await expect(find_step(page, 2, "skipped")).to_be_visible()
        await page.get_by_role("button", name="Run again").click()
        await obey(device, "count_to", "failed", message="I lost count.")
        await expect(find_run(page, "failed")).to_contain_text("I lost count.")
        await expect(find_editor(page)).to_have_value(TWO)
        await page.get_by_role("button", name="Undo").click()
        await expect(find_editor(page)).to_have_value("steps:\n  - pause: 1\n")
        runs = await list_runs(url, "shared")
        assert [run["state"] for run in runs] == ["failed", "aborted"]
        rows = page.get_by_test_id("script-row")
        assert [await row.get_attribute("data-state") for row in await rows.all()] == [
            run["state"] for run in runs
        ]
        await rows.nth(1).get_by_role("button").click()
        await expect(find_run(page, "aborted")).to_have_attribute("data-run", run_id)
        await page.reload()
        await expect(find_run(page, "aborted")).to_have_attribute("data-run", run_id)


async def test_a_run_goes_on_while_nobody_looks_and_the_socket_is_away(url: str):
    def shut(socket: WebSocketRoute) -> None:
        socket.on_message(lambda _: None)

    async with a_device(name_host(url), "alone") as device, open_page() as page:
        # It opens, and nothing ever comes: what the page shows it has asked for.
        await page.route_web_socket("**/ws/devices*", shut)
        await look(page, url, "alone")
        await find_editor(page).fill(TWO)
        await page.get_by_test_id("script-start").click()
        await obey(device, "count_to")
        await expect(find_step(page, 2, "running")).to_be_visible()
        await page.goto("about:blank")
        await obey(device, "open")
        await page.goto(f"{url}/app/devices/alone?tab=scripts")
        row = page.get_by_test_id("script-row")
        await expect(row).to_have_attribute("data-state", "succeeded")


@contextmanager
def nobody_works(product: Product) -> Iterator[None]:
    """Have the process of jobs stand still for a while."""
    pid = int(product.find_process("jobs")["pid"])
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_a_run_that_nobody_takes_up_says_so(product: Product, url: str):
    async with a_device(name_host(url), "patient"), open_page() as page:
        await look(page, url, "patient")
        await find_editor(page).fill("steps:\n  - pause: 0.1\n")
        with nobody_works(product):
            await page.get_by_test_id("script-start").click()
            await expect(find_run(page, "queued")).to_contain_text("It waits for a worker.")
        await expect(find_run(page, "succeeded")).to_be_visible()


async def test_what_stands_in_the_form_becomes_a_step(url: str):
    async with a_device(name_host(url), "formed"), open_page() as page:
        page.set_default_timeout(WAIT_MS)
        await page.goto(f"{url}/app/devices/formed?send=count_to")
        add = page.get_by_role("button", name="Add to script")
        await add.click()
        await expect(page.get_by_label("number")).to_be_focused()
        await page.get_by_label("number").fill("3")
        await add.click()
        await expect(find_editor(page)).to_have_value(TWO.partition("  - command: open")[0][10:])
        await page.get_by_test_id("command-form").get_by_label("Command").select_option("open")
        await add.click()
        await expect(find_editor(page)).to_have_value(TWO[10:])


async def test_scripts_shut_nobody_out_and_fit_a_phone(url: str):
    async with a_device(name_host(url), "narrow") as device, open_page() as page:
        await look(page, url, "narrow")
        await find_editor(page).fill(TWO.replace("open", "opne") + "# long " * 60)
        await page.get_by_test_id("script-check").click()
        await expect(page.get_by_test_id("script-faults")).to_be_visible()
        assert await list_faults(page) == []
        await find_editor(page).fill(TWO)
        await page.get_by_test_id("script-start").click()
        await obey(device, "count_to")
        await expect(find_step(page, 2, "running")).to_be_visible()
        await page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        assert await list_faults(page) == []
        # A theme changes colours and nothing else.
        await page.emulate_media(color_scheme="light", reduced_motion="reduce")
        assert await list_faults(page, "color-contrast") == []
        await page.set_viewport_size({"width": 390, "height": 844})
        assert await page.evaluate("document.documentElement.scrollWidth") == 390
        await page.get_by_test_id("script-abort").click()
        await expect(find_run(page, "aborted")).to_be_visible()
