"""Plain queries: one statement, a pool, orjson and an ASGI function; no cache and no checks.

    python -m loadtest.peers.plain_queries PORT DATABASE_URL POOL_SIZE plain|ours

``plain`` makes the answer in SQL, emotes and their counts included, as the answer is asked for.
``ours`` is our statement, which leaves those to Python: the least that a miss could cost there.
"""

import sys
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qs

import asyncpg
import orjson
from starlette.types import Receive, Scope, Send

from db.minutes import BEGINNING, MinuteStore, Span
from db.pool import Connection, prepare_connection
from loadtest.peers.answer_servers import serve

PLAIN: Final = """
    SELECT
        stream_id, window_start, window_end, chat_count, unique_chatters,
        (SELECT jsonb_agg(jsonb_build_object('emote', e, 'count', emote_counts->e) ORDER BY place)
         FROM unnest(top_emotes) WITH ORDINALITY AS t(e, place)) AS top_emotes,
        avg_sentiment, chat_rate, avg_viewers, peak_viewers, z_score, is_anomaly, revision, final
    FROM chat_summary_minute
    WHERE stream_id = $1 AND window_start >= $2 AND window_start < $3
    ORDER BY window_start DESC
    LIMIT $4
"""


class PlainApp:
    """Answers with the minutes of a stream before an end."""

    def __init__(self, database_url: str, size: int, *, is_ours: bool) -> None:
        self._database_url = database_url
        self._is_ours = is_ours
        self._size = size
        self._pool: asyncpg.Pool | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        del receive
        if scope["type"] != "http":
            return
        if self._pool is None:
            self._pool = asyncpg.create_pool(
                self._database_url, min_size=1, max_size=self._size, init=prepare_connection
            )
        await self._pool
        stream_id = scope["path"].split("/")[4]
        query = parse_qs(scope["query_string"].decode())
        limit = int(query["limit"][0])
        end = datetime.fromtimestamp(int(query["end"][0]) / 1000, UTC)
        async with self._pool.acquire() as connection:
            rows = await self._fetch(connection, stream_id, end, limit + 1)
        page = {
            "data": rows[:limit],
            "next_cursor": rows[-1]["window_start"].isoformat() if len(rows) > limit else None,
        }
        body = orjson.dumps(page, option=orjson.OPT_UTC_Z)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _fetch(
        self, connection: Connection, stream_id: str, end: datetime, limit: int
    ) -> list[dict[str, Any]]:
        if self._is_ours:
            return await MinuteStore(connection).list_chat(stream_id, Span(end=end, limit=limit))
        rows = await connection.fetch(PLAIN, stream_id, BEGINNING, end, limit)
        return [dict(row) for row in rows]


if __name__ == "__main__":
    app = PlainApp(sys.argv[2], int(sys.argv[3]), is_ours=sys.argv[4] == "ours")
    serve(app, int(sys.argv[1]))
