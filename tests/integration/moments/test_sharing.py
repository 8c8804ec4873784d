"""Sharing: the flow, two people, two processes and live clients with one moment."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from api.app import build_app
from core.clock import ManualClock, SystemClock
from core.ids import shard_of
from core.moment_lives import MomentLife, find_state
from core.settings import Settings
from tests.fixtures.api_keys import list_audit
from tests.fixtures.apis import calling, serving
from tests.fixtures.clients import open_client
from tests.fixtures.clocks import START
from tests.fixtures.events import STREAM
from tests.fixtures.flows import Flow
from tests.fixtures.proxies import proxying
from tests.fixtures.waiting import eventually
from tests.integration.api.conftest import wait_until_heard
from tests.integration.api.paths import MOMENTS, STREAM_MOMENTS
from tests.integration.api.sockets import follow, receive_kind
from tests.integration.moments.conftest import (
    MINUTE,
    MOMENT_ID,
    PATH,
    change,
    find,
    list_states,
    make_moment,
    read,
    tell,
)

SHARD = shard_of(STREAM, 16)


@pytest.fixture(autouse=True)
async def found(flow: Flow) -> None:
    """One moment that goes on."""
    await find(flow, make_moment(), shard=SHARD)


@pytest.fixture
async def other(settings: Settings, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    """A client of another API process over the same services."""
    app = build_app(settings, clock)
    async with calling(app) as client:
        await wait_until_heard(app)
        yield client


@pytest.mark.parametrize(
    ("given", "going_on", "over"),
    [
        ({"action": "acknowledge"}, "acknowledged", "resolved"),
        ({"action": "shelve", "until": tell(START + MINUTE)}, "shelved", "shelved"),
        ({"action": "mute"}, "shelved", "resolved"),
        ({"action": "resolve"}, "resolved", "resolved"),
        ({"label": False}, "open", "open"),
    ],
)
async def test_what_people_did_outlives_what_the_flow_adds(
    client: httpx.AsyncClient, flow: Flow, given: dict[str, Any], going_on: str, over: str
):
    before = await change(client, comment="mine", **given)
    ended_at = START + 3 * MINUTE
    for moment, state in (
        (make_moment(revision=2, metric_value=500.0), going_on),
        (make_moment(revision=3, ended_at=ended_at), over),
        # A replay offers both again.
        (make_moment(revision=3, ended_at=ended_at), over),
        (make_moment(revision=2), over),
    ):
        await find(flow, moment, shard=SHARD)
        told = await read(client)
        assert (told["state"], told["label"]) == (state, before["label"])
        assert (told["life"], told["version"]) == (before["life"], 1)
    assert (told["revision"], told["ended_at"]) == (3, "2026-01-26T10:03:00Z")


async def test_of_two_people_at_once_each_has_an_effect_or_is_told(
    client: httpx.AsyncClient, other: httpx.AsyncClient, connection: asyncpg.Connection
):
    actions = ("acknowledge", "resolve", "reopen", "mute") * 4
    answers = await asyncio.gather(
        *(
            one.patch(PATH, json={"action": action, "comment": f"{action} {n}"})
            for n, action in enumerate(actions)
            for one in (client, other)
        )
    )
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) <= {200, 409}
    told = await read(client)
    assert [entry["version"] for entry in told["life"]] == list(range(1, told["version"] + 1))
    # In the order of the entries each state follows from the one before.
    changes = await list_audit(connection)
    states = [(row["before"]["state"], row["after"]["state"]) for row in changes]
    assert [before for before, _ in states] == ["open", *(after for _, after in states)][:-1]
    assert states[-1][1] == told["state"]
    kept = {entry["comment"] for entry in told["life"]}
    refused = {
        f"{action} {n}"
        for n, action in enumerate(actions)
        if {answers[2 * n].status_code, answers[2 * n + 1].status_code} == {409}
    }
    assert kept | refused == {f"{action} {n}" for n, action in enumerate(actions)}
    assert kept.isdisjoint(refused)


async def test_of_two_who_saw_the_same_only_the_first_one_decides(
    client: httpx.AsyncClient, other: httpx.AsyncClient
):
    tag = {"If-Match": (await client.get(PATH)).headers["ETag"]}
    answers = await asyncio.gather(
        client.patch(PATH, json={"action": "acknowledge"}, headers=tag),
        other.patch(PATH, json={"action": "resolve"}, headers=tag),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412]


async def test_the_flow_and_people_at_once_lose_nothing_of_each_other(
    client: httpx.AsyncClient, flow: Flow
):
    async def go_on() -> None:
        for revision in range(2, 22):
            await find(flow, make_moment(revision=revision), shard=SHARD)

    async def comment() -> None:
        for number in range(20):
            await change(client, comment=f"number {number}")

    await asyncio.gather(go_on(), comment())
    told = await read(client)
    assert (told["revision"], told["version"], len(told["life"])) == (21, 20, 20)


async def test_every_process_lists_a_change_as_soon_as_it_has_heard_of_it(
    settings: Settings, clock: ManualClock
):
    apps = [build_app(settings, clock), build_app(settings, clock)]
    async with calling(apps[0]) as first, calling(apps[1]) as second:
        for app in apps:
            await wait_until_heard(app)
        for action, state in (("acknowledge", "acknowledged"), ("reopen", "open")) * 3:
            for one in (first, second):
                for path in (MOMENTS, STREAM_MOMENTS):
                    assert len(await list_states(one, path)) == 1
            await change(first, action)
            # One's own change is seen at once, that of another when it is heard.
            assert await list_states(first) == [state]
            await wait_until_heard(apps[1])
            assert [await list_states(second, p) for p in (MOMENTS, STREAM_MOMENTS)] == [
                [state]
            ] * 2


async def test_live_clients_of_every_process_are_told_and_come_back_to_it(
    settings: Settings, clock: ManualClock, flow: Flow
):
    apps = [build_app(settings, clock), build_app(settings, clock)]
    async with (
        serving(apps[0]) as first,
        serving(apps[1]) as second,
        open_client(f"http://{first}") as client,
        follow(second, f"/ws/live/{STREAM}") as socket,
    ):
        snapshot = await receive_kind(socket, "moment")
        assert "position" not in snapshot
        await change(client, "acknowledge", label=True)
        heard = await receive_kind(socket, "moment")
        since = heard["position"] - 1
        assert (heard["data"]["state"], heard["data"]["version"]) == ("acknowledged", 1)
        listed = (await read(client, MOMENTS))["data"]
        assert heard["data"] == listed[0] == {k: heard["data"][k] for k in listed[0]}
        # What the flow tells next has what people did.
        await find(flow, make_moment(revision=2, ended_at=START + MINUTE), shard=SHARD)
        ended = (await receive_kind(socket, "moment"))["data"]
        assert (ended["state"], ended["label"], ended["revision"]) == ("resolved", True, 2)
        async with follow(second, f"/ws/live/{STREAM}?resume={since}") as again:
            missed = [(await receive_kind(again, "moment"))["data"] for _ in range(2)]
        assert [m["state"] for m in missed] == ["acknowledged", "resolved"]


async def test_without_redis_a_change_holds_and_is_told_once_it_is_back(
    settings: Settings, clock: ManualClock
):
    async with AsyncExitStack() as stack:
        proxy, url = await stack.enter_async_context(proxying(settings.require_redis_url()))
        cut_off = settings.model_copy(update={"redis_url": url})
        client = await stack.enter_async_context(calling(build_app(cut_off, clock)))
        address = await stack.enter_async_context(serving(build_app(settings, clock)))
        other = await stack.enter_async_context(open_client(f"http://{address}", timeout=20))
        socket = await stack.enter_async_context(follow(address, f"/ws/live/{STREAM}"))
        await receive_kind(socket, "moment")
        assert await list_states(other) == ["open"]
        proxy.cut()
        assert (await change(client, "acknowledge"))["state"] == "acknowledged"
        assert (await change(client, comment="still here"))["version"] == 2
        assert (await read(other))["version"] == 2
        # Nobody has told the other process.
        assert await list_states(other) == ["open"]
        proxy.mend()
        heard = [(await receive_kind(socket, "moment"))["data"] for _ in range(2)]
        assert [m["version"] for m in heard] == [1, 2]
        await eventually(lambda: list_states(other), holds=["acknowledged"].__eq__)


async def test_the_database_and_the_rules_agree_on_every_state(connection: asyncpg.Connection):
    times = (None, START - MINUTE, START, START + MINUTE)
    for state in ("open", "acknowledged", "shelved", "resolved"):
        for former in (None, "open", "acknowledged"):
            for until in times:
                for ended_at in times[:2]:
                    life = MomentLife(state, former, until)
                    told = await connection.fetchval(
                        "SELECT moment_state($1, $2, $3, $4, $5)",
                        state,
                        former,
                        until,
                        ended_at,
                        START,
                    )
                    assert told == find_state(life, ended_at, START), life


async def test_a_moment_goes_on_where_the_clock_of_the_machine_is(
    settings: Settings, connection: asyncpg.Connection
):
    async with calling(build_app(settings)) as client:
        until = SystemClock().now() + timedelta(milliseconds=300)
        await change(client, "shelve", until=tell(until))
        await eventually(lambda: list_states(client), holds=["open"].__eq__)
    assert await connection.fetchval("SELECT state FROM moments") == "shelved"
    assert MOMENT_ID in PATH
