"""Resolutions: rows of minutes, hours and days have one shape, and say what the minutes say."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg
import httpx
import pytest

from core.resolutions import BY_NAME
from tests.fixtures.events import chat, reading
from tests.fixtures.roll_ups import Row, count_emotes, read_all, roll_up_chat, roll_up_readings
from tests.integration.api.conftest import Send
from tests.integration.api.paths import CHANNEL_METRICS, METRICS

pytestmark = pytest.mark.usefixtures("past")

COARSE: Final = ["5m", "15m", "1h", "1d"]
WINDOWS: Final = {"5m": 19, "15m": 7, "1h": 3, "1d": 1}
"""How many windows of the past have data."""

SAME: Final = {"stream_id", "chat_count", "unique_chatters", "peak_viewers", "revision"}
COMPUTED: Final = {"avg_sentiment", "chat_rate", "avg_viewers"}
OF_READINGS: Final = {"channel", "unit", "count", "mean", "min", "max", "stddev", "last"}


async def get(client: httpx.AsyncClient, path: str, **query: Any) -> dict[str, Any]:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


async def follow(client: httpx.AsyncClient, path: str, **query: Any) -> AsyncIterator[Row]:
    """Yield every row of every page."""
    cursor: str | None = None
    while True:
        page = await get(client, path, **query, **({"cursor": cursor} if cursor else {}))
        assert page["next_cursor"] is None or page["next_cursor"] != cursor
        for row in page["data"]:
            yield row
        if (cursor := page["next_cursor"]) is None:
            return


def read_start(row: Row) -> datetime:
    return datetime.fromisoformat(row["window_start"])


@pytest.mark.parametrize("name", COARSE)
async def test_windows_of_chat_say_what_their_minutes_say(
    client: httpx.AsyncClient, connection: asyncpg.Connection, name: str
):
    page = await get(client, METRICS, resolution=name)
    assert page["resolution"] == name
    minutes = await read_all(connection, "chat_summary_minute")
    width = BY_NAME[name].width
    wanted = roll_up_chat(minutes, width)[::-1]
    emotes = count_emotes(minutes, width)[::-1]
    assert len(wanted) == len(page["data"]) == WINDOWS[name]
    for row, want, (top, counts) in zip(page["data"], wanted, emotes, strict=True):
        assert read_start(row) == want["window_start"]
        assert datetime.fromisoformat(row["window_end"]) == want["window_end"]
        assert {key: row[key] for key in SAME} == {key: want[key] for key in SAME}
        assert {key: row[key] for key in COMPUTED} == pytest.approx(
            {key: want[key] for key in COMPUTED}
        )
        assert row["top_emotes"] == [{"emote": each, "count": counts[each]} for each in top]
        assert (row["z_score"], row["is_anomaly"], row["final"]) == (None, None, None)


@pytest.mark.parametrize("name", COARSE)
async def test_windows_of_a_channel_say_what_their_minutes_say(
    client: httpx.AsyncClient, connection: asyncpg.Connection, name: str
):
    page = await get(client, CHANNEL_METRICS, resolution=name)
    assert page["resolution"] == name
    minutes = await read_all(connection, "reading_summary_minute")
    wanted = roll_up_readings(minutes, BY_NAME[name].width)[::-1]
    assert len(wanted) == len(page["data"]) == WINDOWS[name]
    for row, want in zip(page["data"], wanted, strict=True):
        assert read_start(row) == want["window_start"]
        for key in OF_READINGS:
            assert row[key] == pytest.approx(want[key]), key
        assert (row["p50"], row["z_score"], row["final"]) == (None, None, None)


@pytest.mark.parametrize("path", [METRICS, CHANNEL_METRICS])
async def test_rows_have_the_same_columns_at_every_resolution(client: httpx.AsyncClient, path: str):
    pages = [await get(client, path, resolution=name, limit=1) for name in ["1m", *COARSE]]
    columns = [list(page["data"][0]) for page in pages]
    assert columns == [columns[0]] * 5


@pytest.mark.parametrize("path", [METRICS, CHANNEL_METRICS])
@pytest.mark.parametrize("name", COARSE)
async def test_paging_visits_each_window_once(client: httpx.AsyncClient, path: str, name: str):
    whole = (await get(client, path, resolution=name))["data"]
    for limit in (1, 2, 5):
        assert [row async for row in follow(client, path, resolution=name, limit=limit)] == whole


async def test_a_window_is_told_whole_or_not_at_all(client: httpx.AsyncClient, midnight: datetime):
    whole = (await get(client, METRICS, resolution="15m"))["data"]
    start, end = midnight + timedelta(minutes=61), midnight + timedelta(minutes=91)
    span = {"start": start.isoformat(), "end": end.isoformat()}
    rows = (await get(client, METRICS, resolution="15m", **span))["data"]
    assert rows == [row for row in whole if start <= read_start(row) < end]
    assert [(read_start(row) - midnight).seconds // 60 for row in rows] == [90, 75]


@pytest.mark.parametrize("path", [METRICS, CHANNEL_METRICS])
async def test_auto_suits_the_range(client: httpx.AsyncClient, path: str, midnight: datetime):
    assert (await get(client, path))["resolution"] == "1m"
    for hours, name in {2: "1m", 24: "5m", 100: "15m", 900: "1h", 1100: "1d"}.items():
        start = midnight + timedelta(days=1) - timedelta(hours=hours)
        span = {"start": start.isoformat(), "end": (midnight + timedelta(days=1)).isoformat()}
        page = await get(client, path, **span)
        assert page["resolution"] == name
    span = {"start": midnight.isoformat(), "end": "9999-12-31T23:59:00Z"}
    assert (await get(client, path, **span))["resolution"] in {"5m", "15m"}
    for name in COARSE:
        assert len((await get(client, path, resolution=name, **span))["data"]) == WINDOWS[name]


async def test_the_next_page_keeps_the_resolution_of_the_first(
    client: httpx.AsyncClient, midnight: datetime
):
    span = {"start": midnight.isoformat(), "end": (midnight + timedelta(days=1)).isoformat()}
    first = await get(client, METRICS, limit=5, **span)
    longer = span | {"start": (midnight - timedelta(days=30)).isoformat()}
    assert (await get(client, METRICS, **longer))["resolution"] == "1h"
    second = await get(client, METRICS, limit=5, cursor=first["next_cursor"], **longer)
    assert first["resolution"] == second["resolution"] == "5m"
    assert second["data"] == (await get(client, METRICS, **span))["data"][5:10]


@pytest.mark.parametrize("path", [METRICS, CHANNEL_METRICS])
async def test_a_minute_without_data_has_no_row(
    client: httpx.AsyncClient, path: str, midnight: datetime
):
    starts = [read_start(row) async for row in follow(client, path, limit=50)]
    told = {(start - midnight) // timedelta(minutes=1) for start in starts}
    assert told == {*range(20), *range(60, 131)}


async def test_a_running_window_grows_with_each_commit(
    client: httpx.AsyncClient, send: Send, minute: datetime
):
    for messages in (1, 2):
        await send(chat(minute, user=f"u{messages}"), reading(minute, 1.0))
        newest = (await get(client, METRICS, resolution="15m", limit=1))["data"][0]
        assert newest["chat_count"] == messages
        assert newest["final"] is None
        row = (await get(client, CHANNEL_METRICS, resolution="5m", limit=1))["data"][0]
        assert row["count"] == messages
