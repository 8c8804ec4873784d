"""Roll-ups: hours and days, in the same transaction as the minutes that they are made of.

    final minutes written -> touched hours -> chat_summary_hour -> touched days -> chat_summary_day

The upsert of the minutes returns which hours it touched; an unchanged replay touches none and
nothing is computed.
"""

from collections.abc import Sequence
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

    async def roll_up_chat(self, streams: Sequence[str], starts: Sequence[datetime]) -> None:
        """Roll up hours of chat, given as streams and starts side by side, and their days."""
        await self._roll_up("chat", starts, streams)

    async def roll_up_readings(
        self, streams: Sequence[str], channels: Sequence[str], starts: Sequence[datetime]
    ) -> None:
        """Roll up hours of channels, given side by side, and their days."""
        await self._roll_up("reading", starts, streams, channels)

    async def _roll_up(self, noun: str, starts: Sequence[datetime], *key: Sequence[str]) -> None:
        if not starts:
            return
        await self._connection.execute(SQL["use_custom_plans"])
        query = SQL[f"roll_up_{noun}_hours"]
        days = await self._connection.fetch(query, min(starts), max(starts) + HOUR, starts, *key)
        if days:
            *touched, starts = zip(*days, strict=True)
            query = SQL[f"roll_up_{noun}_days"]
            span = (min(starts), max(starts) + DAY)
            await self._connection.execute(query, *span, starts, *touched)
