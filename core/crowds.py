"""Crowds: bodies of more things than their bytes have room for as events, refused before read.

A megabyte of brackets or of empty lines would be hundreds of megabytes of Python objects, or as
many refusals to write down. Used by the readers of JSON.
"""

from typing import Final

from core.errors import TooLargeError

THINGS_FREE: Final = 10_000
"""So many rows, or values, are looked at whatever their size."""

ROW_BYTES_MIN: Final = 32
"""No event is shorter; a body of more rows than that holds mostly nothing."""

VALUE_BYTES_MIN: Final = 8
"""Fewer bytes for each value, and what a reader makes of them would be many times the body."""


def refuse_rows(count: int, body: bytes) -> None:
    """Refuse more rows than there can be events.

    Raises:
        TooLargeError: There are.
    """
    _refuse(count, body, "rows", ROW_BYTES_MIN)


def refuse_values(body: bytes) -> None:
    """Refuse more values than events could have, for readers that make something of each.

    Raises:
        TooLargeError: There are.
    """
    count = body.count(b"{") + body.count(b"[") + body.count(b",")
    _refuse(count, body, "lists, objects and values", VALUE_BYTES_MIN)


def _refuse(count: int, body: bytes, things: str, bytes_min: int) -> None:
    if count > max(THINGS_FREE, len(body) // bytes_min):
        raise TooLargeError(
            f"The body has {count} {things} in {len(body)} bytes, too many to be events."
            " Nothing of it was taken."
        )
