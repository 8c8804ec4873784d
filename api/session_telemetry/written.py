"""Written: lets who reads see what was written before, although the flow commits a little later.

    POST ─► bus ─► written:session:{id} = shard and offset of the entry ─┐ Redis, for a minute
    GET ─► waits until the shard's applied offset has passed it ◄────────┘ 2 s at most

Who waits in vain gets what there is. Without Redis nobody waits, and nothing fails. What is noted
need not outlive Redis: it stays out of its file, or each point would wait for the disk twice.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Final

import redis.asyncio
import redis.exceptions
import structlog

from core.gatherings import Gathering
from db.pool import Pool
from db.session_telemetry import SessionTelemetryStore

WAIT_S_MAX: Final = 2.0
"""The flow commits four times a second; a flow that takes longer is behind or away."""

LOOK_EVERY_S: Final = 0.03

REMEMBERED_S: Final = 60
"""A write that is older is applied, or the flow is so far behind that waiting is in vain."""

AWAY: Final = (redis.exceptions.RedisError, OSError)

_NOTE: Final = """
redis.set_repl(redis.REPL_NONE)
local known = redis.call('HGET', KEYS[1], ARGV[1])
if not known or #known < #ARGV[2] or (#known == #ARGV[2] and known < ARGV[2]) then
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
end
redis.call('EXPIRE', KEYS[1], ARGV[3])
"""
"""Offsets are compared as texts of digits: a number in Lua holds only 53 of their bits."""

log = structlog.get_logger()


def written_by_session(session_id: str) -> str:
    """Return the Redis key of what was written last in a session."""
    return f"written:session:{session_id}"


class Written:
    """Remembers what was written, and waits for it."""

    def __init__(self, client: redis.asyncio.Redis, pool: Pool) -> None:
        self._redis = client
        self._pool = pool
        self._note = client.register_script(_NOTE)
        self._notes: Gathering[tuple[str, int, int], None] = Gathering(self._note_all)
        self._applied: dict[int, int] = {}
        """As far as this process has seen each shard."""

    async def note(self, session_id: str, offsets: Mapping[int, int]) -> None:
        """Remember that something of a session was appended."""
        try:
            for shard, offset in offsets.items():
                await self._notes.ask((session_id, shard, offset))
        except AWAY as error:
            log.debug("written_not_noted", error=type(error).__name__)

    async def _note_all(self, notes: Sequence[tuple[str, int, int]]) -> list[None]:
        """Note what came together: of each session only what is furthest."""
        furthest: dict[tuple[str, int], int] = {}
        for session_id, shard, offset in notes:
            furthest[session_id, shard] = max(offset, furthest.get((session_id, shard), 0))
        for (session_id, shard), offset in furthest.items():
            await self._note(
                keys=[written_by_session(session_id)], args=[shard, offset, REMEMBERED_S]
            )
        return [None] * len(notes)

    async def wait(self, session_id: str) -> str | None:
        """Wait until what was written before can be read; return its mark, None if in vain.

        Answers that were read at a mark hold all that was written until then: with the next that is
        written the mark is another.

        Raises:
            DatabaseAwayError: Nothing can be read at all.
        """
        deadline = time.monotonic() + WAIT_S_MAX
        found = await self._find(session_id)
        for shard, offset in found.items():
            while self._applied.get(shard, 0) < offset:
                async with self._pool.connection() as connection:
                    applied = await SessionTelemetryStore(connection).find_applied(shard)
                self._applied[shard] = applied
                if applied >= offset:
                    break
                if time.monotonic() >= deadline:
                    log.info("written_not_applied", session_id=session_id, shard=shard)
                    return None
                await asyncio.sleep(LOOK_EVERY_S)
        return " ".join(f"{shard}:{offset}" for shard, offset in sorted(found.items()))

    async def _find(self, session_id: str) -> dict[int, int]:
        try:
            found = await self._redis.hgetall(written_by_session(session_id))
        except AWAY:
            return {}
        return {int(shard): int(offset) for shard, offset in found.items()}
