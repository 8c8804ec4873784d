"""Recomputation: late events count afterwards, and nothing that once counted is taken away."""

import asyncio
from datetime import datetime, timedelta

import asyncpg
import polars as pl
import pytest
import redis.asyncio

from core.clock import SystemClock
from core.settings import Settings
from streaming.archive.recomputes import Recomputed, recompute
from streaming.archive.recounts import Span
from streaming.archive.sources import ArchiveSource
from tests.fixtures.archives import ArchiveRunner, list_parquet
from tests.fixtures.events import STREAM, chat, reading, transaction, viewers
from tests.fixtures.roll_ups import check_roll_ups
from tests.fixtures.waiting import eventually
from tests.integration.archive.grounds import HOUR, Ground, check


async def run(ground: Ground, beginning: datetime) -> Recomputed:
    source = ArchiveSource(ground.settings.archive_dir)
    span = Span(beginning - HOUR, beginning + HOUR)
    return await recompute(ground.settings, source, span, SystemClock())


async def send_late(ground: Ground, beginning: datetime) -> None:
    """Send a minute, time that closes it for ever, and then more of that minute."""
    await ground.send(
        [
            chat(beginning, "ada", "great Kappa"),
            viewers(beginning, 10),
            reading(beginning, 1.0, unit="V"),
            reading(beginning, 5.0, "humidity"),
            chat(beginning + timedelta(minutes=20)),
        ]
    )
    await ground.flow.pump()
    await ground.send(
        [
            chat(beginning, "late", "terrible LUL"),
            viewers(beginning, 20),
            reading(beginning + timedelta(seconds=9), 3.0),
            transaction(beginning),
            # A minute that had no row at all.
            chat(beginning + timedelta(minutes=2), "later"),
        ]
    )
    await ground.settle()


async def test_late_events_count_after_a_recomputation_and_verification_agrees(
    ground: Ground,
    connection: asyncpg.Connection,
    redis_client: redis.asyncio.Redis,
    beginning: datetime,
):
    await send_late(ground, beginning)
    version = await redis_client.get(f"version:stream:{STREAM}")
    before = await connection.fetchrow(
        "SELECT * FROM chat_summary_minute WHERE window_start = $1", beginning
    )
    done = await run(ground, beginning)
    assert (done.minutes, done.listings, done.left) == (4, 5, 0)
    row = await connection.fetchrow(
        "SELECT * FROM chat_summary_minute WHERE window_start = $1", beginning
    )
    assert before is not None
    assert row is not None
    assert (row["chat_count"], row["unique_chatters"], row["top_emotes"]) == (
        2,
        2,
        ["Kappa", "LUL"],
    )
    assert (row["avg_viewers"], row["peak_viewers"], row["final"]) == (15, 20, True)
    assert row["chat_rate"] == pytest.approx(2 / 60)
    assert row["revision"] > before["revision"]
    assert (row["z_score"], row["is_anomaly"]) == (before["z_score"], before["is_anomaly"])
    readings = await connection.fetch(
        "SELECT channel, count, mean, p50, p95, last, unit FROM reading_summary_minute"
        " ORDER BY channel"
    )
    assert [tuple(each) for each in readings] == [
        ("humidity", 1, 5.0, 5.0, 5.0, 5.0, None),
        ("temp", 2, 2.0, 1.0, 3.0, 3.0, "V"),
    ]
    money = await connection.fetchrow("SELECT * FROM transaction_summary_minute")
    assert money is not None
    assert (money["kind"], money["currency"], money["window_start"]) == ("donation", "", beginning)
    assert (money["count"], money["sum"], money["final"]) == (1, 5.0, True)
    await check_roll_ups(connection)
    assert (
        await connection.fetchval("SELECT count(*) FROM late_events WHERE applied_at IS NULL") == 0
    )
    assert (await check(ground, beginning)).differences.rows() == []
    # What is cached of the stream is old now.
    assert await redis_client.get(f"version:stream:{STREAM}") != version
    assert await run(ground, beginning) == Recomputed()


async def test_a_minute_is_left_when_the_archive_does_not_hold_all_that_it_counts(
    ground: Ground, connection: asyncpg.Connection, beginning: datetime
):
    await send_late(ground, beginning)
    for path in list_parquet(ground.settings.archive_dir):
        rows = pl.read_parquet(path)
        rows.filter(pl.col("user").ne_missing("ada")).write_parquet(path)
    stored = await connection.fetch("SELECT * FROM chat_summary_minute ORDER BY window_start")
    done = await run(ground, beginning)
    assert done.left == 4
    after = await connection.fetch("SELECT * FROM chat_summary_minute ORDER BY window_start")
    assert [row for row in after if row in stored] == stored
    assert (
        await connection.fetchval("SELECT count(*) FROM late_events WHERE applied_at IS NULL") == 4
    )


