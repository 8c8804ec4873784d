"""Rows: raw events in columns, held against the rules of every door, and written as lines.

    raw -> check_events -> the good as NDJSON + the bad, all of them with their reasons

The API would say the same, but names only the first hundred of a body; who has to keep what was
refused looks first. Used by connectors whose sources tell thousands of events at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from core.events import RejectedRow, TimePolicy, check_events
from core.settings import Settings


@dataclass(frozen=True, slots=True)
class CheckedRows:
    """Events as the API reads them, and what is none."""

    lines: list[bytes]
    newest_ms: int
    """The time of the newest of them; 0 where there are none."""

    rejected: list[RejectedRow]


def build_time_policy(settings: Settings) -> TimePolicy:
    """Return the window of believable times that the API has, too."""
    return TimePolicy(
        past=timedelta(days=settings.ingest_past_days),
        ahead=timedelta(minutes=settings.ingest_ahead_minutes),
    )


def check_rows(raw: pl.DataFrame, *, now: datetime, policy: TimePolicy) -> CheckedRows:
    """Split raw events, with ``index``, into lines and named refusals."""
    if raw.is_empty():
        return CheckedRows([], 0, [])
    events, rejected = check_events(raw, now=now, policy=policy)
    bad = pl.Series([row.index for row in rejected], dtype=pl.get_index_type())
    good = raw.filter(~pl.col("index").is_in(bad.implode())) if rejected else raw
    newest = events["timestamp"].max()
    newest_ms = int(newest.timestamp() * 1000) if isinstance(newest, datetime) else 0
    return CheckedRows(write_lines(good), newest_ms, rejected)


def write_lines(raw: pl.DataFrame) -> list[bytes]:
    """Return raw events as lines of NDJSON."""
    used = [name for name in raw.columns if raw[name].null_count() < raw.height]
    text = raw.select(name for name in used if name != "index").write_ndjson()
    return text.encode().split(b"\n")[:-1]


def decode_texts(values: Sequence[bytes | None]) -> pl.Series:
    """Return bytes as text; what is none becomes null."""
    found = pl.Series(values, dtype=pl.Binary)
    try:
        return found.cast(pl.String)
    except pl.exceptions.ComputeError:
        return pl.Series([_decode(value) for value in values], dtype=pl.String)


def _decode(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None
