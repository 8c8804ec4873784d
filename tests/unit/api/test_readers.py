"""Readers: each media type its own, and bodies of mostly nothing are refused."""

import orjson
import pytest

from api.ingest.readers import choose_reader, read_json, read_lines
from core.errors import BadRequestError, TelemetraError, TooLargeError

EVENT = {"stream_id": "a", "type": "meta", "event": "raid"}
LIMIT = 16_000_000


@pytest.mark.parametrize(
    ("media_type", "words"),
    [
        ("", "No content type is not read here. Send application/json, application/x-ndjson or"),
        ("text/csv", "text/csv is not read here"),
        ("x" * 5000, "x{100} is not read here"),
    ],
)
def test_a_type_that_is_not_read_is_told_what_is(media_type: str, words: str):
    with pytest.raises(TelemetraError, match=words) as caught:
        choose_reader(media_type, bytes_max=LIMIT)
    assert caught.value.status == 415


@pytest.mark.parametrize("body", [b"", b"\n", b" \t\r\n "])
def test_nothing_is_refused(body: bytes):
    for read in (read_lines, read_json):
        with pytest.raises(BadRequestError, match="empty"):
            read(body)


@pytest.mark.parametrize("indent", [None, orjson.OPT_INDENT_2])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_document_is_read_however_it_is_written(indent: int | None, count: int):
    frame, rejected = read_json(orjson.dumps([EVENT] * count, option=indent))
    assert (frame["index"].to_list(), rejected) == (list(range(count)), [])
    alone, _ = read_json(orjson.dumps(EVENT, option=indent))
    assert alone.height == 1


def test_an_event_that_is_nested_deeper_than_can_be_written_is_named():
    deep = b'{"x":' * 500 + b"1" + b"}" * 500
    frame, rejected = read_json(b"[" + orjson.dumps(EVENT) + b"," + deep + b"]")
    assert frame["index"].to_list() == [0]
    assert [(row.index, row.reason[:29]) for row in rejected] == [
        (1, "not JSON: depth limit exceede")
    ]


@pytest.mark.parametrize(
    ("body", "things"),
    [
        (b"\n" * 100_000 + b"{}", "rows"),
        (b"{}\n" * 100_000, "rows"),
        (b'{"x":[' + b"[]," * 100_000 + b"[]]}", "lists, objects and values"),
    ],
)
def test_lines_of_mostly_nothing_are_refused(body: bytes, things: str):
    with pytest.raises(TooLargeError, match=f"{things} in {len(body)} bytes"):
        read_lines(body)


@pytest.mark.parametrize(
    ("body", "things"),
    [
        (b"[" + b'{"x":"12345678"},' * 50_000 + b'{"x":1}]', "rows"),
        (b"[" + b'"12345678",' * 50_000 + b"0]", "rows"),
        (b"[" + b"0," * 50_000 + b"0]", "lists, objects and values"),
        (b"[" + b"[]," * 50_000 + b"[]]", "lists, objects and values"),
    ],
)
def test_documents_of_mostly_nothing_are_refused(body: bytes, things: str):
    with pytest.raises(TooLargeError, match=f"{things} in {len(body)} bytes"):
        read_json(body)


def test_as_many_events_as_a_body_can_hold_are_read():
    line = orjson.dumps(EVENT)
    assert read_lines(b"\n".join([line] * 20_000))[0].height == 20_000
    assert read_json(b"[" + b",".join([line] * 20_000) + b"]")[0].height == 20_000
