"""JSON objects: every object's fields are read, and whatever else comes is named."""

import orjson
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.json_objects import NOT_JSON, NOT_OBJECT, NOT_READABLE, read_objects, read_together

SCHEMA = pl.Schema({"a": pl.String(), "b": pl.String()})

TEXTS = st.text()
OBJECTS = st.fixed_dictionaries({}, optional={"a": TEXTS | st.none(), "b": TEXTS, "c": TEXTS})
GARBAGE = st.binary() | st.sampled_from([b"", b"{", b"[]", b"5", b"null", b"{}{}", b"[" * 5000])


@given(st.lists(OBJECTS))
def test_texts_come_back_as_they_were(objects: list[dict[str, str | None]]):
    found = read_objects([orjson.dumps(one) for one in objects], SCHEMA)
    assert found.fields.rows() == [(one.get("a"), one.get("b")) for one in objects]
    assert found.rejected == []


@given(st.lists(OBJECTS | GARBAGE, min_size=1))
def test_every_text_is_a_row_or_named(mixed: list[dict[str, str | None] | bytes]):
    texts = [one if isinstance(one, bytes) else orjson.dumps(one) for one in mixed]
    found = read_objects(texts, SCHEMA)
    rows, named = found.indexes.to_list(), [row.index for row in found.rejected]
    assert sorted([*rows, *named]) == list(range(len(texts)))
    assert named == sorted(named)
    good = dict(zip(rows, found.fields.rows(), strict=True))
    for index, one in enumerate(mixed):
        if isinstance(one, dict):
            assert good[index] == (one.get("a"), one.get("b"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", NOT_JSON),
        (b"{", NOT_JSON),
        (b'{"a": 1} {"a": 2}', NOT_JSON),
        (b'{"a": 1}\n{"a": 2}', NOT_JSON),
        (b'{"a": "\xff"}', NOT_JSON),
        (b'{"a": NaN}', NOT_JSON),
        (b"[1, 2]", NOT_OBJECT),
        (b'"text"', NOT_OBJECT),
        (b'{"a": 1e400}', NOT_JSON),
    ],
)
def test_what_is_no_object_is_named_and_costs_its_neighbours_nothing(text: bytes, reason: str):
    found = read_objects([b'{"a": "before"}', text, b'{"a": "after"}'], SCHEMA)
    assert [(row.index, row.reason) for row in found.rejected] == [(1, reason)]
    assert found.fields["a"].to_list() == ["before", "after"]
    assert found.indexes.to_list() == [0, 2]


def test_an_object_on_many_lines_is_one():
    found = read_objects([b'{\n  "a": "x",\r\n  "b": "y"\n}', b'{"a": 1.5, "b": [true]}'], SCHEMA)
    assert found.fields.rows() == [("x", "y"), ("1.5", "[true]")]


def test_together_is_all_or_nothing():
    assert read_together([b'{"a": "x"}', b"5"], SCHEMA) is None
    assert read_together([], SCHEMA) is not None


def test_an_object_that_does_not_fit_the_columns_is_named():
    texts = [b'{"a": "x"}', b'{"a": ["y"]}', b'{"a": {"b": 1}}', b'{"a": ["z"]}']
    found = read_objects(texts, pl.Schema({"a": pl.List(pl.String())}))
    assert [(row.index, row.reason) for row in found.rejected] == [
        (0, NOT_READABLE),
        (2, NOT_READABLE),
    ]
    assert found.fields["a"].to_list() == [["y"], ["z"]]
    assert found.indexes.to_list() == [1, 3]
