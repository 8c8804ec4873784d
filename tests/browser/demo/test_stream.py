"""The page of a stream: its charts say what the API says, and so do its tables and files."""

import csv
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.async_api import Download, Locator, Page, expect

from core.clock import SystemClock
from tests.fixtures.browsers import open_page
from tests.fixtures.clients import open_client
from tests.fixtures.products import Product
from tests.fixtures.waiting import eventually

GUEST = "chart_guest"
OTHER = "other_guest"
"""Streams that no demo sends to: what they are is known to the last message."""

MINUTES = 50
GAP = range(20, 26)
DAYS = 40

MS_MAX = 40_000
"""Answers take milliseconds; reaching this means that none came."""


class Seeded:
    """A product with two streams whose past is known."""

    def __init__(self, product: Product) -> None:
        self.url = str(product.url)
        self.end = SystemClock().now().replace(second=0, microsecond=0) - timedelta(minutes=5)
        self.start = self.end - timedelta(minutes=MINUTES)

    def path(self, stream_id: str = GUEST, **more: str) -> str:
        span = {"from": write(self.start), "to": write(self.end)} | more
        query = "&".join(f"{name}={value}" for name, value in span.items())
        return f"{self.url}/app/streams/{stream_id}?{query}"


@pytest.fixture(scope="module")
def seeded(demo: Product) -> Seeded:
    made = Seeded(demo)
    for stream_id, pace in ((GUEST, 3), (OTHER, 7)):
        events = [*list_days(made, stream_id), *list_minutes(made, stream_id, pace)]
        sent = httpx.post(f"{made.url}/api/v1/ingest", json=events, timeout=30)
        assert sent.status_code == 202, sent.text
    return made


