"""Fuzz of ingest: whatever comes is answered in words, good rows are kept, memory stays bounded."""

import gzip
import io
import json
import zlib
from collections.abc import Callable
from typing import Any

import httpx
import orjson
import polars as pl
import psutil
import pytest
from backports import zstd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.ingest.readers import ARROW_TYPE
from core.events import SCHEMA
from tests.fixtures.events import STREAM
from tests.integration.api.paths import INGEST
from tests.integration.api.problems import MEMBERS

GOOD = {"stream_id": STREAM, "type": "chat", "user": "ada", "text": "hi"}
LINE = orjson.dumps(GOOD)
JSON, NDJSON = "application/json", "application/x-ndjson"
TYPES = st.sampled_from([JSON, NDJSON, ARROW_TYPE])
MEMORY_MB_MAX = 400
"""What a few bodies of 16 MB may leave behind in a process, whose allocators keep some of it."""

HUGE = 10_000_000
DEEP = 100_000

extremes = st.sampled_from(
    [
        *(0, -1, -0.5, 1e308, -1e308, 2**63, -(2**63), 2**64, 10**400, 1e-320),
        *("NaN", "Infinity", "-Infinity", "1e400", "\0", "a\0b", "", " ", "\ud83d\ude00", "\u202e"),
        *(float("nan"), float("inf"), float("-inf"), True, [], {}, [[]], [None], {"a": {"b": 1}}),
        *(
            "-1",
            "9" * 400,
            "2026-02-30T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "+275760-09-13",
            "x" * 20_000,
        ),
    ]
)
fields = st.sampled_from([*SCHEMA.names(), "other", ""])
events = st.dictionaries(fields, extremes | st.text(max_size=9), max_size=4).map(GOOD.__or__)
values = st.one_of(events, extremes, st.lists(extremes, max_size=3), st.none())
documents = st.one_of(
    events.map(json.dumps).map(str.encode),
    st.lists(values, max_size=5).map(json.dumps).map(str.encode),
    st.lists(values.map(json.dumps), max_size=5).map("\n".join).map(str.encode),
    st.binary(max_size=200),
)


def write_stream(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer, compression="lz4")
    return buffer.getvalue()


STREAMS = [
    write_stream(pl.DataFrame([GOOD] * 3)),
    write_stream(pl.DataFrame([GOOD]).with_columns(value=pl.lit(float("nan")), bits=-1)),
    write_stream(pl.DataFrame([GOOD]).with_columns(timestamp=pl.lit(-(2**63)))),
    write_stream(pl.DataFrame({"stream_id": [None] * 5, "emotes": [[None, "a"]] * 5})),
]


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstd.compress,
    "deflate": zlib.compress,
    "identity": bytes,
}


@st.composite
def damaged(draw: st.DrawFn, bodies: st.SearchStrategy[bytes]) -> bytes:
    """A body with a piece cut out or put in, cut off, or in another encoding of text."""
    body = draw(bodies)
    if not body or draw(st.booleans()):
        return body
    kind = draw(st.sampled_from(["cut", "put", "utf-16", "utf-8-sig"]))
    at = draw(st.integers(0, len(body) - 1))
    if kind == "cut":
        return body[:at]
    if kind == "put":
        return body[:at] + draw(st.binary(min_size=1, max_size=4)) + body[at + 1 :]
    return body.decode("latin-1").encode(kind)


@st.composite
def encoded(draw: st.DrawFn, bodies: st.SearchStrategy[bytes]) -> tuple[bytes, str]:
    """A body as its encoding says, or as it does not."""
    named = draw(st.sampled_from([*COMPRESS, "br", ""]))
    used = draw(st.sampled_from([named, *COMPRESS]))
    body = COMPRESS.get(used, bytes)(draw(bodies))
    return draw(damaged(st.just(body))), named


