"""Tables: what the database would hold after the changes that a flow offered to it."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias

import polars as pl

from core.changes import Changes
from core.dead_letters import DeadLetter

Key: TypeAlias = tuple[Any, ...]
Row: TypeAlias = dict[str, Any]

JUDGEMENT = frozenset(
    {"z_score", "is_anomaly", "final", "chat_rate", "watermark", "expected", "key", "revised"}
)
"""What a row says beside its content: it depends on what else was known at the time."""


class Table:
    """Keeps the newest revision of each row, as the upserts do."""

    def __init__(self, *key: str) -> None:
        self._key = key
        self.rows: dict[Key, Row] = {}
        self.contents: dict[tuple[Key, int], Row] = {}

    def upsert(self, frame: pl.DataFrame) -> None:
        """Store rows; the same revision must always come with the same content."""
        for row in frame.to_dicts():
            key = tuple(row[name] for name in self._key)
            content = {name: row[name] for name in row if name not in JUDGEMENT}
            known_content = self.contents.setdefault((key, row["revision"]), content)
            assert _about(content) == _about(known_content), "one revision with two contents"
            known = self.rows.get(key)
            if known is None or _is_newer(row, known):
                self.rows[key] = row


class Tables:
    """Everything that one shard leaves."""

    def __init__(self) -> None:
        self.applied = 0
        self.chat = Table("stream_id", "minute")
        self.readings = Table("stream_id", "channel", "minute")
        self.transactions = Table("stream_id", "kind", "currency", "minute")
        self.late: Counter[tuple[str, datetime, str, int]] = Counter()
        self.points: Counter[tuple[int, str]] = Counter()
        self.dead: dict[int, DeadLetter] = {}

    def commit(self, changes: Changes) -> None:
        """Store what a batch changed; what lies before the applied offset came before."""
        self.chat.upsert(changes.chat)
        self.readings.upsert(changes.readings)
        self.transactions.upsert(changes.transactions)
        for row in changes.late.to_dicts():
            if row["offset"] > self.applied:
                self.late[row["stream_id"], row["minute"], row["type"], row["offset"]] += row[
                    "events"
                ]
        for row in changes.points.to_dicts():
            if row["offset"] > self.applied:
                self.points[row["offset"], row["type"]] += 1
        for letter in changes.dead:
            assert self.dead.setdefault(letter.offset, letter) == letter
        self.applied = max(self.applied, changes.offset)


def _is_newer(row: Row, known: Row) -> bool:
    if row["revision"] == known["revision"]:
        return bool(row["final"] and not known["final"])
    return bool(row["revision"] > known["revision"])


def _about(content: Mapping[str, Any]) -> dict[str, Any]:
    """Round what is a sum of fractions: its last bits depend on the order."""
    return {
        name: round(value, 6) if isinstance(value, float) else value
        for name, value in content.items()
    }
