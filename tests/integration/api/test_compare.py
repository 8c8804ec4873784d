"""Compare: curves of streams and channels on one axis, gaps and all."""

from datetime import datetime, timedelta
from typing import Any, Final

import httpx
import pytest

from tests.fixtures.events import STREAM, chat, reading
from tests.integration.api.conftest import Send
from tests.integration.api.paths import CHANNEL_METRICS, COMPARE, METRICS
from tests.integration.api.problems import list_fields, read_problem

pytestmark = pytest.mark.usefixtures("past")

CHANNEL: Final = f"{STREAM}/channel:temp"


@pytest.fixture
def span(midnight: datetime) -> dict[str, str]:
    """The day of the past."""
    return {"start": midnight.isoformat(), "end": (midnight + timedelta(days=1)).isoformat()}


async def compare(client: httpx.AsyncClient, *series: str, **query: Any) -> dict[str, Any]:
    answer = await client.get(COMPARE, params={"series": list(series), **query})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


@pytest.mark.parametrize("resolution", ["1m", "5m", "1h"])
async def test_curves_are_the_columns_of_their_rows(
    client: httpx.AsyncClient, span: dict[str, str], resolution: str
):
    named = [STREAM, f"{STREAM}/avg_viewers", CHANNEL, f"{CHANNEL}/max"]
    told = await compare(client, *named, resolution=resolution, **span)
    assert told["resolution"] == resolution
    assert [curve["series"] for curve in told["data"]] == [
        f"{STREAM}/chat_count",
        f"{STREAM}/avg_viewers",
        f"{CHANNEL}/mean",
        f"{CHANNEL}/max",
    ]
    assert told["times"] == sorted(set(told["times"]))
    for curve in told["data"]:
        path = METRICS if curve["channel"] is None else CHANNEL_METRICS
        query: dict[str, Any] = {"resolution": resolution, "limit": 1000, **span}
        rows = (await client.get(path, params=query)).json()["data"]
        known = {row["window_start"]: row[curve["column"]] for row in rows}
        assert curve["values"] == [known.get(time) for time in told["times"]]


async def test_a_stream_without_data_at_a_time_has_a_gap_there(
    client: httpx.AsyncClient, send: Send, midnight: datetime, span: dict[str, str]
):
    await send(chat(midnight + timedelta(minutes=30), stream_id="zz_other"))
    told = await compare(client, STREAM, "zz_other", resolution="1m", **span)
    ours, other = (curve["values"] for curve in told["data"])
    at = told["times"].index((midnight + timedelta(minutes=30)).isoformat().replace("+00:00", "Z"))
    assert (ours[at], other[at]) == (None, 1)
    assert [value for value in other if value is not None] == [1]
    assert ours[0] == 0


async def test_few_points_keep_the_peaks(client: httpx.AsyncClient, span: dict[str, str]):
    query = {"resolution": "1m", **span}
    whole = await compare(client, STREAM, CHANNEL, **query)
    few = await compare(client, STREAM, CHANNEL, points=12, **query)
    assert len(few["times"]) <= 12 < len(whole["times"])
    for curve, every in zip(few["data"], whole["data"], strict=True):
        kept = [value for value in curve["values"] if value is not None]
        known = [value for value in every["values"] if value is not None]
        assert (min(kept), max(kept)) == (min(known), max(known))


async def test_without_a_range_it_is_the_last_day(
    client: httpx.AsyncClient, send: Send, minute: datetime
):
    assert (await compare(client, STREAM))["times"] == []
    await send(reading(minute, 7.0))
    told = await compare(client, CHANNEL, STREAM)
    assert told["resolution"] == "5m"
    assert [curve["values"] for curve in told["data"]] == [[7.0], [None]]


async def test_the_same_series_twice_is_told_once(client: httpx.AsyncClient):
    told = await compare(client, STREAM, f"{STREAM}/chat_count")
    assert len(told["data"]) == 1


async def test_an_unknown_stream_among_others_is_named(client: httpx.AsyncClient):
    answer = await client.get(COMPARE, params={"series": [STREAM, "nobody"]})
    assert "'nobody'" in read_problem(answer, 404, "not_found")["detail"]


async def test_a_channel_that_was_never_heard_is_all_gaps(
    client: httpx.AsyncClient, span: dict[str, str]
):
    told = await compare(client, CHANNEL, f"{STREAM}/channel:unheard", **span)
    assert set(told["data"][1]["values"]) == {None}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "series"),
        ("series=", "series.0"),
        ("series=a&series=a/mood", "series.1"),
        ("&".join(f"series=a{number}" for number in range(9)), "series"),
        ("series=a&points=2", "points"),
        ("series=a&resolution=2m", "resolution"),
        ("series=a&start=soon", "start"),
        ("series=a&limit=5", "limit"),
    ],
)
async def test_a_bad_question_names_its_field(client: httpx.AsyncClient, query: str, field: str):
    document = read_problem(await client.get(f"{COMPARE}?{query}"), 422, "invalid")
    assert list_fields(document) == {field}


async def test_the_dawn_of_time_is_a_range_too(client: httpx.AsyncClient):
    assert (await compare(client, STREAM, end="0001-01-02"))["times"] == []
    every = await compare(client, STREAM, start="0001-01-01", end="9999-12-31T23:59:59Z")
    assert (every["resolution"], len(every["times"])) == ("1d", 1)