async def send(
    client: httpx.AsyncClient, body: bytes, media_type: str, encoding: str = "identity"
) -> dict[str, Any]:
    """Send a body, and make sure that the answer is a receipt or a refusal in words."""
    headers = {"Content-Type": media_type, "Content-Encoding": encoding}
    answer = await client.post(INGEST, content=body, headers=headers)
    document: dict[str, Any] = answer.json()
    if answer.status_code == 202:
        assert len(document["errors"]) == min(document["rejected"], 100)
        assert all(row["reason"] and row["index"] >= 0 for row in document["errors"])
        return document
    assert answer.status_code in {400, 413, 415}, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(document) - {"errors"} == MEMBERS
    assert len(document["detail"]) > 20
    return document


steady = settings(
    max_examples=2 * settings().max_examples,
    deadline=None,
    # The application and its services may serve many examples.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@steady
@given(body=damaged(documents | st.sampled_from(STREAMS)), media_type=TYPES)
async def test_whatever_comes_is_answered(client: httpx.AsyncClient, body: bytes, media_type: str):
    await send(client, body, media_type)


@steady
@given(body=encoded(documents | st.sampled_from(STREAMS)), media_type=TYPES)
async def test_whatever_comes_compressed_is_answered(
    client: httpx.AsyncClient, body: tuple[bytes, str], media_type: str
):
    await send(client, body[0], media_type, body[1])


@steady
@given(before=st.lists(documents, max_size=3), after=st.lists(documents, max_size=3))
async def test_a_good_line_is_kept_among_whatever_else_comes(
    client: httpx.AsyncClient, before: list[bytes], after: list[bytes]
):
    others = [b"\n".join(lines).splitlines() for lines in (before, after)]
    marked = orjson.dumps(GOOD | {"text": "kept"})
    body = b"\n".join([*others[0], marked, *others[1]])
    receipt = await send(client, body, NDJSON)
    assert receipt["accepted"] >= 1
    assert body.split(b"\n").index(marked) not in {row["index"] for row in receipt["errors"]}


HUGE_BODIES: dict[str, Callable[[], bytes]] = {
    "a text of 10 MB": lambda: orjson.dumps(GOOD | {"text": "x" * HUGE}),
    "an unknown text of 10 MB": lambda: orjson.dumps(GOOD | {"other": "x" * HUGE}),
    "a name of 10 MB": lambda: orjson.dumps(GOOD | {"x" * HUGE: 1}),
    "a text that never ends": lambda: LINE[:-1] + b',"other":"' + b"x" * HUGE,
    "a number of 10 MB": lambda: LINE[:-1] + b',"value":' + b"1" * HUGE + b"}",
    "lists nested deep": lambda: LINE[:-1] + b',"other":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "objects nested deep": lambda: (
        LINE[:-1] + b',"other":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}"
    ),
    "empty lines": lambda: b"\n" * HUGE,
    "empty objects": lambda: b"{}\n" * (HUGE // 3),
    "small numbers": lambda: LINE[:-1] + b',"other":[' + b"1.5," * (HUGE // 4) + b"1]}",
    "empty lists": lambda: b"[" + b"[]," * (HUGE // 3) + b"[]]",
    "emotes": lambda: LINE[:-1] + b',"emotes":[' + b'"",' * (HUGE // 3) + b'""]}',
    "null bytes": lambda: bytes(HUGE),
    "quotes": lambda: b'"' * HUGE,
    "backslashes": lambda: LINE[:-2] + b"\\" * HUGE,
    "bad lines": lambda: b'{"stream_id":"a b","type":"chat"}\n' * (HUGE // 34),
    "lines that Polars refuses": lambda: b'{"bits":18446744073709551615,"x":[]}\n' * (HUGE // 37),
}


@pytest.mark.parametrize("name", HUGE_BODIES)
async def test_huge_bodies_are_answered_and_good_lines_beside_them_kept(
    client: httpx.AsyncClient, name: str
):
    body = HUGE_BODIES[name]()
    process = psutil.Process()
    before = process.memory_info().rss
    for media_type in (JSON, NDJSON):
        await send(client, body, media_type)
    answer = await send(client, LINE + b"\n" + body + b"\n" + LINE, NDJSON)
    assert "status" in answer or answer["accepted"] >= 2 or answer["rejected"] > 100
    assert process.memory_info().rss - before < MEMORY_MB_MAX * 1_000_000
