"""Rooms: how many bytes of bodies a process holds at once, however many send and however slowly.

    hold -> claim what comes -> claim what it is once plain -> all of it given back at the end

One body has a limit of its own; a hundred of them under way would need a hundred times as much.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from core import metrics
from core.errors import RoomFullError

RETRY_AFTER_S: Final = 1


class Share:
    """What one request holds."""

    def __init__(self, room: "Room") -> None:
        self._room = room
        self.held = 0

    def claim(self, size: int) -> None:
        """Hold so many bytes in all, if there is room for them.

        Raises:
            RoomFullError: Others hold too many.
        """
        if size > self.held:
            self._room.take(size - self.held, beside=self.held)
            self.held = size


class Room:
    """The bytes that all requests of a process hold."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self.held = 0

    @contextmanager
    def hold(self) -> Iterator[Share]:
        """Lend a share, and take back what it held."""
        share = Share(self)
        try:
            yield share
        finally:
            self._note(-share.held)

    def take(self, size: int, *, beside: int) -> None:
        """Let so many bytes more be held beside one's own; a body that is alone always fits.

        Raises:
            RoomFullError: They are too many.
        """
        if self.held > beside and self.held + size > self._bytes_max:
            raise RoomFullError(
                "So many bodies are on their way here that there is no room for this one."
                " Nothing of it was taken; send it again.",
                retry_after_s=RETRY_AFTER_S,
            )
        self._note(size)

    def _note(self, size: int) -> None:
        self.held += size
        metrics.api_bodies_held_bytes.set(self.held)
