"""Stores: every query runs against the real tables and answers what was written."""

from datetime import timedelta
from typing import Any

import asyncpg
import polars as pl
import pytest

from core.errors import DatabaseAwayError, InvalidError, NotFoundError
from db import (
    alert_routes,
    alert_rules,
    alerts,
    boards,
    commands,
    commits,
    databases,
    dead_letters,
    deletions,
    deliveries,
    detection,
    device_logs,
    devices,
    jobs,
    minutes,
    moment_changes,
    moment_lives,
    moment_notes,
    moments,
    notes,
    readings,
    roll_ups,
    script_runs,
    session_telemetry,
    sessions,
    streams,
    stt_tasks,
    transactions,
    tunings,
    windows,
)
from db.commits import CommitStore
from db.databases import DatabaseStore
from db.migrate import newest_revision
from db.minutes import MinuteStore, Span
from db.moments import MomentFilter, MomentStore
from db.pool import Pool
from db.streams import StreamFilter, StreamNames, StreamStore
from streaming.flow.shards import FlowPolicy, Shard
from tests.fixtures.api_keys import ACTOR
from tests.fixtures.changes import make_changes
from tests.fixtures.clocks import START
from tests.fixtures.events import STREAM, chat, make_batch, make_entry, reading
from tests.fixtures.settings import make_settings
from tests.integration.db.used_queries import USED

LONG_AGO = START - timedelta(days=1)
WIDTHS = ("buckets", "hours", "days")
CURVES = ("minutes", *WIDTHS)
"""What the tests of this folder and of the API run; a new query belongs into one of them."""

MOMENT_FILTERS: list[tuple[dict[str, Any], int]] = [
    ({}, 1),
    ({"stream_id": STREAM}, 1),
    ({"stream_id": "other"}, 0),
    ({"moment_type": "chat_spike", "state": "open"}, 1),
    ({"moment_type": "flatline"}, 0),
    ({"state": "acknowledged"}, 0),
    ({"state": "shelved"}, 0),
    ({"state": "resolved"}, 0),
    ({"min_score": 1.0}, 1),
    ({"min_score": 1e6}, 0),
    ({"after": (START + timedelta(minutes=12), "")}, 1),
    ({"after": (START + timedelta(minutes=12), "z")}, 0),
    ({"after": (START + timedelta(minutes=11), "")}, 0),
    ({"span": Span(end=START)}, 0),
]

STREAM_FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, [STREAM, "other"]),
    ({"after": STREAM}, ["other"]),
    ({"search": "NORTH"}, [STREAM]),
    ({"search": "100%_"}, []),
    ({"kind": "stream"}, [STREAM, "other"]),
    ({"kind": "bench"}, []),
    ({"is_live": True}, [STREAM, "other"]),
    ({"is_live": False}, []),
    ({"limit": 1}, [STREAM]),
    ({"limit": 1, "offset": 1}, ["other"]),
]


@pytest.fixture
async def filled(connection: asyncpg.Connection) -> asyncpg.Connection:
    """A database with a spike, a channel and two streams."""
    shard = Shard(0, FlowPolicy())
    store = CommitStore(connection)
    for minute in range(18):
        time = START + timedelta(minutes=minute)
        events = [chat(time, text="Kappa LUL Kappa")] * (200 if minute == 12 else 5)
        events += [reading(time, float(minute), unit="V"), reading(time, 1.0, "load")]
        entry = make_entry(time, [*events, chat(time, stream_id="other")])
        await store.commit(shard.apply(make_batch([entry])))
    return connection


def test_no_query_is_without_a_test():
    loaded = {
        "alert_routes": alert_routes.SQL,
        "alert_rules": alert_rules.SQL,
        "alerts": alerts.SQL,
        "boards": boards.SQL,
        "devices": devices.SQL,
        "commands": commands.SQL,
        "script_runs": script_runs.SQL,
        "device_logs": device_logs.SQL,
        "jobs": jobs.SQL,
        "stt_tasks": stt_tasks.SQL,
        "deliveries": deliveries.SQL,
        "moment_changes": moment_changes.SQL,
        "commits": commits.SQL,
        "databases": databases.SQL,
        "minutes": minutes.SQL,
        "moments": moments.SQL,
        "moment_notes": moment_notes.SQL,
        "notes": notes.SQL,
        "sessions": sessions.SQL,
        "session_telemetry": session_telemetry.SQL,
        "moment_lives": moment_lives.SQL,
        "dead_letters": dead_letters.SQL,
        "deletions": deletions.SQL,
        "detection": detection.SQL,
        "roll_ups": roll_ups.SQL,
        "streams": streams.SQL,
        "readings": readings.SQL,
        "transactions": transactions.SQL,
        "tunings": tunings.SQL,
        "windows": windows.SQL,
        "curves": windows.CURVES,
    }
    assert {noun: set(queries) for noun, queries in loaded.items()} == USED


async def test_the_server_tells_what_it_is_and_who_of_us_is_connected(
    connection: asyncpg.Connection,
):
    store = DatabaseStore(connection)
    server = await store.describe()
    assert server["version"].startswith(str(connection.get_server_version().major))
    assert (server["migration"], server["license"]) == (newest_revision(), "apache")
    assert server["size_bytes"] > 1_000_000
    assert 0 < server["connections"] <= server["connections_max"]
    await connection.execute("SET application_name = 'telemetra-alerts'")
    (client,) = await store.list_clients()
    assert (client["name"], client["connections"]) == ("alerts", 1)
    await connection.execute("SET application_name = 'somebody'")
    assert await store.list_clients() == []


