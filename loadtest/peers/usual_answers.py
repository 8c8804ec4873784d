"""Usual answers: the same page as most people would write it, with what FastAPI is known for.

python -m loadtest.peers.usual_answers PORT DATABASE_URL REDIS_URL

GET ─► Redis, JSON for a minute ─ else ─► asyncpg ─► Redis      all through the response model
"""

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg
import redis.asyncio
from fastapi import FastAPI, Query
from pydantic import BaseModel

from loadtest.peers.answer_servers import serve

TTL_S: Final = 60
"""As long as ours is kept."""

FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LAST: Final = datetime(3000, 1, 1, tzinfo=UTC)

MINUTES: Final = """
    SELECT stream_id, window_start, window_end, chat_count, unique_chatters, emote_counts,
           avg_sentiment, chat_rate, avg_viewers, peak_viewers, z_score, is_anomaly, revision, final
    FROM chat_summary_minute
    WHERE stream_id = $1 AND window_start >= $2 AND window_start < $3
    ORDER BY window_start DESC
    LIMIT $4
"""


class EmoteCount(BaseModel):
    """An emote and how often it was said."""

    emote: str
    count: int


class Minute(BaseModel):
    """One row."""

    stream_id: str
    window_start: datetime
    window_end: datetime
    chat_count: int
    unique_chatters: int
    top_emotes: list[EmoteCount]
    avg_sentiment: float | None
    chat_rate: float
    avg_viewers: float | None
    peak_viewers: float | None
    z_score: float | None
    is_anomaly: bool | None
    revision: int
    final: bool | None


class Page(BaseModel):
    """What is answered."""

    data: list[Minute]


def build(database_url: str, redis_url: str) -> FastAPI:
    """Return the application."""
    cache = redis.asyncio.from_url(redis_url)

    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncIterator[None]:
        app.state.pool = await asyncpg.create_pool(database_url)
        yield
        await app.state.pool.close()
        await cache.aclose()

    app = FastAPI(lifespan=run)

    @app.get("/api/v1/streams/{stream_id}/metrics", response_model=Page)
    async def list_metrics(
        stream_id: str,
        start: datetime = FIRST,
        end: datetime = LAST,
        limit: int = Query(100, ge=1, le=1000),
    ) -> dict[str, Any]:
        key = f"usual:{stream_id}:{start}:{end}:{limit}"
        if cached := await cache.get(key):
            known: dict[str, Any] = json.loads(cached)
            return known
        rows = await app.state.pool.fetch(MINUTES, stream_id, start, end, limit)
        page = {"data": [_write(row) for row in rows]}
        await cache.set(key, json.dumps(page, default=str), ex=TTL_S)
        return page

    return app


def _write(row: asyncpg.Record) -> dict[str, Any]:
    counts = json.loads(row["emote_counts"])
    top = sorted(counts.items(), key=lambda item: -item[1])[:10]
    return {**row, "top_emotes": [{"emote": emote, "count": count} for emote, count in top]}


if __name__ == "__main__":
    serve(build(sys.argv[2], sys.argv[3]), int(sys.argv[1]))
