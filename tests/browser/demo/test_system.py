"""The system page: its figures are the API's, and what goes wrong is named and can be mended."""

from typing import Any, Final

import httpx
import psutil
import redis.asyncio
from playwright.async_api import Locator, Page, Response, expect
from prometheus_client.parser import text_string_to_metric_families

from streaming.bus.redis import name_shard
from tests.fixtures.browsers import open_page
from tests.fixtures.clients import open_client
from tests.fixtures.products import Product
from tests.fixtures.waiting import eventually

SEEN_MS_MAX: Final = 60_000
"""The page asks every five seconds; reaching this means that it never does."""

SYSTEM: Final = "/app/system"
LETTERS: Final = "/api/v1/dead-letters"
GARBAGE: Final = b"no events at all \x00\xff"
SHARD: Final = 3


class Overheard:
    """The last of each answer that the page itself got."""

    def __init__(self, page: Page) -> None:
        self._answers: dict[str, Response] = {}
        page.on("response", self._hear)

    def _hear(self, response: Response) -> None:
        self._answers[httpx.URL(response.url).path] = response

    async def read(self, path: str) -> Any:
        return await self._answers[path].json()

    async def read_metric(self, name: str) -> float:
        families = text_string_to_metric_families(await self._answers["/metrics"].text())
        return sum(s.value for family in families for s in family.samples if s.name == name)


async def read_figure(figure: Locator) -> float | None:
    shown = await figure.get_attribute("data-value")
    return None if shown is None else float(shown)


async def test_the_figures_are_those_of_the_api(demo: Product):
    async with open_page() as page:
        overheard = Overheard(page)
        await page.goto(f"{demo.url}{SYSTEM}")
        figures = {
            name: page.get_by_test_id(name)
            for name in (
                *("size", "server-connections", "bus-entries", "sockets", "applied"),
                *("jobs-running", "jobs-failed", "devices-connected", "commands-open"),
            )
        }
        lag = page.locator('[data-testid="place"][data-place="flow"] .v')
        senders = page.locator('[data-testid="place"][data-place="senders"] .v')
        await expect(figures["size"]).to_be_visible(timeout=SEEN_MS_MAX)

        async def compare() -> dict[str, tuple[float | None, float]]:
            system = await overheard.read("/api/v1/system")
            health = await overheard.read("/api/v1/health")
            told = {
                "size": system["database"]["size_bytes"],
                "server-connections": system["database"]["connections"],
                "bus-entries": system["bus"]["entries"],
                "applied": health["flow"]["events_per_second"],
                "jobs-running": system["jobs"]["running"],
                "jobs-failed": system["jobs"]["failed"],
                "devices-connected": system["devices"]["connected"],
                "commands-open": system["devices"]["commands_open"],
                "sockets": await overheard.read_metric("telemetra_live_connections"),
            }
            shown = {name: await read_figure(figure) for name, figure in figures.items()}
            shown["lag"], told["lag"] = await read_figure(lag), health["flow"]["lag_ms"]
            return {name: (shown[name], told[name]) for name in told}

        pairs = await eventually(
            compare, holds=lambda pairs: all(a == b for a, b in pairs.values()), within_s=60
        )
        assert pairs["size"][1] > 1_000_000
        # The demo has a worker and a device: there is something to count.
        assert pairs["devices-connected"][1] >= 1
        await expect(page.get_by_test_id("jobs-heard")).to_contain_text("ago")
        await eventually(lambda: read_figure(senders), holds=bool, within_s=60)
        rows = page.get_by_test_id("process")
        names = await rows.evaluate_all("rows => rows.map(row => row.dataset.name)")
        system = await overheard.read("/api/v1/system")
        assert names == [process["name"] for process in system["processes"]]
        assert {"archive", "flow 0", "alerts"} < set(names)


