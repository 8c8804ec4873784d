"""A person's path: an incident, an alert about it, and what somebody makes of it, to the audit log.

Through what people have: the command line for the first key, the API, a webhook, a live socket and
the page in a real browser.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import httpx
import orjson
from playwright.async_api import Locator, Page, expect
from websockets.asyncio.client import connect

from core.clock import SystemClock
from core.webhook_signatures import sign
from tests.fixtures.api_keys import wait_until_known
from tests.fixtures.browsers import open_page
from tests.fixtures.clients import open_client
from tests.fixtures.incidents import Incident
from tests.fixtures.products import Product
from tests.fixtures.receivers import Received, Receiver
from tests.fixtures.waiting import eventually

STREAM: Final = "raided_channel"
SETTER: Final = "who set it up"
SECRET: Final = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
COMMENT: Final = "The raid from aurora_live."
AGO: Final = timedelta(minutes=40)
CALM: Final = timedelta(minutes=22)
"""More than the complete minutes that a baseline asks for."""

SEEN_MS_MAX: Final = 20_000
"""What is waited for takes a second or two; reaching this means that it does not come."""


log = logging.getLogger(__name__)


def make_setters_key(product: Product) -> str:
    """Make the key of who sets it up, as the README says: on the machine itself."""
    made = product.run("keys", "create", SETTER, "--scope", "admin", "--json")
    assert made.returncode == 0, made.stderr.decode()
    text: str = orjson.loads(made.stdout)["key"]
    wait_until_known(product.url, text)
    return text


async def ask(client: httpx.AsyncClient, method: str, path: str, key: str, **given: Any) -> Any:
    """Return what the API answers to a key."""
    answer = await client.request(
        method, f"/api/v1/{path}", headers={"Authorization": f"Bearer {key}"}, **given
    )
    assert answer.is_success, answer.text
    return answer.json()


async def make_keys(client: httpx.AsyncClient, admin: str) -> dict[str, str]:
    """Make a key for each of those who take part, and wait until it opens."""
    wanted = {"sender": ["ingest"], "Robin": ["read", "operate"], "wall screen": ["read"]}
    made = {
        name: await ask(client, "POST", "keys", admin, json={"name": name, "scopes": scopes})
        for name, scopes in wanted.items()
    }
    keys = {name: str(each["key"]) for name, each in made.items()}
    for key in keys.values():
        await asyncio.to_thread(wait_until_known, str(client.base_url).rstrip("/"), key)
    return keys


async def make_alerts(client: httpx.AsyncClient, admin: str, receiver: Receiver) -> None:
    """Let a webhook be told when the chat goes wild: this one, others send here, too."""
    way = {"name": "on call", "kind": "webhook", "target": receiver.url, "secret": SECRET}
    route = await ask(client, "POST", "alert-routes", admin, json=way)
    rule = {"name": "uproar", "types": ["chat_spike"], "cool_down_s": 0, "severity": "critical"}
    told = {"stream": STREAM, "routes": [route["route_id"]]}
    await ask(client, "POST", "alert-rules", admin, json={**rule, **told})


@asynccontextmanager
async def follow(url: str, key: str) -> AsyncIterator[list[dict[str, Any]]]:
    """Collect what a live socket tells of the stream's moments."""
    told: list[dict[str, Any]] = []

    async def listen() -> None:
        async for text in socket:
            message = orjson.loads(text)
            if message["type"] == "moment":
                told.append(message["data"])

    address = f"{url.replace('http', 'ws', 1)}/ws/live"
    async with connect(address, additional_headers={"X-API-Key": key}) as socket:
        wish = {"type": "subscribe", "streams": [STREAM], "types": ["moment"]}
        await socket.send(orjson.dumps(wish).decode())
        task = asyncio.create_task(listen())
        try:
            yield told
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def show_page(page: Page, url: str, key: str) -> None:
    await page.goto(f"{url}/app/streams/{STREAM}")
    await page.get_by_label("Key", exact=True).fill(key)
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")


