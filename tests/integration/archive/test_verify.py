"""Verification: nothing to say about clean data, and every kind of difference is found."""

import asyncio
from datetime import datetime, timedelta

import asyncpg
import orjson
import polars as pl
import pytest

from core.batches import encode_events
from core.clock import SystemClock
from streaming.archive.recounts import Span
from streaming.archive.sources import ArchiveSource
from streaming.archive.verify import verify
from streaming.archive.writers import drop_old_hours
from tests.fixtures.archives import ArchiveRunner, list_parquet
from tests.fixtures.events import chat, make_events, reading, transaction, viewers
from tests.integration.archive.grounds import HOUR, Ground, changed_by_hand, check, check_hour

STREAMS = [f"stream-{number}" for number in range(8)]


def make_minutes(beginning: datetime) -> list[dict[str, object]]:
    """Return three minutes of every type in every stream."""
    texts = ["great Kappa Kappa", "lag again", "\U0001f602 nice, LUL", "hmm"]
    events = []
    for place, stream_id in enumerate(STREAMS):
        for number in range(30):
            at = beginning + timedelta(seconds=6 * number, milliseconds=place)
            events += [
                chat(at, f"user{number % 7}", texts[number % 4], stream_id=stream_id),
                chat(at, "ada", "own", emotes=["Wave", "a, b 3"], stream_id=stream_id),
                viewers(at, 100.5 + number, stream_id=stream_id),
                reading(at, 1e6 + number / 7, stream_id=stream_id, unit="V"),
                transaction(at, None if number % 2 else 2.5, stream_id=stream_id),
            ]
    return events


def count_roll_ups(beginning: datetime) -> int:
    """Return how many hours and days these minutes lie in, of chat and of the one channel."""
    times = [beginning + timedelta(minutes=number) for number in range(3)]
    hours = {at.replace(minute=0) for at in times}
    return 2 * len(STREAMS) * (len(hours) + len({at.date() for at in times}))


async def move_minutes(connection: asyncpg.Connection, change: str) -> None:
    """Change the time of stored minutes, be it into another chunk."""
    await connection.execute("CREATE TEMP TABLE moved AS TABLE chat_summary_minute")
    await connection.execute(f"UPDATE moved SET {change}")  # noqa: S608 - ours.
    await connection.execute("DELETE FROM chat_summary_minute")
    await connection.execute("INSERT INTO chat_summary_minute TABLE moved")


async def test_clean_data_has_no_differences(ground: Ground, beginning: datetime):
    await ground.send(make_minutes(beginning))
    await ground.settle()
    outcome = await check(ground, beginning)
    assert outcome.differences.rows() == []
    assert outcome.pending == {}
    # Three minutes of chat, of readings and of transactions of each stream.
    assert outcome.compared == 3 * 3 * len(STREAMS)
    assert (await check(ground, beginning, "stream-3")).compared == 9


CHAT = {
    "chat_count = chat_count + 1": "chat_count",
    "unique_chatters = 9": "unique_chatters",
    "avg_sentiment = avg_sentiment + 2e-9": "avg_sentiment",
    "avg_sentiment = NULL": "avg_sentiment",
    "avg_viewers = avg_viewers * 1.00001": "avg_viewers",
    "peak_viewers = NULL": "peak_viewers",
    "emote_counts = jsonb_set(emote_counts, '{Kappa}', '1')": "emotes",
    "emote_counts = emote_counts - 'LUL'": "emotes",
}
READINGS = {
    "count = 0": "count",
    "mean = mean + 0.01": "mean",
    "stddev = stddev * 1.01": "stddev",
    "min = min - 1": "min",
    "max = max + 1": "max",
    "last = min": "last",
    "p50 = p50 + 0.01": "p50",
    "p95 = NULL": "p95",
    "last_at = last_at - INTERVAL '1 s'": "last_at",
}
TRANSACTIONS = {
    "count = 11": "count",
    "sum = sum + 0.5": "sum",
    "sum = NULL": "sum",
    "kind = 'bits'": "row",
}
CHANGES = {"chat": CHAT, "readings": READINGS, "transactions": TRANSACTIONS}


