"""Contents: what can be shown of the bytes of a dead letter, bounded in every direction."""

import base64
from typing import Any, Final

import orjson
import polars as pl

from core.batches import UNREADABLE

LOOK_BYTES_MAX: Final = 1_048_576
"""Larger letters are not looked into: compressed columns may hold two hundred times as much."""

EVENTS_SHOWN_MAX: Final = 20
EVENTS_BYTES_MAX: Final = 65_536
"""Of all events shown together; rows behind that are left out."""

START_BYTES: Final = 2048
"""Of the raw bytes: enough to see what format they have."""

Contents = dict[str, Any]


def read_contents(payload: bytes, payload_bytes: int) -> Contents:
    """Return what is shown of a letter.

    Args:
        payload: Its bytes, or the beginning of them.
        payload_bytes: How many there are.
    """
    frame = _read_frame(payload) if payload_bytes == len(payload) else None
    return {
        "payload_start": base64.b64encode(payload[:START_BYTES]).decode(),
        "event_count": None if frame is None else frame.height,
        "events": [] if frame is None else _list_events(frame),
    }


def _read_frame(payload: bytes) -> pl.DataFrame | None:
    try:
        return pl.read_ipc_stream(payload)
    except UNREADABLE:
        return None


def _list_events(frame: pl.DataFrame) -> list[Contents]:
    """Return the first events as they stand there, whatever they are."""
    shown: list[Contents] = []
    left = EVENTS_BYTES_MAX
    for row in frame.head(EVENTS_SHOWN_MAX).to_dicts():
        text = _write_row(row)
        left -= len(text)
        if left < 0:
            break
        shown.append(orjson.loads(text))
    return shown


def _write_row(row: Contents) -> bytes:
    """Return a row as JSON; what has no form there is told as text, and infinity as null."""
    try:
        return orjson.dumps(row, default=repr, option=orjson.OPT_UTC_Z)
    except orjson.JSONEncodeError:
        return orjson.dumps({"row": ascii(row)})
