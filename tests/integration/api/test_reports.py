"""Reports: a page and its numbers through the API, equal to what other routes tell."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.fixtures.events import STREAM, chat, reading, transaction
from tests.integration.api.conftest import Send
from tests.integration.api.problems import read_problem

PATH = f"/api/v1/streams/{STREAM}/report"
METRICS = f"/api/v1/streams/{STREAM}/metrics"
HOUR = timedelta(hours=1)

Read = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def read(client: httpx.AsyncClient) -> Read:
    """Read a report as JSON."""

    async def read(start: datetime, end: datetime) -> dict[str, Any]:
        asked = {"start": start.isoformat(), "end": end.isoformat(), "format": "json"}
        answer = await client.get(PATH, params=asked)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    return read


async def test_totals_and_charts_are_those_of_the_minutes(
    client: httpx.AsyncClient, past: None, midnight: datetime, read: Read
):
    del past
    start, end = midnight + HOUR, midnight + 2 * HOUR
    told = await read(start, end)
    asked: dict[str, str | int] = {
        "start": start.isoformat(),
        "end": end.isoformat(),
        "limit": 1000,
    }
    rows = (await client.get(METRICS, params=asked)).json()["data"][::-1]
    assert told["resolution"] == "1m"
    assert told["chat"]["times"] == [row["window_start"] for row in rows]
    assert told["chat"]["chat_rate"] == [row["chat_rate"] for row in rows]
    assert told["totals"]["messages"] == sum(row["chat_count"] for row in rows)
    before = (await read(midnight, start))["totals"]
    assert told["totals_before"] == before
    (channel,) = told["channels"]
    assert (channel["channel"], channel["unit"], channel["max"]) == ("temp", "°C", 50.0)


async def test_the_spike_is_among_the_moments_and_the_emotes_are_counted(
    filled: None, minute: datetime, read: Read
):
    del filled
    told = await read(minute - HOUR, minute + timedelta(minutes=1))
    assert told["totals"]["moments"] == len(told["moments"]) >= 1
    assert told["moments"][0]["moment_type"] == "chat_spike"
    scores = [moment["score"] for moment in told["moments"]]
    assert scores == sorted(scores, reverse=True)
    assert told["emotes"][0] == {"emote": "Kappa", "count": 300, "count_before": 0}


async def test_transactions_are_summed_by_kind_and_currency(
    send: Send, minute: datetime, read: Read
):
    inside, before = minute - timedelta(minutes=5), minute - timedelta(minutes=25)
    await send(
        chat(minute),
        transaction(inside, 5.0, currency="EUR"),
        transaction(inside, 7.5, currency="EUR"),
        transaction(before, 2.0, currency="EUR"),
    )
    told = await read(minute - timedelta(minutes=20), minute)
    assert told["ledgers"] == [
        {
            "kind": "donation",
            "currency": "EUR",
            "count": 2,
            "sum": 12.5,
            "count_before": 1,
            "sum_before": 2.0,
        }
    ]
    assert (told["transaction_counts"], told["totals"]["transactions"]) == ([2], 2)


async def test_the_page_shows_the_same_runs_nothing_and_escapes_titles(
    client: httpx.AsyncClient, send: Send, minute: datetime
):
    evil = "<script>alert(1)</script>"
    await send(chat(minute - timedelta(minutes=3), text=f"{evil} Kappa"), reading(minute))
    named = await client.put(f"/api/v1/streams/{STREAM}", json={"title": evil})
    assert named.status_code == 200
    answer = await client.get(PATH, params={"start": (minute - HOUR).isoformat()})
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "<script" not in answer.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
    assert "Kappa" in answer.text


async def test_the_longer_a_period_the_coarser_its_windows(
    past: None, midnight: datetime, read: Read
):
    del past
    lengths = {"5m": 1, "15m": 4, "1h": 9, "1d": 60}
    for resolution, days in lengths.items():
        told = await read(midnight + HOUR - timedelta(days=days), midnight + HOUR)
        assert told["resolution"] == resolution
        assert told["totals"]["messages"] > 0


@pytest.mark.parametrize(
    ("start", "end", "part"),
    [
        (None, None, "start: Field required"),
        ("2026-01-02", "2026-01-01", "end lies before start"),
        ("2020-01-01", "2026-01-01", "366 days at most"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:30Z", "a minute at least"),
        ("2999-01-01", None, "a minute at least"),
        ("soon", None, "start"),
    ],
)
async def test_a_period_that_cannot_be_told_of_is_refused(
    client: httpx.AsyncClient, start: str | None, end: str | None, part: str
):
    asked = {name: text for name, text in (("start", start), ("end", end)) if text}
    problem = read_problem(await client.get(PATH, params=asked), 422, "invalid")
    assert part in problem["detail"]


async def test_an_unknown_stream_has_no_report(client: httpx.AsyncClient):
    path = "/api/v1/streams/nobody/report?start=2026-01-01&end=2026-01-02"
    for file_format in ("html", "json"):
        read_problem(await client.get(f"{path}&format={file_format}"), 404, "not_found")


async def test_a_report_is_made_anew_when_its_stream_changes(
    send: Send, minute: datetime, read: Read
):
    start, end = minute - HOUR, minute
    await send(chat(minute - timedelta(minutes=2)))
    first = await read(start, end)
    assert (await read(start, end))["made_at"] == first["made_at"]
    await send(chat(minute - timedelta(minutes=2), user="other"))
    assert (await read(start, end))["totals"]["messages"] == 2
