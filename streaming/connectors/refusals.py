"""Refusals: the rows that the API would not take, counted by reason, and kept in a file if asked.

The log gets the first row of each reason; all of them are counted.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import orjson
import structlog

from core.errors import ServiceMissingError

REASONS_MAX: Final = 100
"""More different reasons are counted together; the API's own are fewer."""

EXCERPT_BYTES_MAX: Final = 300
"""Of a refused row in the log."""

REST: Final = "other reasons"

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class Refusals:
    """What was refused since the start."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self.by_reason: Counter[str] = Counter()

    @property
    def count(self) -> int:
        """How many rows were refused."""
        return self.by_reason.total()

    def note(self, rows: list[tuple[bytes, str]], unnamed: int = 0) -> None:
        """Count refused rows and write them down.

        Args:
            rows: Each row and why it was refused.
            unnamed: How many more there were that the API counted without naming them.

        Raises:
            ServiceMissingError: The file cannot be written.
        """
        for line, reason in rows:
            self._count(line, reason)
        if unnamed:
            self.by_reason[REST] += unnamed
            log.warning("rows_refused_unnamed", count=unnamed)
        if self._path is not None and rows:
            self._write(self._path, rows)

    def _write(self, path: Path, rows: Iterable[tuple[bytes, str]]) -> None:
        try:
            with path.open("ab") as file:
                file.writelines(_write_row(line, reason) for line, reason in rows)
        except OSError as error:
            raise ServiceMissingError(f"Cannot write to {path}: {error.strerror}.") from error

    def _count(self, line: bytes, reason: str) -> None:
        known = reason if reason in self.by_reason or len(self.by_reason) < REASONS_MAX else REST
        if known not in self.by_reason:
            excerpt = line[:EXCERPT_BYTES_MAX].decode(errors="replace")
            log.warning("row_refused", reason=reason, row=excerpt)
        self.by_reason[known] += 1


def _write_row(line: bytes, reason: str) -> bytes:
    text = line.decode(errors="replace")
    return orjson.dumps({"reason": reason, "row": text}, option=orjson.OPT_APPEND_NEWLINE)
