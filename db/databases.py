"""Databases: what the server is, how large it has become, and who of us is connected."""

from typing import Any, Final

from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("databases")

CLIENTS_MAX: Final = 50
"""Names that are listed: there are some ten kinds of process."""

Row = dict[str, Any]


class DatabaseStore:
    """Asks the server about itself, through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def describe(self) -> Row:
        """Return what the server is and holds."""
        (row,) = await self._connection.fetch(SQL["describe_database"])
        return dict(row)

    async def list_clients(self) -> list[Row]:
        """Return which kinds of process are connected, since when, with how many connections."""
        rows = await self._connection.fetch(SQL["list_clients"], CLIENTS_MAX)
        return [dict(row) for row in rows]
