"""Lines: what all sockets heard, held for a moment, so that it is read in columns.

While the outlet takes nothing the queue fills, and then the sockets stop reading.
"""

import asyncio
from typing import Final

LINES_MAX: Final = 50_000
"""Some 30 MB: what the largest chats say in minutes, so that a restart of the API loses nothing."""

GATHER_S: Final = 0.1
"""A frame costs milliseconds, however few lines it has; so ten a second cost little."""


class LineQueue:
    """Holds lines until they are taken."""

    def __init__(self, lines_max: int = LINES_MAX, gather_s: float = GATHER_S) -> None:
        self._lines: list[str] = []
        self._lines_max = lines_max
        self._gather_s = gather_s
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()

    async def put(self, lines: list[str]) -> None:
        """Take lines; return when there is room for more."""
        self._lines += lines
        self._filled.set()
        while len(self._lines) >= self._lines_max:
            self._emptied.clear()
            await self._emptied.wait()

    async def take(self) -> list[str]:
        """Return all that came in a moment, as soon as there is something."""
        await self._filled.wait()
        await asyncio.sleep(self._gather_s)
        return self.take_now()

    def take_now(self) -> list[str]:
        """Return what is there."""
        lines, self._lines = self._lines, []
        self._filled.clear()
        self._emptied.set()
        return lines
