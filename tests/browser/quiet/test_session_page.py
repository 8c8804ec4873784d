"""Sessions on the page: notes in one keystroke, replay, two people, what fails, export, the end."""

import operator
import re
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, Route, expect

from tests.fixtures.axes import list_faults
from tests.fixtures.browsers import open_page
from tests.fixtures.products import Product
from tests.fixtures.session_pages import (
    CHANNEL,
    SESSIONS,
    ask,
    list_notes,
    make_session,
    open_session,
    read_playhead,
    read_time,
    write_note,
)
from tests.fixtures.waiting import eventually

RISING = [40 + k / 10 for k in range(120)]
WIDTHS = (320, 2560, 390)
"""Of the screen it is opened on, and of two that it is moved to: one wider, one narrower."""

WIDTH_DRAWN = """new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(
    () => resolve(document.documentElement.scrollWidth))))"""
"""How wide the page is when it was drawn anew: what a script sizes, it sizes at the first time."""


async def write(page: Page, text: str) -> None:
    """Write a note as somebody does who looks at the charts: one key, words, Enter."""
    await page.keyboard.press("n")
    await expect(page.get_by_role("textbox", name="Write a note")).to_be_focused()
    await page.keyboard.type(text)
    await page.keyboard.press("Enter")


async def test_a_note_is_one_keystroke_and_has_what_was_measured(product: Product) -> None:
    async with ask(product) as client, open_page() as page:
        session_id = await make_session(client, "Hot start", RISING)
        at = read_time((await list_notes(client, session_id))[0]) + timedelta(seconds=60.5)
        await open_session(page, client, f"{session_id}?t={at:%Y-%m-%dT%H:%M:%S.500Z}")
        await expect(page.get_by_test_id("lane-value")).to_have_text(re.compile(r"^4[56]\.\d"))
        shown = await page.get_by_test_id("lane-value").inner_text()
        await page.keyboard.press("n")
        await expect(page.get_by_test_id("snapshot-value")).to_have_text(shown)
        await page.keyboard.type("Pump surges <b>now</b> 🎉")
        await page.keyboard.press("Enter")

        async def find() -> list[dict[str, Any]]:
            return [one for one in await list_notes(client, session_id) if "Pump" in one["content"]]

        (note,) = await eventually(find)
        value = note["telemetry_snapshot"][CHANNEL]["value"]
        assert f"{value:.1f}" in shown
        assert note["content"] == "Pump surges <b>now</b> 🎉"
        assert abs((read_time(note) - at).total_seconds()) < 1
        # Until its answer is there it is shown as unsaved, too.
        await expect(page.get_by_test_id("note-unsaved")).to_have_count(0)
        await expect(page.get_by_text("Pump surges <b>now</b> 🎉")).to_be_visible()
        await expect(page.get_by_test_id("composer")).to_have_count(0)


async def test_a_session_is_replayed_and_its_charts_end_at_the_playhead(product: Product) -> None:
    async with ask(product) as client, open_page() as page:
        session_id = await make_session(client, "Replayed", RISING)
        begin = read_time((await list_notes(client, session_id))[0])
        await write_note(client, session_id, begin + timedelta(seconds=80), "There it is.")
        start = begin + timedelta(seconds=10)
        await open_session(page, client, f"{session_id}?t={start:%Y-%m-%dT%H:%M:%SZ}&speed=16")
        later = page.get_by_test_id("note").filter(has_text="There it is.")
        await expect(later).to_have_class(re.compile("future"))
        before = await read_playhead(page)
        first = await page.get_by_test_id("lane-value").inner_text()
        await page.keyboard.press("Space")
        line = page.get_by_test_id("playhead-line")
        await expect(line).to_have_class(re.compile("hide"))
        covers, panel = await line.evaluate(
            "node => [node, node.closest('.panel')].map(one => getComputedStyle(one)"
            ".backgroundColor)"
        )
        assert covers == panel, "nothing may shine through of what is still to come"
        await eventually(lambda: read_playhead(page), holds=lambda now: now > before + 30_000)
        await page.keyboard.press("Space")
        stood = await read_playhead(page)
        assert await page.get_by_test_id("lane-value").inner_text() != first
        box = await line.bounding_box()
        chart = await page.get_by_test_id("session-chart").bounding_box()
        assert box is not None
        assert chart is not None
        assert chart["x"] < box["x"] < chart["x"] + chart["width"] <= box["x"] + box["width"] + 1
        # The address brings the same picture back.
        await page.reload()
        await expect(page.get_by_test_id("timeline")).to_be_visible()
        assert abs(await read_playhead(page) - stood) < 1000
        await page.get_by_test_id("scrub").focus()
        await page.keyboard.press("End")
        await expect(later).not_to_have_class(re.compile("future"))
        await expect(later).to_have_attribute("data-lit", "true")


async def test_two_pages_hear_of_one_another(product: Product) -> None:
    async with ask(product) as client, open_page() as page:
        session_id = await make_session(client, "Shared")
        browser = page.context.browser
        assert isinstance(browser, Browser)
        other = await browser.new_page()
        await open_session(page, client, session_id)
        await open_session(other, client, session_id)
        await write(page, "Valve opened")
        theirs = other.get_by_test_id("note").filter(has_text="Valve opened")
        await expect(theirs).to_be_visible()
        await theirs.hover()
        await theirs.get_by_role("button", name="Edit").click()
        await other.keyboard.press("End")
        await other.keyboard.type(" by hand")
        await other.keyboard.press("Enter")
        mine = page.get_by_test_id("note").filter(has_text="Valve opened by hand")
        await expect(mine).to_be_visible()
        await mine.get_by_role("button", name="edited").click()
        await expect(page.get_by_test_id("note-versions")).to_contain_text("Valve opened")
        await theirs.hover()
        await theirs.get_by_role("button", name="Delete").click()
        await expect(mine).to_have_count(0)
        await other.get_by_role("button", name="Undo").click()
        await expect(mine).to_be_visible()
        await other.close()


