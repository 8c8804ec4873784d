"""Ranked streams: what ``telemetra top`` knows of all streams, and in which order it shows them.

answers over HTTP -> RankedStreams -> rows, the first by the chosen number
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

RATES_MAX: Final = 40
"""Rates of a stream that are remembered, one an update: as wide as there is room for."""

Row = Mapping[str, Any]


class SortKey(StrEnum):
    """What streams are sorted by."""

    RATE = "rate"
    SCORE = "score"
    VIEWERS = "viewers"
    CHATTERS = "chatters"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class RankedStream:
    """One stream as it is now."""

    stream_id: str
    is_live: bool
    rate: float | None
    viewers: float | None
    chatters: int | None
    mood: float | None
    score: float | None
    """The highest of its open moments; None when nothing is unusual."""

    rates: tuple[float | None, ...]
    """The rates of the last updates, the newest last."""


class RankedStreams:
    """All streams, update after update."""

    def __init__(self, sort_key: SortKey) -> None:
        self._sort_key = sort_key
        self._rates: dict[str, deque[float | None]] = {}

    def rank(self, streams: Iterable[Row], moments: Iterable[Row]) -> list[RankedStream]:
        """Take an update and return its streams in order."""
        scores: dict[str, float] = {}
        for moment in moments:
            name = moment["stream_id"]
            scores[name] = max(scores.get(name, 0.0), moment["score"])
        # What is gone is forgotten.
        found = {row["id"]: row for row in streams}
        self._rates = {name: self._remember(name, row) for name, row in found.items()}
        ranked = (self._describe(row, scores.get(name)) for name, row in found.items())
        return sorted(ranked, key=self._order)

    def _remember(self, name: str, row: Row) -> deque[float | None]:
        rates = self._rates.get(name, deque(maxlen=RATES_MAX))
        rates.append(_read(row, "chat_rate"))
        return rates

    def _describe(self, row: Row, score: float | None) -> RankedStream:
        chatters = _read(row, "unique_chatters")
        return RankedStream(
            stream_id=row["id"],
            is_live=row["is_live"],
            rate=_read(row, "chat_rate"),
            viewers=_read(row, "avg_viewers"),
            chatters=None if chatters is None else int(chatters),
            mood=_read(row, "avg_sentiment"),
            score=score,
            rates=tuple(self._rates[row["id"]]),
        )

    def _order(self, stream: RankedStream) -> tuple[float, str]:
        if self._sort_key is SortKey.NAME:
            return 0.0, stream.stream_id
        value: float | None = getattr(stream, self._sort_key)
        # Without a number a stream stands behind all that have one; names decide among equals.
        return (float("inf") if value is None else -value), stream.stream_id


def _read(row: Row, column: str) -> float | None:
    """Return a number of the newest minute; a silent stream has none now."""
    value: float | None = row["latest"][column] if row["is_live"] and row["latest"] else None
    return value
