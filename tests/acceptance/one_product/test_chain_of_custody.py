"""Chain of custody: what was sent is kept, verified and replayed, and counted to the last event."""

import asyncio
from datetime import timedelta
from typing import Any, Final

import asyncpg

from core.clock import SystemClock
from tests.acceptance.custody import assert_minutes_equal, cut_bodies, send_until_acknowledged
from tests.fixtures.clients import open_client
from tests.fixtures.products import Product
from tests.fixtures.recomputations import generate_events
from tests.fixtures.waiting import eventually

ARCHIVED: Final = 8_000
COUNTED: Final = 100_000
SENDERS: Final = 4
"""Bodies overtake one another; each spans 36 s of events, so disorder stays under 4 minutes."""

MINUTES = """
    SELECT window_start, chat_count, unique_chatters, top_emotes, avg_sentiment, avg_viewers,
           peak_viewers, final
    FROM chat_summary_minute
    WHERE starts_with(stream_id, $1)
    ORDER BY replace(stream_id, 'replay-', ''), window_start
"""


async def read_minutes(database_url: str, prefix: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(database_url)
    try:
        return [tuple(row) for row in await connection.fetch(MINUTES, prefix)]
    finally:
        await connection.close()


async def test_what_was_sent_is_archived_verified_and_replayed(product: Product) -> None:
    # Before the time of the test that follows.
    start = (SystemClock().now() - timedelta(minutes=75)).replace(second=0, microsecond=0)
    events = generate_events(
        seed=4, count=ARCHIVED, start=start, minutes=20, streams=6, disorder=timedelta(seconds=9)
    )
    end = start + timedelta(minutes=20)
    span = ("--from", start.isoformat(), "--to", end.isoformat())
    status = product.status()
    database_url: str = status["database_url"]
    async with open_client(status["api_url"], trust_env=False) as client:
        for number, body in enumerate(cut_bodies(events)):
            await send_until_acknowledged(client, body, f"body-{number}")
            if number == 4:
                product.kill("archive")
        assert (await client.get("/api/v1/health")).status_code == 200
    await assert_minutes_equal(database_url, events)
    said = await eventually(
        lambda: product.verify(start, end),
        holds=lambda said: not said["not_comparable"] and said["compared"] > 200,
        within_s=60,
    )
    assert (said["differ"], said["unreadable"]) == (0, [])

    refused = product.run("replay", *span, "--into", "")
    assert refused.returncode == 1
    assert b"count twice" in refused.stderr

    replayed = product.run("replay", *span, "--speed", "max")
    assert replayed.returncode == 0, replayed.stderr.decode()
    assert f"{ARCHIVED} of {ARCHIVED} events replayed".encode() in replayed.stdout
    originals = await read_minutes(database_url, "stream-")
    assert len(originals) == 120
    await eventually(
        lambda: read_minutes(database_url, "replay-stream-"),
        holds=lambda minutes: minutes == originals,
        within_s=60,
    )
    said = await eventually(
        lambda: product.verify(start, end),
        holds=lambda said: not said["not_comparable"] and said["compared"] > 400,
        within_s=60,
    )
    assert said["differ"] == 0


async def test_every_minute_of_100_000_events_equals_its_recomputation(product: Product) -> None:
    start = (SystemClock().now() - timedelta(minutes=40)).replace(second=0, microsecond=0)
    events = generate_events(
        seed=20_26,
        count=COUNTED,
        start=start,
        minutes=30,
        streams=12,
        disorder=timedelta(seconds=45),
    )
    bodies = enumerate(cut_bodies(events))
    async with open_client(product.url, timeout=30) as client:

        async def send() -> None:
            for number, body in bodies:
                await send_until_acknowledged(client, body, f"counted-{number}")

        await asyncio.gather(*(send() for _ in range(SENDERS)))
    await assert_minutes_equal(product.status()["database_url"], events, since=start)
