"""Kill each process: whatever dies while events flow comes back, and no count is wrong."""

import asyncio
import os
import signal
from datetime import timedelta

import httpx

from core.clock import SystemClock
from tests.acceptance.custody import assert_minutes_equal, cut_bodies, send_until_acknowledged
from tests.fixtures.clients import open_client
from tests.fixtures.products import Product
from tests.fixtures.recomputations import generate_events
from tests.fixtures.waiting import eventually

VICTIMS = ("flow", "api", "redis", "archive", "alerts", "postgres", "flow")
"""The flow twice: once before and once after the others have died under it."""

EVENTS = 60_000


async def test_acknowledged_events_survive_the_death_of_each_process(
    product: Product, earlier: list[str]
) -> None:
    start = (SystemClock().now() - timedelta(minutes=25)).replace(second=0, microsecond=0)
    events = generate_events(
        seed=9, count=EVENTS, start=start, minutes=20, streams=10, disorder=timedelta(seconds=20)
    )
    bodies = cut_bodies(events)
    status = product.status()
    before = _count_restarts(product)
    sending = asyncio.Event()
    async with (
        open_client(status["api_url"], timeout=10) as client,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(_send_while_killing(client, bodies, sending))
        group.create_task(_kill_in_turn(product, sending))
    await assert_minutes_equal(status["database_url"], events, apart_from=earlier)
    said = await eventually(
        lambda: product.verify(start, start + timedelta(minutes=20)),
        holds=lambda said: not said["not_comparable"],
        within_s=60,
    )
    # Every minute of ten streams, from the archive as from the database.
    assert said["compared"] >= 2 * 10 * 20
    assert (said["differ"], said["unreadable"]) == (0, [])
    restarts = _count_restarts(product)
    assert all(restarts[name] - before[name] >= VICTIMS.count(name) for name in VICTIMS), restarts


def _count_restarts(product: Product) -> dict[str, int]:
    return {item["name"]: item["restarts"] for item in product.status()["processes"]}


async def _send_while_killing(
    client: httpx.AsyncClient, bodies: list[bytes], sending: asyncio.Event
) -> None:
    """Send one body after another; the event tells that one is on its way."""
    for number, body in enumerate(bodies):
        sending.set()
        await send_until_acknowledged(client, body, f"body-{number}")
        sending.clear()
        # Senders send at their own pace; without it all would be sent before the second kill.
        await asyncio.sleep(0.6)
    # On a machine so slow that victims are left, they die without a request.
    sending.set()


async def _kill_in_turn(product: Product, sending: asyncio.Event) -> None:
    """Kill each victim while a request is under way, and wait until it is back."""
    for name in VICTIMS:
        pid = (await asyncio.to_thread(product.find_process, name))["pid"]
        await sending.wait()
        os.kill(pid, signal.SIGKILL)

        async def is_back(name: str = name, killed: int = pid) -> bool:
            return await asyncio.to_thread(product.is_back, name, instead_of=killed)

        await eventually(is_back, within_s=60)
