"""Points: raw readings and transactions, listed once each however many share a time."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, Final

import httpx
import pytest

from api.paging import SKIP_MAX, write_cursor
from tests.fixtures.events import STREAM, chat, reading, transaction
from tests.integration.api.conftest import Send
from tests.integration.api.paths import READINGS, TRANSACTION_MINUTES, TRANSACTIONS
from tests.integration.api.problems import list_fields, read_problem

GIFTS: Final[list[dict[str, Any]]] = [
    {"kind": "donation", "amount": 5.0, "currency": "EUR", "user": "ada"},
    {"kind": "donation", "amount": 2.5, "currency": "EUR", "user": "ben"},
    {"kind": "donation", "amount": 7.0, "currency": "USD", "user": "ada"},
    {"kind": "subscription", "amount": None, "user": "cleo"},
]


@pytest.fixture
async def paid(send: Send, minute: datetime) -> None:
    """Three minutes of transactions, four at a time, and a minute without any between them."""
    times = [minute - timedelta(minutes=back) for back in (5, 3, 2)]
    await send(*(transaction(time, **gift) for time in times for gift in GIFTS))


@pytest.fixture
async def measured(send: Send, minute: datetime) -> None:
    """Ten seconds of three channels, one of which repeats itself within each."""
    events = []
    for second in range(10):
        time = minute - timedelta(seconds=60 - second)
        events += [reading(time, float(second), "temp", unit="°C"), reading(time, 1.0, "load")]
        events += [reading(time, float(value), "noise") for value in (3, 1, 2, 2)]
    await send(*events, chat(minute, stream_id="zz_other"))


async def get(client: httpx.AsyncClient, path: str, **query: Any) -> dict[str, Any]:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


async def follow(
    client: httpx.AsyncClient, path: str, **query: Any
) -> AsyncIterator[dict[str, Any]]:
    """Yield every row of every page."""
    cursor: str | None = None
    while True:
        page = await get(client, path, **query, **({"cursor": cursor} if cursor else {}))
        assert page["next_cursor"] is None or page["next_cursor"] != cursor
        for row in page["data"]:
            yield row
        if (cursor := page["next_cursor"]) is None:
            return


@pytest.mark.usefixtures("measured")
async def test_points_of_all_channels_are_listed_newest_first(
    client: httpx.AsyncClient, minute: datetime
):
    rows = (await get(client, READINGS))["data"]
    assert len(rows) == 60
    newest = (minute - timedelta(seconds=51)).isoformat().replace("+00:00", "Z")
    told = [(row["timestamp"], row["channel"], row["value"]) for row in rows[:7]]
    assert told[:6] == [
        (newest, "load", 1),
        (newest, "noise", 1),
        (newest, "noise", 2),
        (newest, "noise", 2),
        (newest, "noise", 3),
        (newest, "temp", 9),
    ]
    assert told[6][0] < newest
    assert list(rows[0]) == ["stream_id", "channel", "timestamp", "value", "unit"]
    assert (rows[5]["stream_id"], rows[5]["unit"], rows[0]["unit"]) == (STREAM, "°C", None)


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize("channels", [["temp"], ["temp", "noise"], ["noise", "noise"], ["nothing"]])
async def test_points_are_those_of_the_channels_asked_for(
    client: httpx.AsyncClient, channels: list[str]
):
    everything = (await get(client, READINGS))["data"]
    rows = (await get(client, READINGS, channel=channels))["data"]
    assert rows == [row for row in everything if row["channel"] in channels]


@pytest.mark.usefixtures("measured")
async def test_points_are_cut_to_the_span(client: httpx.AsyncClient, minute: datetime):
    start, end = minute - timedelta(seconds=57), minute - timedelta(seconds=55)
    span = {"start": start.isoformat(), "end": end.isoformat()}
    rows = (await get(client, READINGS, channel="temp", **span))["data"]
    assert [row["value"] for row in rows] == [4.0, 3.0]
    assert len((await get(client, READINGS, **span))["data"]) == 12
    assert (await get(client, READINGS, end="2001-01-01"))["data"] == []
    assert (await get(client, "/api/v1/streams/zz_other/readings"))["data"] == []


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize("limit", [1, 3, 7, 60])
async def test_each_point_is_listed_once_also_when_many_share_a_time(
    client: httpx.AsyncClient, limit: int
):
    whole = (await get(client, READINGS))["data"]
    assert [row async for row in follow(client, READINGS, limit=limit)] == whole
    noise = [row for row in whole if row["channel"] == "noise"]
    listed = [row async for row in follow(client, READINGS, channel="noise", limit=limit)]
    assert listed == noise


@pytest.mark.usefixtures("paid")
async def test_transactions_are_listed_newest_first(client: httpx.AsyncClient):
    rows = (await get(client, TRANSACTIONS))["data"]
    assert len(rows) == 12
    gifts = [{name: row[name] for name in ("kind", "amount", "currency", "user")} for row in rows]
    assert gifts[:4] == [GIFTS[0], GIFTS[1], GIFTS[2], {**GIFTS[3], "currency": None}]
    assert list(rows[0]) == ["stream_id", "timestamp", "kind", "amount", "currency", "user"]
    for limit in (1, 3, 5):
        assert [row async for row in follow(client, TRANSACTIONS, limit=limit)] == rows
    subscriptions = (await get(client, TRANSACTIONS, kind="subscription"))["data"]
    assert subscriptions == [row for row in rows if row["kind"] == "subscription"]
    assert len((await get(client, TRANSACTIONS, currency="USD"))["data"]) == 3


@pytest.mark.usefixtures("paid")
async def test_minutes_count_and_sum_by_kind_and_currency(
    client: httpx.AsyncClient, minute: datetime
):
    rows = (await get(client, TRANSACTION_MINUTES))["data"]
    facts = [(row["kind"], row["currency"], row["count"], row["sum"]) for row in rows[:3]]
    assert facts == [
        ("donation", "EUR", 2, 7.5),
        ("donation", "USD", 1, 7.0),
        ("subscription", None, 1, 0.0),
    ]
    starts = [datetime.fromisoformat(row["window_start"]) for row in rows]
    assert starts == [minute - timedelta(minutes=back) for back in (2, 2, 2, 3, 3, 3, 5, 5, 5)]
    for limit in (1, 2, 4):
        listed = [row async for row in follow(client, TRANSACTION_MINUTES, limit=limit)]
        assert listed == rows
    dollars = (await get(client, TRANSACTION_MINUTES, currency="USD", kind="donation"))["data"]
    assert dollars == [row for row in rows if row["currency"] == "USD"]
    span = {"start": starts[3].isoformat(), "end": starts[0].isoformat()}
    assert (await get(client, TRANSACTION_MINUTES, **span))["data"] == rows[3:6]


@pytest.mark.parametrize("path", [READINGS, TRANSACTIONS])
@pytest.mark.parametrize(
    "position", ["2026-01-26T10:00:00Z", "x|1", "2026-01-26T10:00:00Z|-1", f"0|{SKIP_MAX + 1}"]
)
async def test_a_foreign_cursor_is_refused(client: httpx.AsyncClient, path: str, position: str):
    answer = await client.get(path, params={"cursor": write_cursor(position)})
    assert "next_cursor" in read_problem(answer, 422, "invalid")["detail"]


async def test_a_foreign_cursor_of_minutes_is_refused(client: httpx.AsyncClient):
    for position in ("2026-01-26T10:00:00Z", "x|donation|EUR"):
        answer = await client.get(TRANSACTION_MINUTES, params={"cursor": write_cursor(position)})
        read_problem(answer, 422, "invalid")


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        (READINGS, "channel=a%20b", "channel.0"),
        (READINGS, "&".join(["channel=a"] * 21), "channel"),
        (READINGS, "limit=1001", "limit"),
        (TRANSACTIONS, "kind=theft", "kind"),
        (TRANSACTIONS, "currency=", "currency"),
        (TRANSACTION_MINUTES, "kind=theft", "kind"),
    ],
)
async def test_a_bad_question_names_its_field(
    client: httpx.AsyncClient, path: str, query: str, field: str
):
    document = read_problem(await client.get(f"{path}?{query}"), 422, "invalid")
    assert list_fields(document) == {field}
