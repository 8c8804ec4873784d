"""Reads: what every list answers, how it is paged, and when it is answered from the cache."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from core.clock import SystemClock
from core.live import LIVE_FOR
from tests.fixtures.events import STREAM, chat
from tests.integration.api.conftest import Send
from tests.integration.api.paths import (
    CACHED,
    CHANNEL_METRICS,
    CHANNELS,
    METRICS,
    MOMENTS,
    ONE,
    STREAM_MOMENTS,
    STREAMS,
)

pytestmark = pytest.mark.usefixtures("filled")


async def get(client: httpx.AsyncClient, path: str, **query: Any) -> dict[str, Any]:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    page: dict[str, Any] = answer.json()
    return page


async def follow(
    client: httpx.AsyncClient, path: str, **query: Any
) -> AsyncIterator[list[dict[str, Any]]]:
    """Yield page after page."""
    cursor: str | None = None
    while True:
        page = await get(client, path, **query, **({"cursor": cursor} if cursor else {}))
        yield page["data"]
        if (cursor := page["next_cursor"]) is None:
            return


async def test_streams_are_listed_with_their_newest_minute(
    client: httpx.AsyncClient, minute: datetime
):
    page = await get(client, STREAMS)
    assert [stream["id"] for stream in page["data"]] == [STREAM, "zz_other"]
    stream = page["data"][0]
    # The newest event is from the beginning of the minute, which may be over by now.
    assert stream["is_live"] or SystemClock().now() - minute >= LIVE_FOR
    assert stream["latest"]["chat_count"] == 5
    assert stream["latest"]["final"] is False
    assert [s["id"] for s in (await get(client, STREAMS, q="OTHER"))["data"]] == ["zz_other"]
    assert (await get(client, STREAMS, live=False))["data"] == []
    assert (await get(client, STREAMS, kind="bench"))["data"] == []
    assert [s["id"] for s in (await get(client, STREAMS, offset=1))["data"]] == ["zz_other"]


async def test_one_stream_is_read_and_named(client: httpx.AsyncClient):
    assert (await get(client, ONE))["title"] is None
    put = await client.put(ONE, json={"title": "Finals", "metadata": {"day": 3}})
    assert put.status_code == 200
    assert put.json()["title"] == "Finals"
    assert (await get(client, ONE))["metadata"] == {"day": 3}
    assert (await get(client, STREAMS))["data"][0]["title"] == "Finals"


async def test_a_metrics_row_has_what_the_contract_says(client: httpx.AsyncClient):
    row = (await get(client, METRICS, limit=1))["data"][0]
    assert list(row) == [
        "stream_id",
        "window_start",
        "window_end",
        "chat_count",
        "unique_chatters",
        "top_emotes",
        "avg_sentiment",
        "chat_rate",
        "avg_viewers",
        "peak_viewers",
        "z_score",
        "is_anomaly",
        "revision",
        "final",
    ]
    assert (row["chat_count"], row["unique_chatters"], row["final"]) == (5, 5, False)
    assert row["top_emotes"] == [{"emote": "Kappa", "count": 5}]
    assert row["avg_sentiment"] == 0.333
    assert row["window_start"].endswith(":00Z")


async def test_metrics_are_cut_to_the_span_asked_for(client: httpx.AsyncClient, minute: datetime):
    start, end = minute - timedelta(minutes=4), minute - timedelta(minutes=2)
    span = {"start": start.isoformat(), "end": str(end.timestamp())}
    rows = (await get(client, METRICS, **span))["data"]
    assert [row["chat_count"] for row in rows] == [200, 5]
    assert rows[0]["is_anomaly"] is True
    assert rows[0]["z_score"] > 4
    ages_ago = {"end": "2001-01-01T00:00:00Z"}
    nothing: dict[str, Any] = {"data": [], "next_cursor": None, "resolution": "1m"}
    assert await get(client, METRICS, **ages_ago) == nothing


async def test_channels_and_their_minutes(client: httpx.AsyncClient):
    (channel,) = (await get(client, CHANNELS))["data"]
    assert (channel["channel"], channel["unit"], channel["last_value"]) == ("temp", "°C", 40.0)
    rows = (await get(client, CHANNEL_METRICS, limit=2))["data"]
    names = ("mean", "count", "stddev", "p50", "p95")
    told = [tuple(row[name] for name in names) for row in rows]
    assert told == [(40, 1, 0, 40, 40), (41, 1, 0, 41, 41)]
    assert (await get(client, f"{CHANNELS}/unheard/metrics"))["data"] == []


@pytest.mark.parametrize("path", [MOMENTS, STREAM_MOMENTS])
async def test_the_spike_is_a_moment(client: httpx.AsyncClient, path: str, minute: datetime):
    (moment,) = (await get(client, path))["data"]
    started_at = (minute - timedelta(minutes=3)).isoformat().replace("+00:00", "Z")
    assert moment["started_at"] == moment["timestamp"] == started_at
    assert (moment["moment_type"], moment["metric_value"]) == ("chat_spike", 200)
    assert moment["score"] > 1
    assert await get(client, path, min_score=1e6) == {"data": [], "next_cursor": None}
    assert (await get(client, path, type="flatline"))["data"] == []


@pytest.mark.parametrize("path", [METRICS, CHANNEL_METRICS])
async def test_paging_visits_each_minute_once_while_new_ones_arrive(
    client: httpx.AsyncClient, path: str, send: Send, minute: datetime
):
    visited: list[str] = []
    async for rows in follow(client, path, limit=4):
        visited += [row["window_start"] for row in rows]
        await send(chat(minute + timedelta(minutes=1, seconds=len(visited))))
    assert len(visited) == 21
    assert visited == sorted(set(visited), reverse=True)


async def test_paging_visits_each_stream_once_while_new_ones_arrive(
    client: httpx.AsyncClient, send: Send, minute: datetime
):
    visited: list[str] = []
    async for rows in follow(client, STREAMS, limit=1):
        visited += [row["id"] for row in rows]
        if len(visited) < 4:
            await send(chat(minute, stream_id=f"aa_{len(visited)}"))
            await send(chat(minute, stream_id=f"zz_p{len(visited)}"))
    assert visited == sorted(set(visited))
    assert visited == [STREAM, "zz_other", "zz_p1", "zz_p2", "zz_p3"]


async def test_a_client_that_has_the_answer_gets_304(client: httpx.AsyncClient):
    for path in CACHED:
        first = await client.get(path)
        assert first.headers["Cache-Control"] == "private, no-cache"
        again = await client.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b""), path
        assert again.headers["ETag"] == first.headers["ETag"]


async def test_a_commit_makes_cached_answers_old(
    client: httpx.AsyncClient, send: Send, minute: datetime
):
    before = await client.get(METRICS, params={"limit": 1})
    await send(chat(minute, stream_id="zz_other"))
    same = await client.get(METRICS, params={"limit": 1})
    assert same.headers["ETag"] == before.headers["ETag"]
    await send(chat(minute, user="somebody"))
    after = await client.get(METRICS, params={"limit": 1})
    assert after.json()["data"][0]["chat_count"] == 6
    assert after.headers["ETag"] != before.headers["ETag"]
    listed = await client.get(STREAMS)
    assert listed.json()["data"][0]["latest"]["chat_count"] == 6
