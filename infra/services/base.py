"""Services: the two servers that Telemetra stands on, TimescaleDB and Redis.

    find_services -> Service.prepare -> Service.command (run by the supervisor) -> Service.is_ready

A service is external (its URL was set) or private (its server runs from the data folder). The
supervisor and the tests treat both alike.
"""

import signal
from collections.abc import Callable
from typing import Protocol

Report = Callable[[str], None]
"""Takes one short line about progress, for people."""


class Service(Protocol):
    """A server that clients reach by URL."""

    name: str
    """``postgres`` or ``redis``."""

    origin: str
    """Where the server comes from, for people."""

    stop_signal: signal.Signals
    """What asks the server to stop without losing anything."""

    @property
    def url(self) -> str:
        """What clients connect with, password included; never logged."""
        ...

    def prepare(self) -> None:
        """Make everything that the server needs to start; a second call keeps what is there."""
        ...

    def command(self) -> list[str] | None:
        """Return what to run in the foreground, or None when the service is external."""
        ...

    async def is_ready(self) -> bool:
        """Ask the server itself whether it answers; never raises."""
        ...
