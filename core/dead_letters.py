"""Dead letters: entries of the bus that could not be read, kept whole so that nothing is lost.

The flow finds them, ``db.commits`` lists them in the transaction that moves past them.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

REASON_CHARACTERS_MAX: Final = 500
"""A reason is a sentence for people; the text of an error may hold the whole payload."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An entry that could not be read, and why."""

    offset: int
    arrived_at: datetime
    reason: str
    payload: bytes

    @property
    def storable_reason(self) -> str:
        """The reason as any database takes it: bounded, without null characters or halves."""
        text = self.reason[:REASON_CHARACTERS_MAX].replace("\0", "\ufffd")
        return text.encode("utf-8", "replace").decode()