@pytest.mark.parametrize("table", CHANGES)
async def test_one_row_changed_by_hand_is_found(
    ground: Ground, connection: asyncpg.Connection, beginning: datetime, table: str
):
    await ground.send(make_minutes(beginning))
    await ground.settle()
    minute = beginning + timedelta(minutes=1)
    name = f"{table.removesuffix('s')}_summary_minute"
    changes = {f"UPDATE {name} SET {change}": column for change, column in CHANGES[table].items()}  # noqa: S608 (ours)
    if table != "transactions":
        changes[f"DELETE FROM {name}"] = "row"  # noqa: S608 (ours)
    for change, column in changes.items():
        one = f"{change} WHERE stream_id = 'stream-5' AND window_start = $1"
        async with changed_by_hand(connection, name, one, minute):
            found = (await check_hour(ground, beginning)).differences
        # An hour or a day that this minute is part of is found to differ, too.
        found = found.filter(~pl.col("table").str.contains("hours|days"))
        assert set(found.select("table", "stream_id", "minute", "column").rows()) == {
            (table, "stream-5", minute, column)
        }, change
    assert (await check(ground, beginning)).differences.rows() == []


async def test_a_row_without_events_is_found(
    ground: Ground, connection: asyncpg.Connection, beginning: datetime
):
    await ground.send([chat(beginning)])
    await ground.settle()
    await move_minutes(connection, "window_start = window_start + INTERVAL '1 minute'")
    found = (await check(ground, beginning)).differences
    assert found.select("column", "stored", "recounted").rows() == [
        ("row", "missing", "there"),
        ("row", "there", "no events"),
    ]


async def test_what_is_not_archived_or_not_applied_yet_is_no_difference(
    ground: Ground, beginning: datetime
):
    await ground.send([chat(beginning), transaction(beginning)])
    await ground.settle()
    await ground.send([chat(beginning), transaction(beginning)])
    await ground.flow.pump()
    outcome = await check(ground, beginning)
    assert (outcome.differences.rows(), outcome.pending) == ([], {"not archived yet": 2})
    ground.archive()
    assert (await check(ground, beginning)).compared == 2
    await ground.send([chat(beginning), transaction(beginning)])
    ground.archive()
    outcome = await check(ground, beginning)
    assert (outcome.differences.rows(), outcome.pending) == ([], {"not applied yet": 2})


async def test_a_minute_that_still_runs_is_not_judged(ground: Ground, beginning: datetime):
    await ground.send([chat(beginning)])
    await ground.flow.pump()
    ground.archive()
    assert (await check(ground, beginning)).pending == {"still open": 1}


async def test_late_events_do_not_count_until_they_are_applied(
    ground: Ground, connection: asyncpg.Connection, beginning: datetime
):
    await ground.send(
        [chat(beginning), reading(beginning), chat(beginning + timedelta(minutes=20))]
    )
    await ground.flow.pump()
    await ground.send([chat(beginning, "late"), reading(beginning, 9.0), viewers(beginning, 5)])
    await ground.settle()
    assert await connection.fetchval("SELECT count(*) FROM late_events") == 3
    assert (await check(ground, beginning)).differences.rows() == []
    await connection.execute("UPDATE late_events SET applied_at = now()")
    found = (await check(ground, beginning)).differences
    assert {"chat_count", "avg_viewers", "count", "mean"} <= set(found["column"])


