"""Plain queries: our statement, a pool, orjson and an ASGI function; no cache and no checks.

    python -m loadtest.peers.plain_queries PORT DATABASE_URL POOL_SIZE

What a miss costs at least, in Python.
"""

import sys
from datetime import UTC, datetime
from urllib.parse import parse_qs

import asyncpg
import orjson
from starlette.types import Receive, Scope, Send

from db.minutes import BEGINNING, SQL
from db.pool import prepare_connection
from loadtest.peers.answer_servers import serve


class PlainApp:
    """Answers with the minutes of a stream before an end."""

    def __init__(self, database_url: str, size: int) -> None:
        self._database_url = database_url
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
            rows = await connection.fetch(
                SQL["list_chat_minutes"], stream_id, BEGINNING, end, limit + 1, None
            )
        page = {
            "data": [dict(row) for row in rows[:limit]],
            "next_cursor": rows[-1]["window_start"].isoformat() if len(rows) > limit else None,
        }
        body = orjson.dumps(page, option=orjson.OPT_UTC_Z)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    serve(PlainApp(sys.argv[2], int(sys.argv[3])), int(sys.argv[1]))