def find_told(receiver: Receiver, what: str) -> dict[str, Any] | None:
    """Return the moment of which this was said."""
    told = (moment for each in receiver.received for moment in each.event["data"]["moments"])
    return next((moment for moment in told if moment["what"] == what), None)


async def wait_until_told(receiver: Receiver, what: str) -> dict[str, Any]:
    """Wait until this is said of a moment, and return the moment."""
    found = await eventually(lambda: find_told(receiver, what), within_s=SEEN_MS_MAX / 1000)
    assert found is not None
    return found


def assert_signed(received: Received) -> None:
    """Hold the signature against one made of the same bytes."""
    given = {name.lower(): value for name, value in received.headers.items()}
    delivery_id, at_s = given["webhook-id"], int(given["webhook-timestamp"])
    assert abs(SystemClock().now().timestamp() - at_s) < timedelta(minutes=5).total_seconds()
    expected = sign(SECRET, delivery_id, at_s, received.body)
    assert given["webhook-signature"] == expected["webhook-signature"]
    assert received.event["id"] == delivery_id == given["idempotency-key"]


async def is_listed(client: httpx.AsyncClient, key: str) -> bool:
    streams = await ask(client, "GET", "streams", key)
    return any(each["id"] == STREAM for each in streams["data"])


def is_seen(seen: list[dict[str, Any]], moment_id: str, state: str, *, ended: bool) -> bool:
    """Tell whether the socket told that a moment is in a state."""
    return any(
        (each["moment_id"], each["state"], each["ended_at"] is not None)
        == (moment_id, state, ended)
        for each in seen
    )


def list_kinds(moment: dict[str, Any]) -> set[tuple[str, str]]:
    """Return of what kind the reasons are, and what they name."""
    return {(each["kind"], each["name"]) for each in moment["reasons"]}


@dataclass(frozen=True, slots=True)
class Scene:
    """Where the story takes place, and who takes part."""

    client: httpx.AsyncClient
    keys: dict[str, str]
    receiver: Receiver
    page: Page
    seen: list[dict[str, Any]]
    incident: Incident

    async def do(self, moment_id: str, **wish: Any) -> None:
        """Let Robin do something with a moment."""
        await ask(self.client, "PATCH", f"moments/{moment_id}", self.keys["Robin"], json=wish)

    def find_row(self, moment_id: str) -> Locator:
        """Return the moment on the page."""
        return self.page.locator(f'[data-testid="moment"][data-moment-id="{moment_id}"]')

    async def expect_step(self, name: str, words: str) -> None:
        """Wait until the page of the moment says that it has come so far."""
        step = self.page.get_by_test_id("life").locator(f'[data-step={name}][aria-current="step"]')
        await expect(step).to_contain_text(words, timeout=SEEN_MS_MAX)


async def meet_incident(scene: Scene) -> str:
    """Let the raid come in; see the webhook, the socket and the page tell of it."""
    await scene.incident.begin()
    sent_at = time.monotonic()
    async with scene.incident.going_on():
        told = await wait_until_told(scene.receiver, "opened")
        log.info("told_after_s=%.3f", time.monotonic() - sent_at)
        moment_id: str = told["moment_id"]
        assert (told["stream_id"], told["moment_type"]) == (STREAM, "chat_spike")
        assert told["started_at"] < format_time(scene.incident.raid_at, after_s=30)
        assert ("event", "raid") in list_kinds(told)
        assert {"word", "message"} <= {kind for kind, _ in list_kinds(told)}
        await eventually(lambda: is_seen(scene.seen, moment_id, "open", ended=False))
        row = scene.find_row(moment_id)
        await expect(row).to_contain_text("Chat spike", timeout=SEEN_MS_MAX)
        await scene.page.goto(str(scene.client.base_url.join(told["link"])))
        await expect(scene.page.get_by_test_id("moment-page")).to_have_attribute(
            "data-moment-id", moment_id
        )
        await expect(scene.page.get_by_test_id("reasons")).to_contain_text("Raid of 900")
        await expect(scene.page.get_by_test_id("moment-told")).to_contain_text("on call")

        await scene.do(moment_id, action="acknowledge", comment=COMMENT)
        await scene.expect_step("acknowledged", "Acknowledged")
        await expect(scene.page.get_by_test_id("history")).to_contain_text(COMMENT)
        await scene.do(moment_id, action="mute")
        await scene.expect_step("shelved", "Muted")
        await eventually(lambda: is_seen(scene.seen, moment_id, "shelved", ended=False))
    return moment_id


