"""Paging while new minutes arrive: what was there at first is told once, whatever else happens."""

import random
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, Final

import httpx
import pytest
from fastapi import FastAPI

from tests.fixtures.changes import frame_rows, make_changes, make_chat_row
from tests.fixtures.clocks import START
from tests.fixtures.events import STREAM
from tests.fixtures.flows import Flow
from tests.integration.api.conftest import wait_until_heard
from tests.integration.api.paths import METRICS

MINUTES: Final = 4000
"""Beyond a chunk's end: they lie in two."""


def make_rows(numbers: list[int], revision: int) -> list[dict[str, Any]]:
    told: dict[str, Any] = {"stream_id": STREAM, "chat_count": revision, "watermark": START}
    times = [START + timedelta(minutes=number) for number in numbers]
    return [make_chat_row(time, revision, **told) for time in times]


async def commit(flow: Flow, numbers: list[int], revision: int) -> None:
    """Commit minutes as the flow does; those that were there before are revised."""
    streams = frame_rows({"stream_id": STREAM, "title": None, "last_event_at": START})
    chat = frame_rows(*make_rows(numbers, revision))
    await flow.commit([make_changes(0, revision, events=1, chat=chat, streams=streams)])


async def follow(
    client: httpx.AsyncClient, choose: random.Random, **query: Any
) -> AsyncIterator[list[dict[str, Any]]]:
    """Yield page after page, each of another length."""
    cursor: str | None = None
    while True:
        asked = {**query, "limit": choose.randint(1, 1000)}
        answer = await client.get(METRICS, params=asked | ({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        yield answer.json()["data"]
        if (cursor := answer.json()["next_cursor"]) is None:
            return


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("resolution", ["1m", "5m"])
async def test_each_minute_is_told_once_and_none_is_missed_while_new_ones_arrive(
    app: FastAPI, client: httpx.AsyncClient, flow: Flow, seed: int, resolution: str
):
    choose = random.Random(f"{seed} {resolution}")
    # Some minutes are missing at first, of which some come late, while the pages are read.
    missing = set(choose.sample(range(MINUTES), 200))
    there = [number for number in range(MINUTES) if number not in missing]
    await commit(flow, there, revision=1)
    told: list[str] = []
    revision, newest = 1, MINUTES
    async for rows in follow(client, choose, resolution=resolution):
        told += [row["window_start"] for row in rows]
        revision += 1
        arriving = list(range(newest, newest := newest + choose.randint(1, 20)))
        revised = choose.sample(there, 20)
        late = choose.sample(sorted(missing), 5)
        await commit(flow, sorted({*arriving, *revised, *late}), revision)
        await wait_until_heard(app)
    starts = [datetime.fromisoformat(text) for text in told]
    assert starts == sorted(set(starts), reverse=True), "twice, or out of order"
    width = {"1m": 1, "5m": 5}[resolution]
    wanted = {START + timedelta(minutes=number - number % width) for number in there}
    assert wanted <= set(starts), "missed"
    # Nothing else is told but what came late.
    allowed = {START + timedelta(minutes=number - number % width) for number in missing}
    assert set(starts) <= wanted | allowed
