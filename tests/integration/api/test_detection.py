"""Detection: what is judged in a stream, and whether enough of it is known."""

from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from api.detection.schemas import DetectionOut
from core.baselines import BaselinePolicy
from core.tunings import TuningRule
from db.tunings import TuningStore
from tests.fixtures.api_keys import ACTOR
from tests.fixtures.events import STREAM, Event, chat, reading, viewers
from tests.integration.api.conftest import Send
from tests.integration.api.paths import DETECTION
from tests.integration.api.problems import read_problem

NEEDED = BaselinePolicy().least
MINUTE = timedelta(minutes=1)
SECONDS = timedelta(seconds=9)
"""After so much of a minute the one before is complete."""


async def look(client: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    answer = await client.get(DETECTION)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    DetectionOut.model_validate(told)
    return {series["metric"]: series for series in told["data"]}


def make_minutes(minute: datetime, count: int) -> list[Event]:
    """Return minutes that are complete, and one that is not."""
    events: list[Event] = []
    for back in range(count, -1, -1):
        time = minute - back * MINUTE + SECONDS
        events += [chat(time), reading(time, 1.0 + back % 3)]
    return events


async def test_a_series_is_learning_until_ten_minutes_are_known(
    client: httpx.AsyncClient, send: Send, minute: datetime
):
    start = minute - 30 * MINUTE
    await send(*make_minutes(start, NEEDED - 1))
    known = await look(client)
    assert known.keys() == {"chat_count", "avg_sentiment", "temp"}
    for series in known.values():
        assert series["learning"]
        assert series["minutes_known"] == NEEDED - 1
        assert (series["minutes_needed"], series["rows_mature"]) == (NEEDED, 600)
        assert (series["z_score"], series["judged_at"]) == (None, None)
    assert [series["is_channel"] for series in known.values()] == [False, False, True]

    for n in (1, 2):
        time = start + n * MINUTE + SECONDS
        await send(chat(time), reading(time, 2.0))
    known = await look(client)
    for series in known.values():
        assert not series["learning"]
        assert series["minutes_known"] == NEEDED + 1
    assert known["temp"]["z_score"] is not None
    assert datetime.fromisoformat(known["temp"]["judged_at"]) <= start + 2 * MINUTE


async def test_minutes_of_more_than_an_hour_before_do_not_count(
    client: httpx.AsyncClient, send: Send, minute: datetime
):
    now = minute - 30 * MINUTE + SECONDS
    await send(*make_minutes(minute - 120 * MINUTE, NEEDED), chat(now), viewers(now, 7))
    known = await look(client)
    # The last minute is not complete, and the channel was not heard within the hour.
    assert known.keys() == {"chat_count", "avg_viewers", "avg_sentiment"}
    assert {series["minutes_known"] for series in known.values()} == {0}
    await send(chat(now + 2 * MINUTE), viewers(now + 2 * MINUTE, 7))
    assert {name: series["minutes_known"] for name, series in (await look(client)).items()} == {
        "chat_count": 1,
        "avg_viewers": 1,
        "avg_sentiment": 1,
    }


async def test_transactions_of_a_minute_count_once(
    client: httpx.AsyncClient, send: Send, minute: datetime
):
    gift = {"stream_id": STREAM, "type": "transaction", "amount": 5.0, "user": "u"}
    for back in (3, 2, 0):
        time = minute - back * MINUTE - MINUTE + SECONDS
        await send(
            *(
                gift | {"kind": kind, "currency": currency, "timestamp": time}
                for kind, currency in [("donation", "EUR"), ("donation", "USD"), ("bits", "EUR")]
            )
        )
    assert (await look(client))["transaction_count"]["minutes_known"] == 2


@pytest.mark.usefixtures("filled")
async def test_the_tuning_in_force_is_told(
    client: httpx.AsyncClient, connection: asyncpg.Connection
):
    store = TuningStore(connection)
    await store.insert(
        TuningRule("tun_a", "*", strictness=2.0, merge=timedelta(minutes=7)), actor=ACTOR
    )
    await store.insert(TuningRule("tun_b", STREAM, "te*", is_watched=False), actor=ACTOR)
    known = await look(client)
    assert known["temp"]["is_watched"] is False
    assert known["chat_count"]["is_watched"] is True
    for series in known.values():
        assert series["tuning"] == {
            "strictness": 2.0,
            "deviation_min": 0.0,
            "direction": "both",
            "merge_s": 420,
            "cool_down_s": 300,
            "silence_after_s": 30,
        }


async def test_a_stream_that_was_only_named_has_nothing_to_judge(client: httpx.AsyncClient):
    await client.put(f"/api/v1/streams/{STREAM}", json={"title": "Soon"})
    assert await look(client) == {}


async def test_a_stream_that_is_not_there_is_not_found(client: httpx.AsyncClient):
    read_problem(await client.get(DETECTION), 404, "not_found")