async def see_it_end(scene: Scene, moment_id: str) -> None:
    """Let the uproar end; see everybody who was told of the moment be told of that."""
    await scene.incident.send_until(scene.incident.at.replace(second=0) + timedelta(minutes=1))
    scene.incident.end()
    await scene.incident.send_until(SystemClock().now())
    ended = await wait_until_told(scene.receiver, "ended")
    assert (ended["moment_id"], ended["state"]) == (moment_id, "resolved")
    assert ended["ended_at"] is not None
    assert {("event", "raid"), ("metric", "avg_viewers")} <= list_kinds(ended)
    assert [moment for moment, _ in scene.receiver.told] == [moment_id, moment_id]
    await eventually(lambda: is_seen(scene.seen, moment_id, "resolved", ended=True))
    await scene.do(moment_id, label=True)
    await scene.expect_step("resolved", "Resolved")
    await expect(scene.page.get_by_test_id("history")).to_contain_text("a true one")


async def assert_on_record(scene: Scene, moment_id: str, admin: str) -> None:
    """Hold the moment's life and the audit log against what was done."""
    moment = await ask(scene.client, "GET", f"moments/{moment_id}", admin)
    done = [(each["actor_name"], each["action"], each["comment"]) for each in moment["life"]]
    assert done == [
        ("Robin", "acknowledge", COMMENT),
        ("Robin", "mute", None),
        ("Robin", None, None),
    ]
    assert (moment["label"], moment["metadata"]["withdrawn"]) == (True, False)
    audit = (await ask(scene.client, "GET", "audit", admin))["data"]
    assert [
        (each["actor_name"], each["action"])
        for each in reversed(audit)
        if each["target"] == moment_id or each["action"].startswith("alert")
    ] == [
        (SETTER, "alert_route.create"),
        (SETTER, "alert_rule.create"),
        ("Robin", "moment.acknowledge"),
        ("Robin", "moment.mute"),
        ("Robin", "moment.label"),
    ]
    assert COMMENT not in str(audit)
    assert SECRET not in str(audit)


def format_time(at: datetime | None, *, after_s: int) -> str:
    """Return a time as the API writes it."""
    assert at is not None
    return (at + timedelta(seconds=after_s)).strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_an_incident_is_told_acknowledged_muted_ended_labelled_and_on_record(
    product: Product, receiver: Receiver
) -> None:
    url = product.url
    admin = make_setters_key(product)
    async with open_client(url, timeout=30) as client, open_page() as page:
        keys = await make_keys(client, admin)
        await make_alerts(client, admin, receiver)
        start = (SystemClock().now() - AGO).replace(second=0, microsecond=0)
        sender = {"Authorization": f"Bearer {keys['sender']}"}
        incident = Incident(client, sender, STREAM, start)
        await incident.send_until(start + CALM)
        await eventually(lambda: is_listed(client, keys["wall screen"]))
        async with follow(url, keys["wall screen"]) as seen:
            await show_page(page, url, keys["wall screen"])
            assert receiver.received == []
            scene = Scene(client, keys, receiver, page, seen, incident)
            moment_id = await meet_incident(scene)
            await see_it_end(scene, moment_id)
            await assert_on_record(scene, moment_id, admin)
        for received in receiver.received:
            assert_signed(received)
