"""Dead letters: entries of the bus that could not be read, kept whole so that nothing is lost.

The flow finds them, ``db.commits`` lists them in the transaction that moves past them,
``api.dead_letters`` shows them and puts them on the bus again.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

REASON_CHARACTERS_MAX: Final = 500
"""A reason is a sentence for people; the text of an error may hold the whole payload."""

STREAMS_NAMED_MAX: Final = 100
"""Streams of a letter that it can be found by; an entry may hold events of thousands."""

LETTER_ID_PATTERN: Final = r"^[0-9]{1,4}-[0-9]{1,19}$"

_OFFSET_MAX: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An entry that could not be read, and why."""

    offset: int
    arrived_at: datetime
    reason: str
    payload: bytes
    stream_ids: tuple[str, ...] = ()
    """The streams that it is about, as far as that can be read."""

    @property
    def storable_reason(self) -> str:
        """The reason as any database takes it: bounded, without null characters or halves."""
        text = self.reason[:REASON_CHARACTERS_MAX].replace("\0", "\ufffd")
        return text.encode("utf-8", "replace").decode()


def name_letter(shard: int, offset: int) -> str:
    """Return the id of the letter that an entry became."""
    return f"{shard}-{offset}"


def parse_letter_id(letter_id: str) -> tuple[int, int] | None:
    """Return the shard and the offset that an id names; None when there can be no such letter."""
    if not re.fullmatch(LETTER_ID_PATTERN, letter_id):
        return None
    shard, _, offset = letter_id.partition("-")
    return (int(shard), int(offset)) if int(offset) <= _OFFSET_MAX else None
