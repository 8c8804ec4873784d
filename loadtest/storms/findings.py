"""Findings: how the database differs from what a storm must have left in it."""

import math
import statistics
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from loadtest.storms.feeds import ExpectedMinute, Feed, Key

CHAT = """
    SELECT stream_id, window_start, chat_count, unique_chatters, emote_counts::text, avg_viewers,
           peak_viewers, final
    FROM chat_summary_minute
"""
READINGS = """
    SELECT stream_id, window_start, count, mean, min, max, stddev, final
    FROM reading_summary_minute
"""
TRANSACTIONS = """
    SELECT stream_id, window_start, kind, sum, final
    FROM transaction_summary_minute
"""


async def is_settled(connection: asyncpg.Connection, feed: Feed) -> bool:
    """Tell whether every event was counted or listed, and every minute is complete."""
    counted = await connection.fetchval(
        """
        SELECT (SELECT coalesce(sum(chat_count), 0) FROM chat_summary_minute)
             + (SELECT coalesce(sum(count), 0) FROM reading_summary_minute)
        """
    )
    running = await connection.fetchval(
        """
        SELECT (SELECT count(*) FROM chat_summary_minute WHERE NOT final)
             + (SELECT count(*) FROM reading_summary_minute WHERE NOT final)
             + (SELECT count(*) FROM transaction_summary_minute WHERE NOT final)
        """
    )
    expected = sum(
        minute.chatters.total() + len(minute.readings) for minute in feed.minutes.values()
    )
    return bool(counted >= expected and running == 0)


async def list_findings(connection: asyncpg.Connection, feed: Feed) -> list[str]:
    """Return one line for each thing that is not as it must be."""
    chat = {_key(row): row for row in await connection.fetch(CHAT)}
    readings = {_key(row): row for row in await connection.fetch(READINGS)}
    transactions = await connection.fetch(TRANSACTIONS)
    sums: dict[Key, dict[str, float]] = {}
    for row in transactions:
        sums.setdefault(_key(row), {})[row["kind"]] = row["sum"]
    findings = [f"unexpected minute {key}" for key in chat if key not in feed.minutes]
    for key, minute in feed.minutes.items():
        findings += [f"{key}: {text}" for text in _compare_chat(minute, chat.get(key))]
        findings += [f"{key}: {text}" for text in _compare_readings(minute, readings.get(key))]
        if sums.get(key, {}) != dict(minute.transactions):
            findings.append(f"{key}: transactions {sums.get(key)} != {minute.transactions}")
    listed = await connection.fetchval("SELECT coalesce(sum(events), 0) FROM late_events")
    if listed != feed.late:
        findings.append(f"late events listed: {listed}, sent: {feed.late}")
    if dead := await connection.fetchval("SELECT count(*) FROM dead_letters"):
        findings.append(f"dead letters: {dead}")
    return findings


def _key(row: asyncpg.Record) -> Key:
    at: datetime = row["window_start"]
    return row["stream_id"], at


def _compare_chat(minute: ExpectedMinute, row: asyncpg.Record | None) -> Iterator[str]:
    if not minute.chatters and not minute.viewers:
        return
    if row is None:
        yield "no chat row"
        return
    viewers = minute.viewers
    wanted: dict[str, Any] = {
        "chat_count": minute.chatters.total(),
        "unique_chatters": len(minute.chatters),
        "avg_viewers": sum(viewers) / len(viewers) if viewers else None,
        "peak_viewers": max(viewers, default=None),
    }
    yield from (
        f"{name} {row[name]} != {value}" for name, value in wanted.items() if row[name] != value
    )
    if orjson.loads(row["emote_counts"]) != dict(minute.emotes):
        yield f"emotes {row['emote_counts']} != {minute.emotes}"


def _compare_readings(minute: ExpectedMinute, row: asyncpg.Record | None) -> Iterator[str]:
    if not minute.readings:
        return
    if row is None:
        yield "no reading row"
        return
    values = minute.readings
    if (row["count"], row["min"], row["max"]) != (len(values), min(values), max(values)):
        yield f"readings {row['count']} {row['min']} {row['max']} != {len(values)}"
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    for name, value in (("mean", statistics.fmean(values)), ("stddev", spread)):
        if not math.isclose(row[name], value, rel_tol=1e-9, abs_tol=1e-9):
            yield f"{name} {row[name]} != {value}"
