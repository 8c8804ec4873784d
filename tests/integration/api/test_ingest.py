"""Ingest: good rows reach the bus, bad ones are named, repeats count once."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI

from api.app import build_app
from core.settings import Settings
from tests.fixtures.apis import calling
from tests.fixtures.events import STREAM, chat, write_event
from tests.fixtures.flows import Flow
from tests.integration.api.paths import INGEST, METRICS
from tests.integration.api.problems import list_fields, read_problem

NDJSON = {"Content-Type": "application/x-ndjson"}
JSON = {"Content-Type": "application/json"}
GOOD = {"stream_id": STREAM, "type": "chat", "user": "ada", "text": "hi"}


async def post(
    client: httpx.AsyncClient, content: bytes, headers: dict[str, str]
) -> dict[str, Any]:
    answer = await client.post(INGEST, content=content, headers=headers)
    assert answer.status_code == 202, answer.text
    receipt: dict[str, Any] = answer.json()
    return receipt


@pytest.mark.parametrize(
    ("body", "headers", "count"),
    [
        (orjson.dumps(GOOD), JSON, 1),
        (orjson.dumps([GOOD, GOOD]), {"Content-Type": "Application/JSON; charset=utf-8"}, 2),
        (b"\n".join([orjson.dumps(GOOD)] * 3), NDJSON, 3),
        (b"\n".join([orjson.dumps(GOOD)] * 2000), NDJSON, 2000),
        (b"[]", JSON, 0),
    ],
)
async def test_events_are_accepted_and_counted(
    client: httpx.AsyncClient, flow: Flow, body: bytes, headers: dict[str, str], count: int
):
    receipt = await post(client, body, headers)
    assert receipt == {"accepted": count, "rejected": 0, "errors": []}
    assert await flow.pump() == count


async def test_every_bad_row_is_named_and_no_good_one_is_lost(
    client: httpx.AsyncClient, flow: Flow
):
    lines = [orjson.dumps(GOOD), b"nonsense", orjson.dumps(GOOD | {"type": "x"}), b"7"]
    receipt = await post(client, b"\n".join([*lines, orjson.dumps(GOOD)]), NDJSON)
    assert (receipt["accepted"], receipt["rejected"]) == (2, 3)
    assert [error["index"] for error in receipt["errors"]] == [1, 2, 3]
    assert receipt["errors"][1]["reason"].startswith("type is not one of")
    assert await flow.pump() == 2


async def test_a_list_names_bad_rows_by_their_place_too(client: httpx.AsyncClient):
    receipt = await post(client, orjson.dumps([GOOD, None, GOOD, 5, {}]), JSON)
    assert [error["index"] for error in receipt["errors"]] == [1, 3, 4]
    assert receipt["accepted"] == 2


async def test_many_bad_rows_are_all_counted_and_a_hundred_named(client: httpx.AsyncClient):
    receipt = await post(client, orjson.dumps([{}] * 150), JSON)
    assert (receipt["rejected"], len(receipt["errors"])) == (150, 100)


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"", JSON, 400, "bad_request"),
        (b" \n ", NDJSON, 400, "bad_request"),
        (b"{", JSON, 400, "bad_request"),
        (b"\xff", JSON, 400, "bad_request"),
        (b"a,b", {"Content-Type": "text/csv"}, 415, "unsupported_media"),
        (b"{}", {}, 415, "unsupported_media"),
        (b"{}", JSON | {"Content-Encoding": "br"}, 415, "unsupported_media"),
        (b"[]", JSON | {"Idempotency-Key": "k" * 201}, 422, "invalid"),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused_as_a_whole(
    client: httpx.AsyncClient, content: bytes, headers: dict[str, str], status: int, code: str
):
    answer = await client.post(INGEST, content=content, headers=headers)
    document = read_problem(answer, status, code)
    if status == 422:
        assert list_fields(document) == {"idempotency-key"}


async def test_a_body_over_the_limit_is_refused_whether_or_not_it_says_so(settings: Settings):
    small = settings.model_copy(update={"ingest_body_max_mb": 1})

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b" " * 100_000

    async with calling(build_app(small)) as client:
        for content in (b" " * 1_000_001, chunks()):
            answer = await client.post(INGEST, content=content, headers=NDJSON)
            assert "1 MB" in read_problem(answer, 413, "too_large")["detail"]
        body = orjson.dumps(GOOD)
        padded = body + b" " * (1_000_000 - len(body))
        assert (await post(client, padded, NDJSON))["accepted"] == 1


async def test_a_repeat_with_the_same_key_counts_once(
    client: httpx.AsyncClient, flow: Flow, minute: datetime
):
    body = orjson.dumps(write_event(chat(minute)))
    headers = JSON | {"Idempotency-Key": "batch 1"}
    first = await post(client, body, headers)
    assert await post(client, body, headers) == first
    assert await flow.pump() == 1
    row = (await client.get(METRICS)).json()["data"][0]
    assert row["chat_count"] == 1


async def test_the_same_key_with_another_body_is_a_conflict(client: httpx.AsyncClient, flow: Flow):
    headers = JSON | {"Idempotency-Key": "batch 1"}
    await post(client, orjson.dumps(GOOD), headers)
    answer = await client.post(INGEST, json=[GOOD, GOOD], headers=headers)
    read_problem(answer, 409, "conflict")
    assert await flow.pump() == 1


async def test_a_full_bus_asks_to_wait(settings: Settings, flow: Flow):
    app: FastAPI = build_app(settings.model_copy(update={"bus_max_entries": 10}))
    async with calling(app) as client:
        for _ in range(10):
            await post(client, orjson.dumps(GOOD), JSON)
        answer = await client.post(INGEST, json=GOOD)
        read_problem(answer, 429, "bus_full")
        assert int(answer.headers["Retry-After"]) >= 1
    assert await flow.pump() == 10