async def test_late_events_that_are_not_archived_yet_wait(
    ground: Ground, connection: asyncpg.Connection, beginning: datetime
):
    await ground.send([chat(beginning), chat(beginning + timedelta(minutes=20))])
    await ground.settle()
    await ground.send([chat(beginning, "late")])
    await ground.flow.pump()
    done = await run(ground, beginning)
    assert (done.minutes, done.listings, done.left) == (0, 0, 1)
    ground.archive()
    assert (await run(ground, beginning)).listings == 1
    assert (
        await connection.fetchval("SELECT count(*) FROM late_events WHERE applied_at IS NULL") == 0
    )


async def test_what_a_sender_says_again_about_the_past_changes_nothing(
    ground: Ground, connection: asyncpg.Connection, beginning: datetime
):
    past = [
        chat(beginning, id="c"),
        viewers(beginning, 10, id="v"),
        reading(beginning, 1.0, id="r"),
        transaction(beginning, id="t"),
    ]
    await ground.send([*past, chat(beginning + timedelta(minutes=20))])
    await ground.flow.pump()
    await ground.send([*past, reading(beginning, 2.0, id="new")])
    await ground.settle()
    late = await connection.fetch("SELECT type, events FROM late_events ORDER BY type")
    assert [tuple(row) for row in late] == [
        ("chat", 0),
        ("reading", 1),
        ("transaction", 0),
        ("viewers", 0),
    ]
    for table, rows in (("viewer_timeseries", 1), ("readings", 2), ("transactions", 1)):
        query = f"SELECT count(*) FROM {table}"  # noqa: S608 (ours)
        assert await connection.fetchval(query) == rows
    assert (await check(ground, beginning)).differences.rows() == []
    assert (await run(ground, beginning)).left == 0
    assert (await check(ground, beginning)).differences.rows() == []
    counts = await connection.fetch("SELECT count::int FROM reading_summary_minute")
    assert [row["count"] for row in counts] == [2]


async def test_late_events_in_a_damaged_file_wait(ground: Ground, beginning: datetime):
    await send_late(ground, beginning)
    for path in list_parquet(ground.settings.archive_dir):
        path.write_bytes(path.read_bytes()[:-9])
    assert (await run(ground, beginning)).listings == 0


async def test_hours_and_days_count_late_events_and_those_of_the_flow_meanwhile(
    ground: Ground, settings: Settings, connection: asyncpg.Connection, beginning: datetime
):
    await send_late(ground, beginning)
    # The flow has written a minute and not committed it: the recomputation waits for it.
    other = await asyncpg.connect(settings.require_database_url())
    flow = other.transaction()
    await flow.start()
    await other.execute("SELECT FROM source_offsets FOR UPDATE")
    waiting = asyncio.create_task(run(ground, beginning))
    await eventually(lambda: is_waiting(connection))
    assert not waiting.done()
    await flow.commit()
    await other.close()
    assert (await waiting).minutes == 4
    await check_roll_ups(connection)
    found = await check(ground, beginning)
    assert (found.differences.rows(), found.roll_ups > 0) == ([], True)


async def is_waiting(connection: asyncpg.Connection) -> bool:
    blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    return bool(await connection.fetchval(blocked))


async def test_a_late_event_sent_again_on_time_counts_once_more_and_no_repeat_of_it(
    ground: Ground, connection: asyncpg.Connection, beginning: datetime
):
    far = beginning + timedelta(minutes=8)
    await ground.send([chat(beginning), chat(far)])
    await ground.flow.pump()
    await ground.send([chat(beginning, id="7"), chat(far, id="8")])
    await ground.flow.pump()
    await ground.send([chat(far, id="7"), chat(far, id="7"), chat(beginning, id="8")])
    await ground.settle()
    assert (await check(ground, beginning)).differences.rows() == []
    assert (await run(ground, beginning)).listings == 2
    outcome = await check(ground, beginning)
    assert (outcome.differences.rows(), outcome.pending) == ([], {})
    counts = await connection.fetch(
        "SELECT chat_count FROM chat_summary_minute ORDER BY window_start"
    )
    # Their ids have counted eight minutes later.
    assert [row["chat_count"] for row in counts] == [1, 3]


async def test_two_recomputations_at_once_count_each_late_event_once(
    ground: Ground, connection: asyncpg.Connection, beginning: datetime
):
    await send_late(ground, beginning)
    both = await asyncio.gather(run(ground, beginning), run(ground, beginning))
    assert sum(each.listings for each in both) == 5
    assert (await check(ground, beginning)).differences.rows() == []
    assert await connection.fetchval("SELECT count(*) FROM late_events") == 5


async def test_the_command_says_what_it_did(
    ground: Ground, archive_process: ArchiveRunner, beginning: datetime
):
    await send_late(ground, beginning)
    arguments = ["--recompute", "--from", beginning.isoformat()]
    done = await asyncio.to_thread(archive_process.run, "replay", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "4 minutes recomputed, 5 lists of late events applied\n"
