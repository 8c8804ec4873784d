"""Logs: what a child prints goes to one bounded file per process.

child --pipe--> LogPipe -> RotatingLog (api.log, api.log.1, …)
                   └-> lines worth showing on the console (``notices``)
"""

import asyncio
import os
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import Final

LOG_BYTES_MAX: Final = 10_000_000
LOGS_KEPT: Final = 3
"""Old files beside the current one."""

LINE_BYTES_MAX: Final = 8192
"""A longer line is looked at in parts; only the search for notices sees the cut."""

TAIL_BYTES: Final = 16_384

START_MARK: Final = "--- started"
"""Begins the line that each start writes into a log."""


class RotatingLog:
    """Appends to a file and moves it aside when it is full.

    A full disk loses lines, never a process.
    """

    def __init__(
        self, path: Path, *, bytes_max: int = LOG_BYTES_MAX, kept: int = LOGS_KEPT
    ) -> None:
        self.path = path
        self._bytes_max = bytes_max
        self._kept = kept
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: FileIO = FileIO(path, "ab")
        self._size = self._file.seek(0, os.SEEK_END)
        if self._size >= bytes_max:
            self._rotate()

    def write(self, chunk: bytes) -> None:
        """Append; rotates at the end of a line where there is one."""
        while len(chunk) > (room := self._bytes_max - self._size):
            end = chunk.rfind(b"\n", 0, room) + 1
            if end == 0 and self._size == 0:
                end = room  # A line longer than a file.
            self._append(chunk[:end])
            chunk = chunk[end:]
            self._rotate()
        self._append(chunk)

    def mark_start(self, text: str) -> None:
        """Write a line that separates a start from what was before."""
        self.write(f"{START_MARK} {text}\n".encode())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _append(self, chunk: bytes) -> None:
        try:
            self._size += self._file.write(chunk) or 0
        except OSError:
            return

    def _rotate(self) -> None:
        self._file.close()
        for number in range(self._kept, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number - 1}")
            source = self.path if number == 1 else older
            if source.exists():
                source.replace(self.path.with_name(f"{self.path.name}.{number}"))
        self._file = FileIO(self.path, "ab")
        self._size = 0


class LogPipe(asyncio.Protocol):
    """Takes a child's output from its pipe."""

    def __init__(self, log: RotatingLog, show_line: Callable[[bytes], None]) -> None:
        self._log = log
        self._show_line = show_line
        self._rest = b""
        self.closed = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        """Write a chunk and look through its whole lines."""
        self._log.write(data)
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-LINE_BYTES_MAX:]
        for line in lines:
            self._show_line(line)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that nothing more comes."""
        del exc
        if self._rest:
            self._show_line(self._rest)
        self.closed.set()


def read_last_lines(path: Path, count: int = 12) -> list[str]:
    """Return the end of what was logged since the last start, or nothing when there is no log."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return []
    marks = [number for number, line in enumerate(lines) if line.startswith(START_MARK)]
    latest = lines[marks[-1] + 1 :] if marks else lines
    return [line for line in latest if line.strip()][-count:]
