"""Roll-ups: every hour and day is made of its minutes, or is found."""

from datetime import datetime, timedelta

import asyncpg
import pytest

from tests.fixtures.events import chat, reading, viewers
from tests.integration.archive.grounds import Ground, changed_by_hand, check, check_hour

TABLES = ("chat hours", "chat days", "reading hours", "reading days")

CHAT = {
    "minutes": "minutes = minutes - 1",
    "chat_count": "chat_count = chat_count + 1",
    "unique_chatters": "unique_chatters = 9",
    "top_emotes": "top_emotes = top_emotes || '{LUL}'",
    "emotes": "emote_counts = jsonb_set(emote_counts, '{Kappa}', '1')",
    "avg_sentiment": "avg_sentiment = avg_sentiment + 2e-9",
    "chat_rate": "chat_rate = 0",
    "watched_minutes": "watched_minutes = 0",
    "avg_viewers": "avg_viewers = avg_viewers * 1.00001",
    "peak_viewers": "peak_viewers = NULL",
    "revision": "revision = revision - 1",
}
READING = {
    "minutes": "minutes = minutes - 1",
    "unit": "unit = 'A'",
    "count": "count = count + 1",
    "mean": "mean = mean + 1e-4",
    "min": "min = min - 1",
    "max": "max = max + 1",
    "stddev": "stddev = stddev * 1.00001",
    "last": "last = 9",
    "last_at": "last_at = last_at - INTERVAL '1 second'",
    "revision": "revision = 0",
}
CHANGES = {
    f"{noun} {unit}s": changes
    for noun, changes in (("chat", CHAT), ("reading", READING))
    for unit in ("hour", "day")
}


@pytest.fixture
async def rolled(ground: Ground, beginning: datetime) -> datetime:
    """The beginning of four minutes of one hour, rolled up."""
    at = beginning.replace(minute=0)
    for number in (0, 3, 10, 20):
        minute = at + timedelta(minutes=number)
        said = [chat(minute, f"user{place}", "great Kappa") for place in range(number + 1)]
        read = [reading(minute, 1e3 + number + place, unit="V") for place in range(3)]
        await ground.send([*said, *read, viewers(minute, 10.25 * number)])
        await ground.settle()
    return at


async def test_hours_and_days_that_are_made_of_their_parts_do_not_differ(
    ground: Ground, rolled: datetime
):
    outcome = await check(ground, rolled)
    assert (outcome.differences.rows(), outcome.pending) == ([], {})
    assert outcome.roll_ups == len(TABLES)
    assert (await check(ground, rolled, "another")).roll_ups == 0


@pytest.mark.parametrize("table", TABLES)
async def test_a_column_changed_by_hand_is_found(
    ground: Ground, rolled: datetime, connection: asyncpg.Connection, table: str
):
    name = name_table(table)
    for column, change in CHANGES[table].items():
        async with changed_by_hand(connection, name, f"UPDATE {name} SET {change}"):  # noqa: S608 (ours)
            found = (await check_hour(ground, rolled)).differences
        assert found.filter(table=table)["column"].to_list() == [column]
    assert (await check(ground, rolled)).differences.rows() == []


async def test_a_roll_up_that_is_missing_is_found(
    ground: Ground, rolled: datetime, connection: asyncpg.Connection
):
    for table in TABLES:
        name = name_table(table)
        async with changed_by_hand(connection, name, f"DELETE FROM {name}"):  # noqa: S608 (ours)
            found = (await check_hour(ground, rolled)).differences
        assert (table, "row", "missing") in found.select("table", "column", "stored").rows()


async def test_an_hour_that_outlives_its_minutes_is_not_judged(
    ground: Ground, rolled: datetime, connection: asyncpg.Connection
):
    await connection.execute(
        "DELETE FROM chat_summary_minute WHERE window_start < $1", rolled + timedelta(minutes=2)
    )
    outcome = await check(ground, rolled)
    assert outcome.pending == {"some of its parts are gone": 1}
    assert set(outcome.differences["table"]) == {"chat"}


async def test_a_minute_opened_again_leaves_its_hour_as_it_was(
    ground: Ground, rolled: datetime, connection: asyncpg.Connection
):
    await connection.execute("UPDATE chat_summary_minute SET final = false WHERE chat_count = 11")
    outcome = await check(ground, rolled)
    assert (outcome.differences.rows(), outcome.pending["some of its parts are gone"]) == ([], 1)


async def test_values_too_small_to_be_squared_are_no_difference(
    ground: Ground, beginning: datetime
):
    await ground.send([reading(beginning, 1e-200), reading(beginning, 3e-200)])
    await ground.settle()
    assert (await check(ground, beginning)).differences.rows() == []


def name_table(table: str) -> str:
    noun, unit = table.removesuffix("s").split(" ")
    return f"{noun}_summary_{unit}"
