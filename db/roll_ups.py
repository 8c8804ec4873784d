"""Roll-ups: hours and days, in the same transaction as the minutes that they are made of.

    final minutes written -> touched hours -> chat_summary_hour -> touched days -> chat_summary_day

The upsert of the minutes notes which hours it touched in a temporary table of the connection (see
``staging.sql``); an unchanged replay touches none and nothing is computed.
"""

from datetime import datetime, timedelta
from typing import Final

from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("chat_roll_ups") | load_queries("reading_roll_ups")

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


class RollUpStore:
    """Recomputes the touched hours and days through the connection it is given."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def roll_up_chat(self, first: datetime | None, last: datetime | None) -> None:
        """Roll up the touched hours of chat, which begin between two times, and their days."""
        await self._roll_up("chat", first, last)

    async def roll_up_readings(self, first: datetime | None, last: datetime | None) -> None:
        """Roll up the touched hours of channels, and their days."""
        await self._roll_up("reading", first, last)

    async def _roll_up(self, noun: str, first: datetime | None, last: datetime | None) -> None:
        if first is None or last is None:
            return
        days = await self._connection.fetchrow(SQL[f"roll_up_{noun}_hours"], first, last + HOUR)
        if days is not None and days["first"] is not None:
            await self._connection.execute(
                SQL[f"roll_up_{noun}_days"], days["first"], days["last"] + DAY
            )
