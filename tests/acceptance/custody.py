"""Custody: sends known events through HTTP and holds the database against their recomputation."""

import math
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import asyncpg
import httpx
import orjson

from tests.fixtures.recomputations import recompute_chat, recompute_readings
from tests.fixtures.waiting import eventually

BODY_EVENTS = 2000
SETTLED_S_MAX = 90
"""Reaching it fails the test: something was lost, or nobody works any more."""

EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


Ours: TypeAlias = tuple[datetime, Sequence[str]]
"""What is somebody else's: all before a time, and some streams."""

RETRY = httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE


def cut_bodies(events: list[dict[str, Any]]) -> list[bytes]:
    """Return events as NDJSON bodies."""
    parts = (events[at : at + BODY_EVENTS] for at in range(0, len(events), BODY_EVENTS))
    return [b"\n".join(orjson.dumps(event) for event in part) for part in parts]


async def send_until_acknowledged(client: httpx.AsyncClient, body: bytes, key: str) -> None:
    """Send a body as a careful sender does: the same one under the same key until it is taken."""

    async def is_taken() -> bool:
        try:
            answer = await client.post(
                "/api/v1/ingest",
                content=body,
                headers={"Content-Type": "application/x-ndjson", "Idempotency-Key": key},
            )
        except httpx.TransportError:
            return False
        if answer.status_code in RETRY:
            return False
        assert answer.status_code == 202, answer.text
        assert answer.json()["rejected"] == 0, answer.text
        return True

    await eventually(is_taken, within_s=SETTLED_S_MAX)


async def assert_minutes_equal(
    database_url: str,
    events: list[dict[str, Any]],
    *,
    since: datetime = EVER,
    apart_from: Sequence[str] = (),
) -> None:
    """Wait until every minute is final and hold each against the recomputation.

    Args:
        database_url: Where everything is stored.
        events: All that were sent since then.
        since: What is stored of times before is somebody else's.
        apart_from: So is what is stored of these streams.
    """
    ours = since, apart_from
    connection = await asyncpg.connect(database_url)
    try:
        await eventually(lambda: _is_settled(connection, events, ours), within_s=SETTLED_S_MAX)
        await _assert_chat_equal(connection, events, ours)
        await _assert_readings_equal(connection, events, ours)
        await _assert_raw_equal(connection, events, ours)
    finally:
        await connection.close()


async def _is_settled(
    connection: asyncpg.Connection, events: list[dict[str, Any]], ours: Ours
) -> bool:
    sent = sum(event["type"] == "chat" for event in events)
    counted = await connection.fetchval(
        "SELECT sum(chat_count) FROM chat_summary_minute"
        " WHERE window_start >= $1 AND NOT stream_id = ANY($2)",
        *ours,
    )
    running = await connection.fetchval(
        "SELECT count(*) FROM (SELECT stream_id, final FROM chat_summary_minute"
        " UNION ALL SELECT stream_id, final FROM reading_summary_minute) AS minutes"
        " WHERE NOT final AND NOT stream_id = ANY($1)",
        ours[1],
    )
    return bool((counted or 0) >= sent and running == 0)


async def _assert_chat_equal(
    connection: asyncpg.Connection, events: list[dict[str, Any]], ours: Ours
) -> None:
    expected = recompute_chat(events)
    rows = {
        (row["stream_id"], row["window_start"]): row
        for row in await connection.fetch(
            "SELECT * FROM chat_summary_minute"
            " WHERE window_start >= $1 AND NOT stream_id = ANY($2)",
            *ours,
        )
    }
    assert rows.keys() == expected.keys()
    for key, minute in expected.items():
        row = rows[key]
        assert row["chat_count"] == minute.chat_count, key
        assert row["unique_chatters"] == len(minute.chatters), key
        assert row["top_emotes"] == minute.top_emotes, key
        counts = {name: minute.emotes[name] for name in minute.top_emotes}
        assert orjson.loads(row["emote_counts"]) == counts, key
        _assert_mean(row["chat_rate"], minute.chat_count, 60)
        _assert_mean(row["avg_sentiment"], minute.sentiment_thousandths, 1000 * minute.chat_count)
        _assert_mean(row["avg_viewers"], sum(minute.viewers), len(minute.viewers))
        assert row["peak_viewers"] == max(minute.viewers, default=None), key


async def _assert_readings_equal(
    connection: asyncpg.Connection, events: list[dict[str, Any]], ours: Ours
) -> None:
    expected = recompute_readings(events)
    rows: dict[tuple[str, str, datetime], asyncpg.Record] = {
        (row["stream_id"], row["channel"], row["window_start"]): row
        for row in await connection.fetch(
            "SELECT * FROM reading_summary_minute"
            " WHERE window_start >= $1 AND NOT stream_id = ANY($2)",
            *ours,
        )
    }
    assert rows.keys() == expected.keys()
    for key, values in expected.items():
        row = rows[key]
        assert row["count"] == len(values), key
        assert (row["min"], row["max"]) == (min(values), max(values)), key
        assert row["last"] == values[-1], key
        assert math.isclose(row["mean"], statistics.fmean(values), rel_tol=1e-12), key
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        assert math.isclose(row["stddev"], spread, rel_tol=1e-6, abs_tol=1e-9), key


async def _assert_raw_equal(
    connection: asyncpg.Connection, events: list[dict[str, Any]], ours: Ours
) -> None:
    tables = {
        "viewers": "SELECT count(*) FROM viewer_timeseries WHERE timestamp >= $1",
        "reading": "SELECT count(*) FROM readings WHERE timestamp >= $1",
        "transaction": "SELECT count(*) FROM transactions WHERE timestamp >= $1",
    }
    for event_type, query in tables.items():
        sent = sum(event["type"] == event_type for event in events)
        found = await connection.fetchval(f"{query} AND NOT stream_id = ANY($2)", *ours)
        assert found == sent, event_type
    late = "SELECT coalesce(sum(events), 0) FROM late_events WHERE NOT stream_id = ANY($1)"
    assert await connection.fetchval(late, ours[1]) == 0


def _assert_mean(stored: float | None, total: float, count: int) -> None:
    """Equal but for the last bits of a division."""
    if count == 0:
        assert stored is None
    else:
        assert stored is not None
        assert math.isclose(stored, total / count, rel_tol=1e-12, abs_tol=1e-15)
