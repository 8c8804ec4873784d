"""Odd texts: whatever the door lets in reaches the tables as it was sent."""

from datetime import timedelta

import asyncpg

from db.commits import CommitStore
from streaming.flow.shards import FlowPolicy, Shard
from tests.fixtures.clocks import START
from tests.fixtures.events import Event, chat, make_batch, make_entry, reading, transaction

ODD = [
    "",
    " ",
    "NULL",
    "null",
    "\\N",
    "\\.",
    "a\n\\.\nb",
    '"',
    '""',
    "'",
    "a,b;c\td",
    "a\nb",
    "a\r\nb\r",
    "\\",
    "\x01\x1f\x7f",
    "\x80\x85\x9f",
    "\u2028\u2029\ufeff\ufffe",
    "e\u0301 \u202e rtl",
    "\U0001f469\u200d\U0001f4bb \U0010ffff",
    "é" * 8000,
    None,
]


async def commit(connection: asyncpg.Connection, *events: Event, shard: int = 0) -> None:
    batch = make_batch([make_entry(START, events)], shard)
    await CommitStore(connection).commit(Shard(shard, FlowPolicy()).apply(batch))


async def test_texts_of_raw_events_survive(connection: asyncpg.Connection):
    events = [
        event
        for place, text in enumerate(ODD)
        for event in (
            reading(START + timedelta(seconds=place), unit=text),
            transaction(START + timedelta(seconds=place), currency=text, user=text),
        )
    ]
    await commit(connection, *events)
    units = await connection.fetch("SELECT unit FROM readings ORDER BY timestamp")
    assert [row["unit"] for row in units] == ODD
    payments = await connection.fetch(
        "SELECT currency, user_name FROM transactions ORDER BY timestamp"
    )
    assert [tuple(row) for row in payments] == [(text, text) for text in ODD]


async def test_one_odd_text_alone_survives(connection: asyncpg.Connection):
    for shard, text in enumerate(ODD):
        await commit(connection, transaction(START, None, currency=text), shard=shard)
        row = await connection.fetchrow("DELETE FROM transactions RETURNING amount, currency")
        assert tuple(row or ()) == (None, text)


async def test_emotes_and_titles_survive(connection: asyncpg.Connection):
    emotes = [text for text in ODD if text is not None and len(text) < 100][:10]
    meta = {"stream_id": "s", "type": "meta", "event": "title_change", "timestamp": START}
    await commit(connection, chat(START, stream_id="s", emotes=emotes), meta | {"title": ODD[12]})
    row = await connection.fetchrow("SELECT top_emotes, emote_counts FROM chat_summary_minute")
    assert row is not None
    assert set(row["top_emotes"]) == set(emotes)
    assert row["emote_counts"] == dict.fromkeys(emotes, 1)
    assert await connection.fetchval("SELECT title FROM streams") == ODD[12]


async def test_numbers_survive_to_the_last_bit(connection: asyncpg.Connection):
    values = [5e-324, 1e100, -1e100, -0.0, 0.1, 1 / 3, 123456789.123456789]
    await commit(connection, *(reading(START, v, f"c{n}") for n, v in enumerate(values)))
    raw = await connection.fetch("SELECT value FROM readings ORDER BY channel")
    assert [row["value"] for row in raw] == values
    rows = await connection.fetch(
        "SELECT min, max, last FROM reading_summary_minute ORDER BY channel"
    )
    assert [tuple(row) for row in rows] == [(value, value, value) for value in values]
