"""Dead letters: bus entries that hold no events, kept with the reason until someone mends it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One entry that could not be applied."""

    offset: int
    arrived_at: datetime
    reason: str
    payload: bytes