async def test_chat_minutes_are_listed_newest_first_within_their_span(
    filled: asyncpg.Connection,
):
    store = MinuteStore(filled)
    rows = await store.list_chat(STREAM, Span(limit=3))
    assert [row["window_start"].minute for row in rows] == [17, 16, 15]
    assert rows[0]["top_emotes"] == [{"emote": "Kappa", "count": 10}, {"emote": "LUL", "count": 5}]
    span = Span(START + timedelta(minutes=2), START + timedelta(minutes=4))
    rows = await store.list_chat(STREAM, span)
    assert [row["window_start"].minute for row in rows] == [3, 2]
    assert await store.list_chat("nobody", Span()) == []


async def test_channel_minutes_are_listed_newest_first(filled: asyncpg.Connection):
    rows = await MinuteStore(filled).list_readings(STREAM, "temp", Span(limit=2))
    facts = [(row["window_start"].minute, row["mean"], row["unit"], row["count"]) for row in rows]
    assert facts == [(17, 17.0, "V", 1), (16, 16.0, "V", 1)]


async def test_channels_are_listed_with_their_newest_value(filled: asyncpg.Connection):
    rows = await MinuteStore(filled).list_channels(STREAM, 10)
    facts = [(row["channel"], row["unit"], row["last_value"]) for row in rows]
    assert facts == [("load", None, 1.0), ("temp", "V", 17.0)]
    assert len(await MinuteStore(filled).list_channels(STREAM, 1)) == 1


async def test_moments_are_filtered(filled: asyncpg.Connection):
    for chosen, count in MOMENT_FILTERS:
        rows = await MomentStore(filled).list_moments(
            MomentFilter(**{"span": Span()} | chosen), now=START
        )
        assert len(rows) == count, chosen
        told = {"band", "told_by", "confirmed", "withdrawn"}
        assert all(row["metadata"].keys() == told for row in rows)
        assert all(reason["text"] for row in rows for reason in row["reasons"])


async def test_streams_are_filtered(filled: asyncpg.Connection):
    for chosen, ids in STREAM_FILTERS:
        rows = await StreamStore(filled).list_streams(StreamFilter(**chosen), live_since=LONG_AGO)
        assert [row["stream_id"] for row in rows] == ids, chosen
        assert all(row["latest"]["window_start"].startswith("2026-01-26T10:17") for row in rows)


async def test_a_stream_is_put_and_keeps_what_is_not_said(connection: asyncpg.Connection):
    store = StreamStore(connection)
    await store.put("new", StreamNames("A title", "bench", {"a": [1, "é"]}), actor=ACTOR)
    await store.put("new", StreamNames(), actor=ACTOR)
    row = await store.get("new")
    assert (row["title"], row["kind"], row["metadata"]) == ("A title", "bench", {"a": [1, "é"]})
    assert (row["last_event_at"], row["latest"]) == (None, None)
    await store.put("new", StreamNames("Another", metadata={}), actor=ACTOR)
    assert ((await store.get("new"))["title"], (await store.get("new"))["metadata"]) == (
        "Another",
        {},
    )


async def test_a_stream_that_is_not_there_is_said_not_to_be(connection: asyncpg.Connection):
    with pytest.raises(NotFoundError, match="'nobody'"):
        await StreamStore(connection).get("nobody")
    with pytest.raises(NotFoundError, match="'nobody'"):
        await StreamStore(connection).require("nobody")


async def test_a_title_keeps_the_name_that_people_gave_until_a_sender_changes_it(
    filled: asyncpg.Connection,
):
    store = StreamStore(filled)
    await store.put(STREAM, StreamNames("By hand", "chat"), actor=ACTOR)
    heard = pl.DataFrame({"stream_id": [STREAM], "title": [None], "last_event_at": [LONG_AGO]})
    changes = make_changes(offset=2**62, streams=heard)
    await CommitStore(filled).commit([changes])
    row = await store.get(STREAM)
    assert (row["title"], row["kind"]) == ("By hand", "chat")
    assert row["last_event_at"] == START + timedelta(minutes=17)


async def test_a_database_that_is_away_is_said_to_be(dead_database_url: str):
    pool = Pool(make_settings(database_url=dead_database_url))
    with pytest.raises(DatabaseAwayError) as caught:
        async with pool.connection():
            pass
    assert "secret-word" not in caught.value.detail
    await pool.close()


async def test_a_statement_that_takes_too_long_counts_as_away(database_url: str):
    pool = Pool(make_settings(database_url=database_url, db_statement_timeout_ms=100))
    with pytest.raises(DatabaseAwayError):
        async with pool.connection() as connection:
            await connection.execute("SELECT pg_sleep(30)")
    async with pool.connection() as connection:
        assert await connection.fetchval("SELECT 1") == 1
    await pool.close()


async def test_a_null_character_is_refused_as_a_value(database_url: str):
    pool = Pool(make_settings(database_url=database_url))
    for title, metadata in (("a\0b", None), (None, {"a": "\0"})):
        named = StreamNames(title, metadata=metadata)
        with pytest.raises(InvalidError, match="null character"):
            async with pool.connection() as connection:
                await StreamStore(connection).put("a", named, actor=ACTOR)
    await pool.close()
