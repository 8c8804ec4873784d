"""Rejects: the rows that were refused, one JSON line each, for people to mend and send again."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import orjson

from core.events import RejectedRow

ROWS_MAX: Final = 1_000_000
"""Of one command; the others are counted. A file where every row is wrong must not fill a disk."""


class RejectsFile:
    """A file that rows are written to as they are refused; made with the first."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0

    def cut(self, size: int) -> None:
        """Forget what was written beyond a size: a crash left it, and it will be written again."""
        if self.path.exists() and self.path.stat().st_size > size:
            with self.path.open("r+b") as file:
                file.truncate(size)

    def write(self, name: str, rows: Sequence[RejectedRow]) -> int:
        """Write the refused rows of a file; return the size after it."""
        named = rows[: max(0, ROWS_MAX - self.rows)]
        if named:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.rows += len(named)
            with self.path.open("ab") as file:
                file.writelines(
                    orjson.dumps(
                        {"file": name, "row": row.index, "reason": row.reason},
                        option=orjson.OPT_APPEND_NEWLINE,
                    )
                    for row in named
                )
        return self.path.stat().st_size if self.path.exists() else 0
