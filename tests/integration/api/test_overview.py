"""Overview: the columns say what the rows say, in pages, and are old when a commit says so."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.fixtures.events import STREAM, chat
from tests.integration.api.conftest import Send
from tests.integration.api.paths import METRICS, OVERVIEW, STREAMS
from tests.integration.api.problems import list_fields, read_problem

COLUMNS = ("title", "kind", "last_event_at", "is_live")
NEWEST = ("window_start", "chat_rate", "avg_viewers", "avg_sentiment", "is_anomaly", "final")


async def read(client: httpx.AsyncClient, **query: Any) -> dict[str, Any]:
    answer = await client.get(OVERVIEW, params=query)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


@pytest.mark.usefixtures("filled")
async def test_columns_say_what_the_rows_of_the_list_say(client: httpx.AsyncClient):
    page = await read(client)
    rows = (await client.get(STREAMS)).json()["data"]
    data = page["data"]
    assert data["id"] == [row["id"] for row in rows] == [STREAM, "zz_other"]
    for name in COLUMNS:
        assert data[name] == [row[name] for row in rows], name
    for name in NEWEST:
        told = [row["latest"][name] for row in rows]
        if name == "window_start":
            # The list hands on what the database wrote.
            told = [time.replace("+00:00", "Z") for time in told]
        if name in {"chat_rate", "avg_sentiment"}:
            told = [None if value is None else round(value, 3) for value in told]
        assert data[name] == told, name
    assert data["rates"] == [[], []]


@pytest.mark.usefixtures("filled")
async def test_rates_stand_on_one_axis_with_holes(client: httpx.AsyncClient, minute: datetime):
    page = await read(client, minutes=30)
    start = datetime.fromisoformat(page["start"])
    minutes = (await client.get(METRICS, params={"limit": 100})).json()["data"]
    known = {datetime.fromisoformat(row["window_start"]): row["chat_rate"] for row in minutes}
    ours, other = page["data"]["rates"]
    axis = [start + timedelta(minutes=number) for number in range(30)]
    assert axis[-1] >= minute
    # A minute began between two answers at most.
    assert ours == [pytest.approx(known[at], abs=0.001) if at in known else None for at in axis]
    assert sum(rate is not None for rate in other) == 1


async def test_pages_name_every_stream_once(
    client: httpx.AsyncClient, send: Send, minute: datetime
):
    await send(*(chat(minute, stream_id=f"s-{number}") for number in range(5)))
    names: list[str] = []
    cursor = None
    for limit in (2, 2, 1, 1):
        page = await read(client, limit=limit, **({"cursor": cursor} if cursor else {}))
        names += page["data"]["id"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert names == [f"s-{number}" for number in range(5)]
    assert cursor is None


async def test_a_commit_makes_the_columns_old(
    client: httpx.AsyncClient, send: Send, minute: datetime
):
    await send(chat(minute))
    first = (await read(client))["data"]
    await send(chat(minute), chat(minute))
    later = (await read(client))["data"]
    assert later["revision"][0] > first["revision"][0]


async def test_what_cannot_be_asked_is_said(client: httpx.AsyncClient):
    for query in ({"minutes": 61}, {"limit": 1001}, {"minutes": -1}):
        answer = await client.get(OVERVIEW, params=query)
        assert list_fields(read_problem(answer, 422, "invalid")) == set(query)
    read_problem(await client.get(OVERVIEW, params={"cursor": "%%"}), 422, "invalid")
