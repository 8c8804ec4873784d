"""Pasts: what happened to the product whose panels are asked, told through its door.

arena    26 hours of chat, viewers, emotes, transactions and a channel; a spike half an hour ago
bench    two channels that measure until now, and one that fell silent 40 minutes ago
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

import asyncpg
import httpx
import orjson

from db.pool import prepare_connection
from tests.fixtures.alerts import write_moment
from tests.fixtures.waiting import eventually

HOURS: Final = 26
"""Longer than a day, so that yesterday is a day that is over."""

SPIKE_BEFORE: Final = 30
SILENT_BEFORE: Final = 40
"""Minutes before the end."""

USUAL: Final = 6
"""Messages a minute: enough in all for it to be the busiest stream of the product."""

CHANNELS: Final = ("temperature", "fps", "humidity")

BODY_EVENTS: Final = 5000
JSON: Final = {"Content-Type": "application/json"}

SEVERITIES: Final = {1: 1.2, 2: 2.0, 3: 3.0, 4: 5.0}
"""A moment of each severity, by its number and score."""

WRITTEN: Final = """
    SELECT
        (SELECT count(*) FROM chat_summary_hour) >= 24
        AND (SELECT count(*) FROM chat_summary_day) >= 2
        AND (SELECT count(*) FROM reading_summary_hour WHERE channel = 'humidity') >= 24
        AND (SELECT count(*) FROM moments WHERE stream_id = 'arena') >= 1
        AND (SELECT count(*) FROM late_events) >= 1
"""
DEAD_LETTER: Final = """
    INSERT INTO dead_letters (shard, batch_offset, arrived_at, reason, payload)
    VALUES (0, 1, now(), 'it holds no events', 'x')
"""
DELIVERY: Final = """
    INSERT INTO deliveries (
        delivery_id, route_id, group_key, severity, state, content, moment_ids, next_at
    ) VALUES ('dlv_1', 'rte_1', 'all', 'warning', 'delivered', '{}', '{}', now())
"""

Event = dict[str, Any]


def tell_minutes(now: datetime) -> Iterator[Event]:
    """Return everything that happened until a time, in its order."""
    last = HOURS * 60
    begin = now.replace(second=0, microsecond=0) - timedelta(minutes=last)
    for minute in range(last):
        at, before = begin + timedelta(minutes=minute), last - minute
        yield from _chat(at, messages=240 if before == SPIKE_BEFORE else USUAL + minute % 3)
        yield _event("arena", "viewers", at, value=1000 + minute % 60)
        yield _event(
            "arena", "reading", at, channel="heart_rate", value=80 + minute % 9, unit="bpm"
        )
        if minute % 10 == 0:
            yield _event("arena", "transaction", at, kind="donation", amount=5.0, currency="EUR")
        for channel in ("temperature", "fps") if before < SILENT_BEFORE else CHANNELS:
            value = 60 + (minute * 7 % 11) / 10
            yield _event("bench", "reading", at, channel=channel, value=value, unit="u")


def _chat(at: datetime, *, messages: int) -> Iterator[Event]:
    for number in range(messages):
        yield _event(
            "arena",
            "chat",
            at + timedelta(seconds=number * 59 / messages),
            user=f"user{number}",
            text="what a good play Kappa",
            emotes=["Kappa", "LUL"][: 1 + number % 2],
        )


def _event(stream_id: str, type_: str, at: datetime, **more: Any) -> Event:
    return {"stream_id": stream_id, "type": type_, "timestamp": at.isoformat(), **more}


def send_past(client: httpx.Client, now: datetime) -> None:
    """Send it all, then one event that is far too late and one that is none."""
    events = tell_minutes(now)
    while body := list(islice(events, BODY_EVENTS)):
        _send(client, body)
    _send(client, [_event("arena", "viewers", now, value=1)])
    _send(client, [_event("arena", "chat", now - timedelta(hours=20), user="u", text="late")])
    _send(client, [{"stream_id": "arena", "type": "nonsense"}])


def _send(client: httpx.Client, events: list[Event]) -> None:
    # A body without any good row is refused as a whole, and counted as refused.
    answer = client.post("/api/v1/ingest", content=orjson.dumps(events), headers=JSON)
    assert answer.status_code in {202, 422}, answer.text


async def finish_past(url: str, now: datetime) -> None:
    """Wait until it is written, and write what only trouble or people would."""
    connection = await asyncpg.connect(url)
    await prepare_connection(connection)
    try:
        await eventually(lambda: connection.fetchval(WRITTEN), within_s=60)
        for number, score in SEVERITIES.items():
            await write_moment(
                connection,
                number,
                stream_id="arena",
                score=score,
                started_at=now - timedelta(minutes=20 + number),
            )
        await write_moment(
            connection, 9, stream_id="bench", score=5.0, started_at=now - timedelta(minutes=20)
        )
        await connection.execute(DEAD_LETTER)
        await connection.execute(DELIVERY)
    finally:
        await connection.close()