def write(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def event(stream_id: str, type_: str, at: datetime, **more: object) -> dict[str, object]:
    return {"stream_id": stream_id, "type": type_, "timestamp": at.isoformat(), **more}


def list_minutes(made: Seeded, stream_id: str, pace: int) -> Iterator[dict[str, object]]:
    """Some messages a minute with viewers, a gift and a reading now and then, and a gap."""
    for k in range(MINUTES):
        at = made.start + timedelta(minutes=k, seconds=1)
        if k in GAP:
            continue
        for n in range(pace + k % 5):
            said = "hello Kappa" if n % 2 else "PogChamp fine"
            yield event(stream_id, "chat", at, user=f"user{n}", text=said)
        yield event(stream_id, "viewers", at, value=1000 + 7 * k)
        yield event(stream_id, "reading", at, channel="temp", unit="°C", value=20 + k / 7)
        if k % 3 == 0:
            given = {"kind": "donation", "amount": 2.5, "currency": "EUR", "user": "user1"}
            yield event(stream_id, "transaction", at, **given)


def list_days(made: Seeded, stream_id: str) -> Iterator[dict[str, object]]:
    """A message every three hours of the days before."""
    first = made.start - timedelta(days=DAYS)
    for k in range(DAYS * 8):
        yield event(stream_id, "chat", first + timedelta(hours=3 * k), user="user0", text="hi")


@asynccontextmanager
async def ask(seeded: Seeded) -> AsyncIterator[httpx.AsyncClient]:
    async with open_client(f"{seeded.url}/api/v1") as client:
        yield client


async def list_rows(seeded: Seeded, stream_id: str = GUEST) -> dict[str, dict[str, Any]]:
    """Return the minutes of the API by their beginning, once all of them are complete."""
    wanted = {"start": write(seeded.start), "end": write(seeded.end), "limit": "500"}

    async def read() -> list[dict[str, Any]]:
        answer = await client.get(f"/streams/{stream_id}/metrics", params=wanted)
        found: list[dict[str, Any]] = answer.json().get("data", [])
        return found

    def are_whole(found: list[dict[str, Any]]) -> bool:
        return len(found) == MINUTES - len(GAP) and all(row["final"] for row in found)

    async with ask(seeded) as client:
        rows = await eventually(read, holds=are_whole, within_s=90)
    return {row["window_start"]: row for row in rows}


async def open_stream(page: Page, address: str) -> None:
    expect.set_options(timeout=MS_MAX)
    await page.goto(address)
    await expect(find_chart(page, "chat")).to_have_attribute("data-loading", "false")


def find_chart(page: Page, metric: str) -> Locator:
    return page.get_by_test_id(f"metric-{metric}")


async def choose(chart: Locator, entry: str) -> None:
    await chart.get_by_test_id("chart-menu").click()
    await chart.get_by_role("button", name=entry).click()


async def read_table(chart: Locator) -> dict[str, list[float | None]]:
    """Return the table of a chart by time, in the order of its columns."""
    await choose(chart, "Show as table")
    shown = await chart.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [row.dataset.at,"
        " [...row.cells].slice(1).map(cell => cell.dataset.value)])"
    )
    return {at: [None if value is None else float(value) for value in row] for at, row in shown}


async def save(page: Page, chart: Locator, entry: str) -> Download:
    async with page.expect_download() as waiting:
        await choose(chart, entry)
    return await waiting.value


async def read_file(page: Page, chart: Locator) -> dict[str, dict[str, str]]:
    """Return the rows of a saved CSV by time."""
    file = await (await save(page, chart, "Save as CSV")).path()
    with file.open(encoding="utf-8", newline="") as lines:
        return {row["window_start"]: row for row in csv.DictReader(lines)}


async def test_tables_and_files_hold_what_the_api_says_and_no_row_for_a_gap(
    seeded: Seeded,
) -> None:
    rows = await list_rows(seeded)
    assert len(rows) == MINUTES - len(GAP)
    rates = {at: row["chat_rate"] for at, row in rows.items()}
    async with open_page() as page:
        await open_stream(page, seeded.path())
        chat = find_chart(page, "chat")
        saved = await read_file(page, chat)
        assert {at: float(row["chat_rate"]) for at, row in saved.items()} == rates
        # Ten minutes warm up, and an ordinary one lies within what is expected.
        known = [row for row in saved.values() if row["expected_high"]]
        assert len(known) == len(saved) - 10
        for row in known:
            low, rate, high = map(
                float, (row["expected_low"], row["chat_rate"], row["expected_high"])
            )
            assert low <= rate <= high

        picture = await save(page, chat, "Save as PNG")
        assert re.fullmatch(rf"{GUEST}-chat-[\d-]+T\d+\.png", picture.suggested_filename)
        assert (await picture.path()).read_bytes().startswith(b"\x89PNG")

        shown = await read_table(chat)
        assert {at: row[0] for at, row in shown.items()} == rates
        viewers = await read_table(find_chart(page, "viewers"))
        assert {at: row[:2] for at, row in viewers.items()} == {
            at: [row["avg_viewers"], row["peak_viewers"]] for at, row in rows.items()
        }
        gifts = await read_table(find_chart(page, "transactions"))
        given = [k for k in range(0, MINUTES, 3) if k not in GAP]
        assert sum(row[0] or 0 for row in gifts.values()) == len(given)


async def test_the_cursor_says_no_data_in_a_gap_and_its_time_is_in_the_address(
    seeded: Seeded,
) -> None:
    rows = await list_rows(seeded)
    missing, before = (seeded.start + timedelta(minutes=GAP[0] - k) for k in (0, 1))
    async with open_page() as page:
        await open_stream(page, seeded.path(at=write(missing)))
        value = find_chart(page, "chat").get_by_test_id("value").first
        await expect(value).to_have_text("no data")

        chart = page.get_by_test_id("chart-viewers")
        await chart.focus()
        await chart.press("ArrowLeft")
        await eventually(lambda: read_query(page, "at"), holds=lambda at: at == write(before))
        shown = f"{rows[write(before)]['avg_viewers'] / 1000:.2f}k"
        await expect(chart).to_have_attribute("aria-valuetext", re.compile(shown))
        await page.reload()
        await expect(chart).to_have_attribute("aria-valuetext", re.compile(shown))
        await chart.press("Escape")
        await eventually(lambda: read_query(page, "at"), holds=lambda at: at is None)


def read_query(page: Page, name: str) -> str | None:
    return next(iter(parse_qs(urlsplit(page.url).query).get(name, [])), None)


def read_span(page: Page) -> tuple[str, str]:
    return read_query(page, "from") or "", read_query(page, "to") or ""


async def drag(page: Page, chart: Locator, start: float, end: float) -> None:
    box = await chart.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    await page.mouse.move(box["x"] + box["width"] * start, y)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] * end, y, steps=6)
    await page.mouse.up()