async def test_a_damaged_file_is_named_and_its_minutes_are_not_judged(
    ground: Ground, beginning: datetime
):
    await ground.send(make_minutes(beginning))
    await ground.settle()
    whole = (await check(ground, beginning)).compared
    path = list_parquet(ground.settings.archive_dir)[0]
    lost = pl.read_parquet(path)["stream_id"].n_unique()
    # Its end is as it was, a page in its midst is not: that is seen only when it is read.
    content = bytearray(path.read_bytes())
    content[200 : len(content) // 2] = bytes(len(content) // 2 - 200)
    path.write_bytes(content)
    source = ArchiveSource(ground.settings.archive_dir)
    span = Span(beginning - HOUR, beginning + HOUR)
    outcome = await verify(ground.settings, source, span, SystemClock().now())
    assert [found.path for found in source.unreadable.values()] == [path]
    assert outcome.differences.rows() == []
    assert outcome.pending["in an unreadable file"] >= 3 * lost
    assert outcome.compared + sum(outcome.pending.values()) == whole


async def test_hours_past_the_retention_are_not_judged(ground: Ground, beginning: datetime):
    old = beginning - timedelta(days=91)
    await ground.send([chat(old)])
    await ground.settle()
    assert drop_old_hours(ground.settings.archive_dir, beginning - timedelta(days=90)) == 1
    source = ArchiveSource(ground.settings.archive_dir)
    outcome = await verify(ground.settings, source, Span(old, old + HOUR), SystemClock().now())
    assert (outcome.compared, outcome.pending) == (0, {"past the archive's retention": 1})


async def test_minutes_from_before_the_archive_are_not_judged(
    ground: Ground, connection: asyncpg.Connection, beginning: datetime
):
    await ground.send([chat(beginning)])
    await ground.settle()
    change = "window_start = window_start - INTERVAL '1 minute', revision = revision - 1"
    await move_minutes(connection, change)
    assert (await check(ground, beginning)).pending == {"before the archive began": 1}


async def test_the_command_says_in_a_line_that_nothing_differs_and_in_a_table_what_does(
    ground: Ground,
    archive_process: ArchiveRunner,
    connection: asyncpg.Connection,
    beginning: datetime,
):
    await ground.send(make_minutes(beginning))
    await ground.settle()
    arguments = ("--from", beginning.isoformat(), "--to", (beginning + HOUR).isoformat())
    done = await asyncio.to_thread(archive_process.run, "verify", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    rolled = count_roll_ups(beginning)
    assert done.stdout == f"72 minutes, {rolled} hours and days compared, 0 differ\n"
    await connection.execute(
        "UPDATE chat_summary_minute SET chat_count = 7"
        " WHERE stream_id = 'stream-2' AND window_start = $1",
        beginning,
    )
    done = await asyncio.to_thread(archive_process.run, "verify", *arguments)
    assert done.returncode == 1
    # The minute, and the hour that is no longer made of it.
    assert f"72 minutes, {rolled} hours and days compared, 2 differ" in done.stdout
    assert all(word in done.stdout for word in ("stream-2", "chat_count", "7", "20"))
    done = await asyncio.to_thread(archive_process.run, "verify", *arguments, "--json")
    said = orjson.loads(done.stdout)
    assert (done.returncode, said["compared"], said["differ"]) == (1, 72, 2)
    assert said["roll_ups_compared"] == rolled
    assert [found for found in said["differences"] if found["table"] == "chat"] == [
        {
            "table": "chat",
            "stream_id": "stream-2",
            "series": None,
            "minute": beginning.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "column": "chat_count",
            "stored": "7",
            "recounted": "20",
        }
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--from", "noon"], 2, "'noon': a time is ISO 8601"),
        (["--from", "2026-01-26T10:00Z", "--to", "2026-01-26T09:00Z"], 1, "does not lie behind"),
    ],
)
async def test_a_span_that_is_none_is_refused(
    archive_process: ArchiveRunner, arguments: list[str], code: int, words: str
):
    done = await asyncio.to_thread(archive_process.run, "verify", *arguments)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr


async def test_entries_that_nobody_can_read_do_not_disturb(ground: Ground, beginning: datetime):
    await ground.send([chat(beginning)])
    await ground.settle()
    frame = make_events([chat(beginning)]).drop("stream_id")
    await ground.writer.append({0: encode_events(frame)})
    ground.archive()
    assert (await check(ground, beginning)).compared == 1
