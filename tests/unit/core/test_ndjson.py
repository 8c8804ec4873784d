"""NDJSON: bad lines are named by their place, and no good line is lost."""

import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from core.events import TimePolicy, check_events, fill_columns
from core.ndjson import read_ndjson
from tests.fixtures.clocks import START

GOOD = b'{"stream_id":"a","type":"chat","user":"ada","text":"hi"}'

BAD = [
    (b"nonsense", "not JSON: "),
    (b'{"stream_id":', "not JSON: "),
    (b"\xff\xfe", "not JSON: "),
    (b"[1]", "not a JSON object"),
    (b'"text"', "not a JSON object"),
    (b"null", "not a JSON object"),
    (b"1", "not a JSON object"),
    (b"{}{}", "not JSON: "),
    (b'{"value":"12"}', "value is not a number"),
    (b'{"value":true}', "value is not a number"),
    (b'{"amount":[]}', "amount is not a number"),
    (b'{"bits":1.5}', "bits is not a whole number"),
    (b'{"bits":9223372036854775808}', "bits is not a whole number of 64 bits"),
    (b'{"viewers":-1e3}', "viewers is not a whole number"),
    (b'{"viewers":false}', "viewers is not a whole number"),
    (b'{"emotes":"Kappa"}', "emotes is not a list of texts"),
    (b'{"badges":{"a":1}}', "badges is not a list of texts"),
]


def read(body: bytes) -> tuple[list[int], list[tuple[int, str]]]:
    """Return the line numbers of the events and of the refused lines."""
    frame, rejected = read_ndjson(body)
    return frame["index"].to_list(), [(row.index, row.reason) for row in rejected]


def test_good_lines_are_numbered_from_0():
    assert read(b"\n".join([GOOD] * 3)) == ([0, 1, 2], [])


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n", b"\n  \n"])
def test_the_end_of_the_body_is_no_line(end: bytes):
    assert read(GOOD + b"\n" + GOOD + end) == ([0, 1], [])


def test_blank_lines_count_as_places_but_not_as_events():
    assert read(b"\n" + GOOD + b"\n\n  \n" + GOOD) == ([1, 4], [])


@pytest.mark.parametrize(("line", "reason"), BAD)
def test_a_bad_line_is_named_between_good_ones(line: bytes, reason: str):
    events, rejected = read(b"\n".join([GOOD, line, GOOD]))
    assert events == [0, 2]
    assert [index for index, _ in rejected] == [1]
    assert rejected[0][1].startswith(reason)
    field = reason.partition(" ")[0] if b'":' in line and not reason.startswith("not") else None
    assert [row.field for row in read_ndjson(line)[1]] == [field]


@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress, zstd.compress])
def test_what_looks_compressed_is_not_unpacked(compress: Callable[[bytes], bytes]):
    # The reader behind would do so, without a limit.
    events, rejected = read(compress(GOOD))
    assert events == []
    assert rejected[0][1].startswith("not JSON: ")


def test_an_empty_body_holds_nothing():
    assert read(b"") == ([], [])


@pytest.mark.parametrize("fields", [{"emotes": [1, None, "a"]}, {"text": 5}, {"user": True}])
def test_a_line_is_read_alike_whatever_its_neighbours_are(fields: dict[str, Any]):
    line = orjson.dumps(orjson.loads(GOOD) | fields)
    alone, _ = read_ndjson(line)
    beside, _ = read_ndjson(line + b"\nnonsense")
    assert alone.select(beside.columns).equals(beside)
    assert alone.height == 1


values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.text())
)
good_lines = st.builds(
    lambda user, text: orjson.dumps({"stream_id": "a", "type": "chat", "user": user, "text": text}),
    st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    st.text(st.characters(codec="utf-8", exclude_characters="\0")),
)
any_lines = st.one_of(
    st.binary().map(lambda line: line.replace(b"\n", b"")),
    st.sampled_from([line for line, _ in BAD]),
    st.dictionaries(
        st.sampled_from(["stream_id", "type", "value", "bits", "emotes", "timestamp", "text"]),
        values,
    ).map(lambda event: json.dumps(event).encode()),
)


@given(st.lists(st.tuples(st.booleans(), good_lines, any_lines), max_size=12))
def test_every_good_line_survives_any_mixture(mixture: list[tuple[bool, bytes, bytes]]):
    lines = [good if is_good else other for is_good, good, other in mixture]
    frame, unreadable = read_ndjson(b"\n".join(lines))
    accepted, refused = check_events(frame, now=START, policy=TimePolicy())
    named = [row.index for row in (*unreadable, *refused)]
    must_survive = {index for index, (is_good, _, _) in enumerate(mixture) if is_good}
    blank = {index for index, line in enumerate(lines) if not line.strip()}
    assert len(named) == len(set(named))
    assert not must_survive & set(named)
    assert accepted.height == len(lines) - len(named) - len(blank)
    texts = fill_columns(accepted, ["text"])["text"].to_list()
    for index in must_survive:
        assert orjson.loads(lines[index])["text"] in texts