async def test_a_dead_letter_is_shown_with_its_reason_and_put_on_the_bus_again(demo: Product):
    status = demo.status()
    async with (
        open_page() as page,
        open_client(status["api_url"]) as client,
        redis.asyncio.from_url(status["redis_url"]) as bus,
    ):

        async def list_letters() -> list[dict[str, Any]]:
            letters: list[dict[str, Any]] = (await client.get(LETTERS)).json()["data"]
            return letters

        await page.goto(f"{status['api_url']}{SYSTEM}")
        await expect(page.get_by_test_id("letters-none")).to_be_visible(timeout=SEEN_MS_MAX)
        await bus.xadd(name_shard(SHARD), {"d": GARBAGE})
        (letter,) = await eventually(list_letters, within_s=60)
        row = page.locator(f'[data-letter-id="{letter["letter_id"]}"]')
        await expect(row).to_contain_text(letter["reason"][:60], timeout=SEEN_MS_MAX)
        await expect(page.get_by_test_id("letter-counts")).to_have_attribute("data-waiting", "1")
        await row.get_by_text("Show").click()
        details = page.get_by_test_id("letter-details")
        await expect(details).to_contain_text("no events at all")
        # The address opens the same letter again.
        await page.reload()
        await expect(details).to_contain_text(letter["reason"], timeout=SEEN_MS_MAX)
        await row.get_by_text("Replay").click()
        await expect(row.get_by_test_id("replayed")).to_be_visible(timeout=SEEN_MS_MAX)

        # It still cannot be read: a new letter waits instead, and all may be tried at once.
        newest, first = await eventually(
            list_letters, holds=lambda found: len(found) == 2, within_s=60
        )
        assert (first["letter_id"], newest["replayed_at"]) == (letter["letter_id"], None)
        assert first["replayed_at"] is not None
        again = page.locator(f'[data-letter-id="{newest["letter_id"]}"]')
        await expect(again).to_be_visible(timeout=SEEN_MS_MAX)
        await page.get_by_role("button", name="All", exact=True).click()
        await expect(page.get_by_test_id("letter")).to_have_count(2, timeout=SEEN_MS_MAX)


async def test_a_flow_that_hangs_is_named_with_what_it_means_until_it_is_back(demo: Product):
    status = demo.status()
    process = psutil.Process(int(demo.find_process("flow")["pid"]))
    async with open_page() as page, redis.asyncio.from_url(status["redis_url"]) as heartbeats:
        await page.goto(f"{status['api_url']}{SYSTEM}")
        place = page.locator('[data-testid="place"][data-place="flow"]')
        gone = page.locator('[data-testid="process"][data-name="flow 0"]')
        trouble = page.locator('[data-testid="trouble"][data-part="flow"]')
        await expect(gone).to_have_attribute("data-state", "runs", timeout=SEEN_MS_MAX)
        process.suspend()
        try:
            # Ten seconds later it would be gone by itself.
            await heartbeats.delete("heartbeat:flow:0")
            await expect(trouble).to_contain_text("none is lost", timeout=SEEN_MS_MAX)
            await expect(trouble).to_contain_text("Since")
            await expect(place).to_have_attribute("data-state", "down")
            await expect(gone).to_have_attribute("data-state", "gone", timeout=SEEN_MS_MAX)
        finally:
            process.resume()
        await expect(trouble).to_have_count(0, timeout=SEEN_MS_MAX)
        await expect(gone).to_have_attribute("data-state", "runs", timeout=SEEN_MS_MAX)


async def test_the_chip_tells_the_delay_leads_to_the_system_and_holds_the_picture(
    demo: Product,
):
    async with open_page() as page:
        await page.goto(f"{demo.url}/app/streams/northlight_live")
        chip, rate = page.get_by_test_id("connection"), page.get_by_test_id("chat-rate")
        await eventually(
            lambda: chip.get_attribute("data-delay"), holds=lambda ms: ms is not None, within_s=60
        )
        assert 0 <= float(await chip.get_attribute("data-delay") or "0") < SEEN_MS_MAX
        await page.get_by_test_id("pause").click()
        await expect(chip).to_have_attribute("data-state", "paused")
        await expect(page.get_by_text("What arrives meanwhile is kept")).to_be_visible()
        async with open_page() as other:
            await other.goto(page.url)
            moving = other.get_by_test_id("chat-rate")
            await expect(moving).to_contain_text("/s", timeout=SEEN_MS_MAX)
            # What had come before it was held may still be written, a second later at most.
            await expect(moving).not_to_have_text(await moving.inner_text(), timeout=SEEN_MS_MAX)
            held = await rate.inner_text()
            await expect(moving).not_to_have_text(await moving.inner_text(), timeout=SEEN_MS_MAX)
            await expect(moving).not_to_have_text(held, timeout=SEEN_MS_MAX)
        assert await rate.inner_text() == held
        await page.get_by_test_id("pause").click()
        await expect(rate).not_to_have_text(held, timeout=SEEN_MS_MAX)
        await chip.click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("System")
