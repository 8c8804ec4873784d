"""Service: lines onto the bus, and what their clients are told of the bad ones."""

from datetime import datetime
from typing import Final

import polars as pl

from api.ingest.checks import ERRORS_NAMED_MAX
from api.ingest.readers import Reader
from api.ingest.service import IngestService
from core import metrics
from core.errors import BadRequestError, FieldError, PartialWriteError
from core.events import RejectedRow
from core.line_protocol import LinePolicy, read_line_protocol

LINES_TOLD_MAX: Final = 10
"""So many bad lines are in the message, which ends in the log of a collector."""


def read_lines(
    body: bytes, *, policy: LinePolicy, now: datetime
) -> tuple[pl.DataFrame, list[RejectedRow]]:
    """Read the line protocol, and count what has no place among readings.

    Raises:
        BadRequestError: There is nothing.
        TooLargeError: There are more readings than are taken at once.
    """
    if not body:
        raise BadRequestError("The body is empty. Send lines of the InfluxDB line protocol.")
    lines = read_line_protocol(body, policy, now)
    metrics.samples_skipped_total.labels("influx", "text").inc(lines.texts_skipped)
    return lines.frame, lines.rejected


async def accept_lines(service: IngestService, body: bytes, read: Reader) -> None:
    """Put a body's good lines on the bus.

    Raises:
        PartialWriteError: Some were bad; the good ones are on the bus.
    """
    receipt = await service.accept(body, read)
    if not receipt.rejected:
        return
    # A line is refused once, however many of its fields are at fault.
    bad = {row.index: row.reason for row in reversed(receipt.rejected)}
    reasons = [(f"line {index + 1}", bad[index]) for index in sorted(bad)]
    told = "; ".join(f"{line}: {reason}" for line, reason in reasons[:LINES_TOLD_MAX])
    more = "; …" if len(reasons) > LINES_TOLD_MAX else ""
    raise PartialWriteError(
        f"partial write: {told}{more}; dropped={len(reasons)}",
        errors=[FieldError(*reason) for reason in reasons[:ERRORS_NAMED_MAX]],
    )
