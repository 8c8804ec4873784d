"""Readers of OTLP: a request into readings, and what to say of points that were refused."""

import hashlib
from collections.abc import Sequence
from typing import Final

import polars as pl

from api.otlp.answers import JSON
from core import metrics
from core.events import RejectedRow
from core.otlp_messages import pack_json
from core.otlp_metrics import Points, read_metrics
from core.otlp_names import PointPolicy

REASONS_MAX: Final = 10
"""So many refused points are named; all are counted."""


class PointReader:
    """Reads one request, and remembers what its points are called."""

    def __init__(self, policy: PointPolicy, media_type: str) -> None:
        self._policy = policy
        self._media_type = media_type
        self._points: Points | None = None

    def read(self, body: bytes) -> tuple[pl.DataFrame, list[RejectedRow]]:
        """Read the body, as ``api.ingest.readers.Reader`` does."""
        packed = pack_json(body) if self._media_type == JSON else body
        self._points = read_metrics(packed, self._policy)
        return self._points.readings, self._points.refused

    def name_request(self, body: bytes) -> str:
        """Return the key by which a request that is sent again is recognised."""
        return f"otlp:{hashlib.sha256(body).hexdigest()}"

    def count_skipped(self) -> None:
        """Count the points that hold no value: they are neither taken nor refused."""
        if self._points is not None:
            skipped = metrics.samples_skipped_total.labels("otlp", "unrecorded")
            skipped.inc(self._points.unrecorded)

    def explain(self, rejected: Sequence[RejectedRow]) -> tuple[int, str]:
        """Return how many points were refused, and why the first ones were."""
        # Of a point of several values the first that is bad is told.
        reasons = {row.index: row.reason for row in reversed(rejected)}
        named = sorted(reasons)[:REASONS_MAX]
        return len(reasons), "; ".join(f"{self._name(i)}: {reasons[i]}" for i in named)

    def _name(self, index: int) -> str:
        if self._points is None:
            return f"point {index}"
        names = self._points.names.filter(pl.col("index") == index).row(0)
        return f"{names[2] or 'a point'} of {names[1] or 'no stream'}"