async def test_zoom_and_pan_are_in_the_address_restored_and_taken_back(seeded: Seeded) -> None:
    await list_rows(seeded)
    async with open_page() as page:
        await open_stream(page, seeded.path())
        whole, chart = read_span(page), page.get_by_test_id("chart-chat")
        span = page.get_by_test_id("span")
        await drag(page, chart, 0.3, 0.6)
        zoomed = read_span(page)
        assert whole[0] < zoomed[0] < zoomed[1] < whole[1]
        shown = await span.inner_text()
        await page.reload()
        await expect(span).to_have_text(shown)
        assert read_span(page) == zoomed

        await page.keyboard.down("Shift")
        await drag(page, chart, 0.4, 0.8)
        await page.keyboard.up("Shift")
        panned = read_span(page)
        assert panned[0] < zoomed[0]
        assert panned[1] < zoomed[1]
        await page.keyboard.press("-")
        await expect(span).not_to_have_text(shown)
        assert read_span(page)[0] < panned[0]
        await page.keyboard.press("z")
        await eventually(lambda: read_span(page), holds=lambda found: found == panned)
        await page.keyboard.press("l")
        await expect(page).not_to_have_url(re.compile("from="))


async def test_wide_ranges_come_in_the_windows_that_the_api_chooses(seeded: Seeded) -> None:
    await list_rows(seeded)
    start = write(seeded.end - timedelta(days=30))
    async with ask(seeded) as client:
        answer = await client.get(
            f"/streams/{GUEST}/metrics",
            params={"start": start, "end": write(seeded.end), "resolution": "auto"},
        )
    assert answer.json()["resolution"] == "1h"
    async with open_page() as page:
        await open_stream(page, seeded.path(**{"from": start}))
        await expect(page.get_by_test_id("resolution")).to_have_text(re.compile("^1.h · auto"))
        assert await find_chart(page, "chat").get_attribute("data-resolution") == "60"
        hours = {row["window_start"]: row["chat_rate"] for row in answer.json()["data"]}
        shown = await read_table(find_chart(page, "chat"))
        assert hours.items() <= {at: row[0] for at, row in shown.items()}.items()


async def test_another_stream_stands_beside_the_values(seeded: Seeded) -> None:
    at = seeded.start + timedelta(minutes=5)
    await list_rows(seeded)
    others = await list_rows(seeded, OTHER)
    async with open_page() as page:
        await open_stream(page, seeded.path(at=write(at)))
        await page.keyboard.press("c")
        await page.get_by_placeholder("Find a stream").fill("other")
        await page.locator(f'[data-stream="{OTHER}"]').click()
        await expect(page).to_have_url(re.compile(f"compare={OTHER}"))
        dotted = find_chart(page, "viewers").locator(".key.dot")
        mean = others[write(at)]["avg_viewers"]
        await expect(dotted).to_have_text(re.compile(rf"{OTHER}\s+{mean / 1000:.2f}k"))
        shown = await read_table(find_chart(page, "chat"))
        assert {when: row[-1] for when, row in shown.items()} == {
            when: row["chat_rate"] for when, row in others.items()
        }
        await page.keyboard.press("c")
        await expect(page).not_to_have_url(re.compile("compare="))
        await expect(dotted).to_have_count(0)
