"""Alerts on the page: routes and rules made by keys alone, and what came of each delivery."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
from playwright.async_api import Locator, Page, expect

from core.clock import SystemClock
from db.pool import prepare_connection
from tests.fixtures.alerts import name_moment, write_moment
from tests.fixtures.browsers import open_page
from tests.fixtures.clients import open_client
from tests.fixtures.receivers import Manners, Receiver

TOLD_MS_MAX = 30_000
"""The list is read every five seconds; reaching this means that nothing came."""

HALL = "hall_seven"
BENCH = "bench_nine"


@dataclass(frozen=True, slots=True)
class Stage:
    """A page, the API that it asks, and the database in which moments are written."""

    page: Page
    api: httpx.AsyncClient
    connection: asyncpg.Connection

    async def open(self, path: str) -> None:
        await self.page.goto(f"{self.api.base_url}".rstrip("/") + path)

    async def ask(self, path: str, **query: Any) -> list[dict[str, Any]]:
        data: list[dict[str, Any]] = (await self.api.get(path, params=query)).json()["data"]
        return data

    async def write_moment(self, number: int, stream_id: str) -> None:
        """Write a moment as the flow does: with the change that the alerts hear of."""
        now = SystemClock().now()
        await write_moment(self.connection, number, stream_id=stream_id, started_at=now, score=3.0)


@asynccontextmanager
async def staging(status: dict[str, Any]) -> AsyncIterator[Stage]:
    connection = await asyncpg.connect(status["database_url"])
    await prepare_connection(connection)
    try:
        async with open_client(status["api_url"]) as api, open_page() as page:
            yield Stage(page, api, connection)
    finally:
        await connection.close()


def find_field(place: Page | Locator, label: str) -> Locator:
    return place.get_by_role("textbox", name=re.compile(f"^{label}"))


async def make_rule(stage: Stage, receiver: Receiver, stream_id: str) -> str:
    """Make a route to the receiver and a rule of one stream; return the id of the rule."""
    way = {"name": f"to {stream_id}", "kind": "webhook", "target": receiver.url}
    route = (await stage.api.post("/api/v1/alert-routes", json=way)).json()
    rule = {"name": f"of {stream_id}", "stream": stream_id, "routes": [route["route_id"]]}
    made = await stage.api.post("/api/v1/alert-rules", json=rule)
    return str(made.json()["rule_id"])


async def test_a_route_and_a_rule_are_made_by_keys_alone_and_a_delivery_is_seen(
    status: dict[str, Any], receiver: Receiver
) -> None:
    async with staging(status) as stage:
        page = stage.page
        await stage.open("/app/alerts")
        await expect(page.get_by_test_id("alerts-first")).to_contain_text("Nobody is told")
        await page.get_by_role("link", name="Make a route").press("Enter")

        # A route: what is wrong is said when the field is left.
        await expect(find_field(page, "Name")).to_be_focused()
        await page.keyboard.type("on call")
        target = find_field(page, "Target")
        await target.focus()
        await page.keyboard.type("ftp://nowhere")
        await page.keyboard.press("Tab")
        await expect(target).to_have_attribute("aria-invalid", "true")
        await expect(page.get_by_text("has to begin with http://")).to_be_visible()
        await target.fill(receiver.url)
        await target.press("Enter")
        row = page.get_by_test_id("route")
        await expect(row).to_contain_text("on call")
        assert receiver.url not in await page.content()
        await row.get_by_role("button", name="Send a test over on call").press("Enter")
        await expect(page.get_by_test_id("test-outcome")).to_contain_text("The test arrived")
        assert receiver.received[0].event["data"]["moments"][0]["stream_id"] == "test"

        # A rule, held against the week before it is made.
        await stage.write_moment(1, HALL)
        await page.get_by_role("tab", name="Routes").press("ArrowLeft")
        await page.get_by_role("link", name="Make a rule").press("Enter")
        await find_field(page, "Name").fill("of the hall")
        await find_field(page, "Streams").fill(HALL)
        await page.get_by_role("button", name="on call").press("Space")
        asked = {"stream": HALL, "min_score": 1.5}
        preview = (await stage.api.post("/api/v1/alert-previews", json=asked)).json()
        assert preview["told"] == 1
        await expect(page.get_by_test_id("look-told")).to_have_text(
            "Would have told 1 time in 7 days"
        )
        await find_field(page, "Lowest score").fill("9")
        await expect(page.get_by_test_id("look-told")).to_contain_text("0 times")
        await find_field(page, "Lowest score").fill("1,5")
        await find_field(page, "Name").press("Enter")
        await expect(page.get_by_test_id("rule")).to_contain_text("of the hall")
        (rule,) = await stage.ask("/api/v1/alert-rules")
        assert (rule["stream"], rule["min_score"], rule["enabled"]) == (HALL, 1.5, True)

        # What happens from now on is told, and the page says so.
        await stage.write_moment(2, HALL)
        told = page.locator('[data-testid="delivery"][data-state="delivered"]')
        await expect(told.filter(has_text=HALL)).to_have_count(1, timeout=TOLD_MS_MAX)
        (delivery,) = await stage.ask("/api/v1/deliveries", rule_id=rule["rule_id"])
        await expect(told.filter(has_text=HALL)).to_have_attribute(
            "data-delivery-id", delivery["delivery_id"]
        )
        assert delivery["moment_ids"] == [name_moment(2)]
        await expect(page.get_by_test_id("rule-sent")).to_have_text("1", timeout=TOLD_MS_MAX)
        await expect(page.get_by_test_id("alert-totals")).to_contain_text("2 delivered")


async def test_what_was_refused_says_why_and_is_sent_again(
    status: dict[str, Any], receiver: Receiver
) -> None:
    receiver.manners = [Manners(status=410, text="This hook was removed.")]
    async with staging(status) as stage:
        page = stage.page
        rule_id = await make_rule(stage, receiver, BENCH)
        await stage.write_moment(3, BENCH)
        await stage.open(f"/app/alerts?tab=deliveries&state=failed&for={rule_id}")
        row = page.get_by_test_id("delivery")
        await expect(row).to_contain_text("This hook was removed.", timeout=TOLD_MS_MAX)
        (delivery,) = await stage.ask("/api/v1/deliveries", rule_id=rule_id)
        assert (delivery["state"], delivery["attempts"]) == ("failed", 1)
        await row.get_by_role("button").press("Enter")
        panel = page.get_by_test_id("delivery-panel")
        await expect(panel.get_by_test_id("delivery-reason")).to_have_text(delivery["reason"])
        await expect(panel.get_by_test_id("attempt")).to_have_count(1)
        assert f"delivery={delivery['delivery_id']}" in page.url
        await panel.get_by_role("button", name="Send again").press("Enter")
        state = panel.get_by_test_id("delivery-state")
        await expect(state).to_contain_text("delivered", timeout=TOLD_MS_MAX)
        await expect(panel.get_by_test_id("attempt")).to_have_count(2)
        # It is no longer among those that failed.
        await expect(row).to_have_count(0, timeout=TOLD_MS_MAX)
        await page.reload()
        await expect(state).to_contain_text("delivered")
        await panel.get_by_role("button", name="Only of this moment").click()
        await expect(page.get_by_test_id("delivery")).to_have_count(1)
        assert f"moment={name_moment(3)}" in page.url


async def test_a_rule_is_paused_at_once_and_deleted_by_its_name(
    status: dict[str, Any], receiver: Receiver
) -> None:
    async with staging(status) as stage:
        page = stage.page
        rule_id = await make_rule(stage, receiver, "quiet_one")
        path = f"/api/v1/alert-rules/{rule_id}"
        await stage.open(f"/app/alerts?rule={rule_id}")
        switch = page.get_by_role("switch", name="of quiet_one is on")
        await switch.press("Space")
        await expect(switch).not_to_be_checked()
        form = page.get_by_test_id("rule-form")
        await find_field(form, "Again after").fill("90000")
        await find_field(form, "Name").press("Enter")
        await expect(find_field(form, "Again after")).to_be_focused()
        await expect(form.get_by_text("From 0 to 86,400.")).to_be_visible()
        await find_field(form, "Again after").fill("60")
        await form.get_by_role("button", name="Save rule").press("Enter")
        await expect(form.get_by_text("Saved.")).to_be_visible()
        rule = (await stage.api.get(path)).json()
        assert (rule["enabled"], rule["cool_down_s"]) == (False, 60.0)

        # Somebody else took the name meanwhile: the server's word is shown.
        other = {"name": "taken", "routes": rule["routes"]}
        await stage.api.post("/api/v1/alert-rules", json=other)
        await find_field(form, "Name").fill("taken")
        await find_field(form, "Name").press("Enter")
        await expect(form.get_by_text("There is an alert rule 'taken' already.")).to_be_visible()
        await form.get_by_role("button", name="Discard").click()

        await form.get_by_role("button", name="Delete").press("Enter")
        await expect(form.get_by_role("button", name="Delete rule")).to_be_disabled()
        await page.keyboard.type("of quiet_one")
        await page.keyboard.press("Enter")
        await expect(form).to_have_count(0)
        row = page.locator(f'[data-testid="rule"][data-rule-id="{rule_id}"]')
        await expect(row).to_have_count(0)
        assert (await stage.api.get(path)).status_code == 404
        routes = await stage.ask("/api/v1/alert-routes")
        await expect(page.get_by_role("tab", name=re.compile("^Routes"))).to_have_text(
            f"Routes {len(routes)}"
        )
