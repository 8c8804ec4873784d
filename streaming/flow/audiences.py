"""Audiences: the streams whose chat somebody looks at, as the flow last heard."""

from typing import cast

import redis

from core.audiences import AUDIENCES, STREAMS_MAX


class Audiences:
    """Remembers them between two looks; read by threads that must not wait."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self.streams: frozenset[str] = frozenset()

    def look(self, now_ms: int) -> None:
        """Ask who is looked at now."""
        members = self._redis.zrangebyscore(AUDIENCES, now_ms, "+inf", start=0, num=STREAMS_MAX)
        # The library's types cannot know that answers are bytes here.
        self.streams = frozenset(name.decode() for name in cast("list[bytes]", members))
