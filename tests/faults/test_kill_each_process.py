"""Kill each process: whatever dies while events flow comes back, and no count is wrong."""

import asyncio
from datetime import timedelta
from pathlib import Path

import httpx

from core.clock import SystemClock
from tests.acceptance.custody import assert_minutes_equal, cut_bodies, send_until_acknowledged
from tests.fixtures.products import Product, run_product
from tests.fixtures.recomputations import generate_events
from tests.fixtures.waiting import eventually

VICTIMS = ("flow", "api", "redis", "postgres", "flow")
"""The flow twice: once before and once after the others have died under it."""

EVENTS = 60_000


async def test_acknowledged_events_survive_the_death_of_each_process(tmp_path: Path) -> None:
    start = (SystemClock().now() - timedelta(minutes=25)).replace(second=0, microsecond=0)
    events = generate_events(
        seed=9, count=EVENTS, start=start, minutes=20, streams=10, disorder=timedelta(seconds=20)
    )
    bodies = cut_bodies(events)
    with run_product(tmp_path / "data", "--no-demo", "--no-page") as product:
        status = product.status()
        sent = asyncio.Event()
        async with (
            httpx.AsyncClient(base_url=status["api_url"], timeout=10) as client,
            asyncio.TaskGroup() as group,
        ):
            group.create_task(_send_while_killing(client, bodies, sent))
            group.create_task(_kill_in_turn(product, sent))
        await assert_minutes_equal(status["database_url"], events)
        restarts = {item["name"]: item["restarts"] for item in product.status()["processes"]}
        assert all(restarts[name] >= VICTIMS.count(name) for name in VICTIMS), restarts


async def _send_while_killing(
    client: httpx.AsyncClient, bodies: list[bytes], sent: asyncio.Event
) -> None:
    """Send one body after another; each pass of the event tells that one more was taken."""
    for number, body in enumerate(bodies):
        await send_until_acknowledged(client, body, f"body-{number}")
        sent.set()
        # Senders send at their own pace; without it all would be sent before the second kill.
        await asyncio.sleep(0.3)


async def _kill_in_turn(product: Product, sent: asyncio.Event) -> None:
    for name in VICTIMS:
        sent.clear()
        await sent.wait()
        killed = await asyncio.to_thread(product.kill, name)

        async def is_back(name: str = name, killed: int = killed) -> bool:
            return await asyncio.to_thread(product.is_back, name, instead_of=killed)

        await eventually(is_back, within_s=60)
