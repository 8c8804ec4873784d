"""Formats of ingest: Arrow streams and compressed bodies through the real door."""

import gzip
import io
from collections.abc import AsyncIterator, Callable

import httpx
import orjson
import polars as pl
import psutil
import pytest
from backports import zstd

from api.app import build_app
from api.ingest.readers import ARROW_TYPE
from core.settings import Settings
from tests.fixtures.apis import calling
from tests.fixtures.events import STREAM
from tests.fixtures.flows import Flow
from tests.integration.api.paths import INGEST
from tests.integration.api.problems import list_fields, read_problem

NDJSON = {"Content-Type": "application/x-ndjson"}
ARROW = {"Content-Type": ARROW_TYPE}
GOOD = {"stream_id": STREAM, "type": "chat", "user": "ada", "text": "hi"}
LINES = b"\n".join([orjson.dumps(GOOD)] * 2000)
MEGABYTE = 1_000_000

Compress = Callable[[bytes], bytes]
each_encoding = pytest.mark.parametrize(
    ("encoding", "compress"),
    [("gzip", gzip.compress), ("GZIP ", gzip.compress), ("zstd", zstd.compress)],
)


def write_stream(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer, compression="lz4")
    return buffer.getvalue()


async def test_an_arrow_stream_is_taken_and_its_bad_rows_are_named(
    client: httpx.AsyncClient, flow: Flow
):
    frame = pl.DataFrame([GOOD, GOOD | {"type": "x"}, GOOD, GOOD | {"user": None}])
    answer = await client.post(INGEST, content=write_stream(frame), headers=ARROW)
    assert answer.status_code == 202, answer.text
    receipt = answer.json()
    assert (receipt["accepted"], receipt["rejected"]) == (2, 2)
    assert [(row["index"], row["field"]) for row in receipt["errors"]] == [(1, "type"), (3, "user")]
    assert await flow.pump() == 2


async def test_a_stream_with_a_column_of_another_type_is_refused_by_its_name(
    client: httpx.AsyncClient,
):
    frame = pl.DataFrame([GOOD]).with_columns(value=pl.lit("much"))
    answer = await client.post(INGEST, content=write_stream(frame), headers=ARROW)
    document = read_problem(answer, 400, "bad_request")
    assert list_fields(document) == {"value"}


@pytest.mark.parametrize("stream", [b"x", write_stream(pl.DataFrame([GOOD] * 50))[:-30]])
async def test_a_damaged_stream_is_refused_in_words(client: httpx.AsyncClient, stream: bytes):
    answer = await client.post(INGEST, content=stream, headers=ARROW)
    assert "Arrow stream" in read_problem(answer, 400, "bad_request")["detail"]


@each_encoding
async def test_a_compressed_body_is_taken(
    client: httpx.AsyncClient, flow: Flow, encoding: str, compress: Compress
):
    for content, headers in ((LINES, NDJSON), (write_stream(pl.DataFrame([GOOD] * 2000)), ARROW)):
        answer = await client.post(
            INGEST, content=compress(content), headers=headers | {"Content-Encoding": encoding}
        )
        assert answer.json() == {"accepted": 2000, "rejected": 0, "errors": []}
    assert await flow.pump() == 4000


@each_encoding
async def test_a_damaged_or_empty_compressed_body_is_refused_in_words(
    client: httpx.AsyncClient, encoding: str, compress: Compress
):
    for content in (compress(LINES)[:-9], LINES, b"", compress(LINES) + b"x" * 30):
        answer = await client.post(
            INGEST, content=content, headers=NDJSON | {"Content-Encoding": encoding}
        )
        assert encoding.strip().lower() in read_problem(answer, 400, "bad_request")["detail"]


async def test_another_encoding_is_told_which_are_taken(client: httpx.AsyncClient):
    for encoding in ("br", "gzip, zstd", "x" * 5000):
        answer = await client.post(
            INGEST, content=b"x", headers=NDJSON | {"Content-Encoding": encoding}
        )
        detail = read_problem(answer, 415, "unsupported_media")["detail"]
        assert "gzip, zstd, identity" in detail
        assert len(detail) < 200


@each_encoding
async def test_a_bomb_is_refused_before_it_hurts(
    settings: Settings, encoding: str, compress: Compress
):
    bomb = compress(bytes(500 * MEGABYTE))
    assert len(bomb) < MEGABYTE
    small = settings.model_copy(update={"ingest_body_max_mb": 1})
    headers = NDJSON | {"Content-Encoding": encoding}
    async with calling(build_app(small)) as client:
        before = psutil.Process().memory_info().rss
        for _ in range(5):
            answer = await client.post(INGEST, content=bomb, headers=headers)
            detail = read_problem(answer, 413, "too_large")["detail"]
            assert "1 MB once it is decompressed" in detail
        assert psutil.Process().memory_info().rss - before < 50 * MEGABYTE


async def test_a_compressed_body_over_the_limit_is_not_even_received(settings: Settings):
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(12):
            yield bytes(100_000)

    small = settings.model_copy(update={"ingest_body_max_mb": 1})
    async with calling(build_app(small)) as client:
        answer = await client.post(
            INGEST, content=chunks(), headers=NDJSON | {"Content-Encoding": "gzip"}
        )
        assert "1 MB. Send it in parts" in read_problem(answer, 413, "too_large")["detail"]
