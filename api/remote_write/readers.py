"""Readers of remote write: a request into readings, and what to say of those that were refused."""

import hashlib
from typing import Final

import polars as pl

from api.ingest.checks import Receipt
from core import metrics
from core.errors import FieldError, PartialWriteError
from core.events import RejectedRow
from core.remote_writes import Samples, SeriesPolicy, read_write_request

NAMED_MAX: Final = 100
"""So many refused samples are named; all are counted."""


class SampleReader:
    """Reads one request, and remembers what its samples are called."""

    def __init__(self, policy: SeriesPolicy) -> None:
        self._policy = policy
        self._samples: Samples | None = None

    def read(self, body: bytes) -> tuple[pl.DataFrame, list[RejectedRow]]:
        """Read the unpacked body, as ``api.ingest.readers.Reader`` does."""
        self._samples = read_write_request(body, self._policy)
        return self._samples.readings, self._samples.refused

    def name_request(self, body: bytes) -> str:
        """Return the key by which a request that is sent again is recognised."""
        return f"remote-write:{hashlib.sha256(body).hexdigest()}"

    def count_skipped(self) -> None:
        """Count the samples that hold no value: they are neither taken nor refused."""
        if self._samples is not None:
            skipped = metrics.samples_skipped_total
            skipped.labels("remote_write", "stale").inc(self._samples.stale)
            skipped.labels("remote_write", "empty").inc(self._samples.empty)

    def refuse(self, receipt: Receipt) -> None:
        """Tell the sender which samples are lost, if any are.

        Raises:
            PartialWriteError: Some are; the good ones of the request were taken.
        """
        if not receipt.rejected or self._samples is None:
            return
        named = receipt.rejected[:NAMED_MAX]
        names = self._samples.names[[row.index for row in named]].rows()
        errors = [
            FieldError(f"{channel or 'without a name'} of {stream_id or 'no stream'}", row.reason)
            for row, (stream_id, channel) in zip(named, names, strict=True)
        ]
        total = receipt.accepted + len(receipt.rejected)
        # A sender's log shows the beginning of the answer only: one of them stands there.
        raise PartialWriteError(
            f"{len(receipt.rejected)} of {total} samples refused, as {errors[0].field}:"
            f" {errors[0].reason}. The others are taken; do not send them again.",
            errors=errors,
        )