async def test_a_note_that_could_not_be_saved_is_kept_and_saved_once(product: Product) -> None:
    async with ask(product) as client, open_page() as page:
        session_id = await make_session(client, "Away")
        await open_session(page, client, session_id)
        notes = re.compile(rf"{session_id}/notes$")

        async def lose_answer(route: Route) -> None:
            # It is saved, but nobody hears of it.
            if route.request.method == "POST":
                await route.fetch()
            await route.abort()

        await page.route(notes, lose_answer)
        await write(page, "Said while away")
        unsaved = page.get_by_test_id("note-unsaved")
        await expect(unsaved).to_have_attribute("data-failed", "true")
        await expect(unsaved).to_contain_text("cannot be reached")
        await page.unroute(notes)
        await page.keyboard.press("n")
        await page.keyboard.type("Half a thou")
        await page.reload()
        await expect(page.get_by_role("textbox", name="Write a note")).to_have_value("Half a thou")
        await expect(unsaved).to_have_count(0)
        saved = [one["content"] for one in await list_notes(client, session_id)]
        assert saved == ["Said while away"]


async def test_a_session_is_begun_found_ended_and_taken_along(
    product: Product, tmp_path: Path
) -> None:
    async with ask(product) as client, open_page() as page:
        await page.goto(str(client.base_url))
        await page.keyboard.press("g")
        await page.keyboard.press("s")
        await expect(page.get_by_test_id("session-new")).to_be_visible()
        await page.keyboard.press("n")
        await page.get_by_label("Name", exact=True).fill("Łódź run 7")
        await page.get_by_role("button", name="Begin session").click()
        await expect(page.get_by_test_id("no-values")).to_be_visible()
        await write(page, "Nothing to see")
        await expect(page.get_by_test_id("note")).to_contain_text("Nothing to see")
        await page.get_by_test_id("session-end").click()
        await page.get_by_test_id("session-end-sure").get_by_role("button").first.click()
        await expect(page.get_by_test_id("session-status")).to_have_text("Ended")
        await expect(page.get_by_test_id("summary")).to_contain_text("1 observation")
        async with page.expect_download() as waiting:
            await page.get_by_test_id("session-export").click()
            await page.get_by_role("button", name="Markdown, to read").click()
        file = tmp_path / (await waiting.value).suggested_filename
        await (await waiting.value).save_as(file)
        assert file.name == "Łódź-run-7.md"
        written = file.read_text()
        assert "Łódź run 7" in written
        assert "Nothing to see" in written
        await page.goto(f"{client.base_url}/app/sessions?status=ended&q=run+7")
        await expect(page.get_by_test_id("session-row")).to_have_count(1)
        await page.goto(str(client.base_url))
        await page.keyboard.press("/")
        await page.keyboard.type("run 7")
        found = page.get_by_test_id("search").locator("[href*='/app/sessions/sess_']")
        await found.filter(has_text="Łódź run 7").click()
        await expect(page.get_by_role("heading", name="Łódź run 7")).to_be_visible()


async def test_deleting_a_session_asks_for_its_name(product: Product) -> None:
    async with ask(product) as client, open_page() as page:
        session_id = await make_session(client, "Short lived")
        await open_session(page, client, session_id)
        await page.get_by_test_id("session-change").click()
        await page.get_by_role("button", name="Delete", exact=True).click()
        sure = page.get_by_role("button", name="Delete session")
        await expect(sure).to_be_disabled()
        await page.get_by_label("Type Short lived to go on").fill("Short lived")
        await sure.click()
        await expect(page).to_have_url(re.compile(r"/app/sessions$"))
        assert (await client.get(f"{SESSIONS}/{session_id}")).status_code == 404


async def test_a_session_that_is_not_there_is_said_so(product: Product) -> None:
    async with ask(product) as client, open_page() as page:
        await page.goto(f"{client.base_url}/app/sessions/sess_0123456789abcdef")
        await expect(page.get_by_test_id("problem")).to_contain_text("There is no such session")


async def test_a_session_fits_every_screen(product: Product) -> None:
    async with ask(product) as client, open_page(width=WIDTHS[0]) as page:
        session_id = await make_session(client, "Narrow or wide " * 8, RISING)
        await open_session(page, client, session_id)
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 900})
            await expect(page.get_by_test_id("channel-lane")).to_be_visible()
            await eventually(partial(page.evaluate, WIDTH_DRAWN), holds=partial(operator.ge, width))


async def test_a_session_shuts_nobody_out(product: Product) -> None:
    async with ask(product) as client, open_page() as page:
        session_id = await make_session(client, "For all", RISING)
        begin = read_time((await list_notes(client, session_id))[0])
        await open_session(page, client, f"{session_id}?t={begin:%Y-%m-%dT%H:%M:%SZ}")
        await page.keyboard.press("n")
        await expect(page.get_by_test_id("composer")).to_be_visible()
        assert await list_faults(page) == []
        await page.goto(f"{client.base_url}/app/sessions?new=1")
        await expect(page.get_by_test_id("session-row").first).to_be_visible()
        assert await list_faults(page) == []
