"""JSON objects: one a message, whose fields go by many names, read into columns.

    messages -> one NDJSON -> columns, cast by who knows what they mean
                 |
                 where Polars refuses: one by one, each bad one named

Used by connectors, whose sources send what they always sent. ``core.ndjson`` reads events that
already have our names and types.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import orjson
import polars as pl

from core.events import RejectedRow

NOT_JSON: Final = "not JSON"
NOT_OBJECT: Final = "not a JSON object"
NOT_READABLE: Final = "cannot be read"


class Objects(NamedTuple):
    """What a number of texts held."""

    fields: pl.DataFrame
    indexes: pl.Series
    """Which text each row was."""

    rejected: list[RejectedRow]


def read_objects(texts: Sequence[bytes], schema: pl.Schema) -> Objects:
    """Return the fields of objects as columns, and the texts that are none.

    In a column of text a list or an object is its JSON, about: marks of escape are lost. A field
    that is not there is null.
    """
    frame = read_together(texts, schema)
    if frame is not None:
        return Objects(frame, _number(range(len(texts))), [])
    good: list[tuple[int, bytes]] = []
    rejected: list[RejectedRow] = []
    for index, text in enumerate(texts):
        if reason := _explain(text):
            rejected.append(RejectedRow(index, reason))
        else:
            good.append((index, text))
    survivors = _read_surviving(good, schema, rejected)
    lost = {row.index for row in rejected}
    kept = _number([index for index, _ in good if index not in lost])
    return Objects(survivors, kept, sorted(rejected, key=lambda row: row.index))


def read_together(texts: Sequence[bytes], schema: pl.Schema) -> pl.DataFrame | None:
    """Return the fields of objects, or None where one of them is none or does not fit."""
    body = b"\n".join(texts)
    if body.count(b"\n") >= len(texts):
        # Outside of texts a line break is but space, and inside one may not stand.
        body = b"\n".join(text.replace(b"\n", b" ") for text in texts)
    if not body:
        return None if texts else pl.DataFrame(schema=schema)
    try:
        frame = pl.read_ndjson(body, schema=schema)
    except pl.exceptions.PolarsError:
        return None
    return frame if frame.height == len(texts) else None


def _read_surviving(
    good: list[tuple[int, bytes]], schema: pl.Schema, rejected: list[RejectedRow]
) -> pl.DataFrame:
    """Read objects together; where the reader still refuses, halve until the one is found."""
    frame = read_together([text for _, text in good], schema)
    if frame is not None:
        return frame
    if len(good) == 1:
        rejected.append(RejectedRow(good[0][0], NOT_READABLE))
        return _read_surviving([], schema, rejected)
    half = len(good) // 2
    return pl.concat(_read_surviving(part, schema, rejected) for part in (good[:half], good[half:]))


def _number(indexes: Sequence[int]) -> pl.Series:
    return pl.Series("index", indexes, dtype=pl.get_index_type())


def _explain(text: bytes) -> str | None:
    """Return why a text is no object, or None when it is one."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return NOT_JSON
    return None if isinstance(found, dict) else NOT_OBJECT
