"""Chain of custody: what is sent over HTTP is what stands in the database, to the last count."""

import asyncio
from datetime import timedelta
from pathlib import Path

from core.clock import SystemClock
from tests.acceptance.custody import assert_minutes_equal, cut_bodies, send_until_acknowledged
from tests.fixtures.clients import open_client
from tests.fixtures.products import run_product
from tests.fixtures.recomputations import generate_events

EVENTS = 100_000
SENDERS = 4
"""Bodies overtake one another; each spans 36 s of events, so disorder stays under 4 minutes."""


async def test_every_minute_of_100_000_events_equals_its_recomputation(tmp_path: Path) -> None:
    start = (SystemClock().now() - timedelta(minutes=40)).replace(second=0, microsecond=0)
    events = generate_events(
        seed=20_26,
        count=EVENTS,
        start=start,
        minutes=30,
        streams=12,
        disorder=timedelta(seconds=45),
    )
    bodies = enumerate(cut_bodies(events))
    with run_product(tmp_path / "a folder with spaces", "--no-demo", "--no-page") as product:
        status = product.status()
        async with open_client(status["api_url"], timeout=30) as client:

            async def send() -> None:
                for number, body in bodies:
                    await send_until_acknowledged(client, body, f"body-{number}")

            await asyncio.gather(*(send() for _ in range(SENDERS)))
        await assert_minutes_equal(status["database_url"], events)
