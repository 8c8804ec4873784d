"""Device counts: how many are there, silent and gone, and how their commands fare."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.devices import Link
from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("device_counts")

COUNTED_MAX: Final = 10_000
"""Of each; more are not counted."""


@dataclass(frozen=True, slots=True)
class DevicesCounted:
    """How many of each."""

    links: dict[Link, int]
    commands_open: int
    commands_timed_out: int


class DeviceCountStore:
    """Counts through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def count(self, since: datetime) -> DevicesCounted:
        """Count devices by state, commands that have not ended, and those timed out since."""
        links = await self._connection.fetch(SQL["count_links"], COUNTED_MAX)
        (commands,) = await self._connection.fetch(SQL["count_commands"], since, COUNTED_MAX)
        return DevicesCounted(
            links={Link(row["link"]): row["count"] for row in links},
            commands_open=commands["open"],
            commands_timed_out=commands["timed_out"],
        )
