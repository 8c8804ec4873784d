"""News: what a change made through the API tells everyone, once it is committed.

    changed ─► versions, touched scopes, live message: one round trip ─► caches and hubs of all
                  └ Redis away ─► kept here, tried again until it is back

The same keys, channels and script as the flow's. What could not be told is bounded: past that, all
clients hear instead that something is missing.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Collection
from typing import Final, NamedTuple

import redis.asyncio
import redis.exceptions
import structlog

from api.cache.touches import Touches
from core.backlogs import (
    GAP_KEY,
    MARK_GAP,
    POSITION_KEY,
    PUBLISH,
    backlog_of_shard,
    list_publication,
)
from core.ids import shard_of
from core.live import (
    PRESENCES,
    LiveMessage,
    channel_of_shard,
    latest_of_stream,
    presence_of_stream,
)
from core.scopes import TOUCHED, pack_scopes, version_key
from core.tasks import end

MESSAGES_MAX: Final = 1000
"""Messages that may wait for Redis, a few megabytes; people do not change more in an outage."""

SCOPES_MAX: Final = 10_000
"""Scopes that may wait."""

WAIT_S_MAX: Final = 5.0
"""The longest pause between two attempts to reach Redis."""

AWAY: Final = (redis.exceptions.RedisError, OSError)

log = structlog.get_logger()


class Telling(NamedTuple):
    """A message, and whether its stream is gone."""

    message: LiveMessage
    is_gone: bool


class News:
    """Tells what was changed."""

    def __init__(self, client: redis.asyncio.Redis, touches: Touches, *, shards: int) -> None:
        self._redis = client
        self._touches = touches
        self._shards = shards
        self._publish = client.register_script(PUBLISH)
        self._mark_gap = client.register_script(MARK_GAP)
        self._scopes: dict[str, None] = {}
        self._messages: deque[Telling] = deque()
        self._is_gap = False
        self._telling = asyncio.Lock()
        self._is_away = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to try again what could not be told."""
        self._task = asyncio.create_task(self._try_again())

    async def stop(self) -> None:
        """Stop trying."""
        if self._task is not None:
            await end(self._task)

    async def tell(
        self, scopes: Collection[str], *messages: LiveMessage, is_gone: bool = False
    ) -> None:
        """Say that scopes changed, and publish messages; without Redis, as soon as it is back.

        Args:
            scopes: What cached answers tell of that changed.
            messages: For live clients.
            is_gone: Whether the messages' streams were deleted: Redis forgets them too.
        """
        self._scopes.update(dict.fromkeys(scopes))
        self._messages.extend(Telling(message, is_gone) for message in messages)
        # Known to be away: nobody waits for it once more, and the task has all that is pending.
        if not self._is_away.is_set():
            await self._tell_pending()
        self._bound()
        # After Redis: who finds nothing at hand here must find the new version there.
        for scope in scopes:
            self._touches.touch(scope)

    async def _tell_pending(self) -> None:
        """Tell all that is pending, in order."""
        async with self._telling:
            scopes, self._scopes = self._scopes, {}
            messages, self._messages = self._messages, deque()
            is_gap, self._is_gap = self._is_gap, False
            is_told = False
            try:
                await self._send([*scopes], [*messages], is_gap=is_gap)
                is_told = True
                self._is_away.clear()
            except AWAY as error:
                log.warning("news_away", error=type(error).__name__, untold=len(messages))
            finally:
                if not is_told:
                    self._scopes = scopes | self._scopes
                    self._messages.extendleft(reversed(messages))
                    self._is_gap |= is_gap
                    self._is_away.set()

    async def _send(self, scopes: list[str], messages: list[Telling], *, is_gap: bool) -> None:
        async with self._redis.pipeline(transaction=False) as pipeline:
            if is_gap:
                await self._mark_gap(keys=[POSITION_KEY, GAP_KEY], client=pipeline)
            if scopes:
                pipeline.mset({version_key(scope): secrets.token_hex(8) for scope in scopes})
            for payload in pack_scopes(scopes):
                pipeline.publish(TOUCHED, payload)
            for message, is_gone in messages:
                shard = shard_of(message.stream_id, self._shards)
                if is_gone:
                    pipeline.delete(latest_of_stream(message.stream_id))
                    pipeline.zrem(PRESENCES, presence_of_stream(shard, message.stream_id))
                await self._publish(
                    keys=[POSITION_KEY, backlog_of_shard(shard), GAP_KEY],
                    args=list_publication(channel_of_shard(shard), [message]),
                    client=pipeline,
                )
            await pipeline.execute()

    def _bound(self) -> None:
        while len(self._messages) > MESSAGES_MAX:
            self._messages.popleft()
            self._is_gap = True
        while len(self._scopes) > SCOPES_MAX:
            del self._scopes[next(iter(self._scopes))]

    async def _try_again(self) -> None:
        wait_s = 0.1
        while True:
            await self._is_away.wait()
            await asyncio.sleep(wait_s)
            await self._tell_pending()
            wait_s = min(wait_s * 2, WAIT_S_MAX) if self._is_away.is_set() else 0.1
