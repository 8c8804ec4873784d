"""Presences: which streams are live, kept in Redis so that every restart of the flow knows.

    first event after a silence -> live          a minute without events -> silent

Each change is found by one process alone, however many there are: a script decides.
"""

from datetime import datetime
from typing import Final, cast

import polars as pl
import redis

from core.live import LIVE_FOR, PRESENCES, presence_of_stream
from core.minutes import to_micros

GONE_MAX: Final = 1000
"""Streams told to be silent at once; the others follow a second later."""

NOTE: Final = """
local new = {}
for i = 1, #ARGV, 2 do
  if not redis.call('ZSCORE', KEYS[1], ARGV[i + 1]) then
    new[#new + 1] = ARGV[i + 1]
  end
  redis.call('ZADD', KEYS[1], 'GT', ARGV[i], ARGV[i + 1])
end
return new
"""

TAKE_SILENT: Final = """
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for i = 1, #gone do
  redis.call('ZREM', KEYS[1], gone[i])
end
return gone
"""


class Presences:
    """Finds the streams that begin and those that fell silent."""

    def __init__(self, client: redis.Redis) -> None:
        self._note = client.register_script(NOTE)
        self._take_silent = client.register_script(TAKE_SILENT)

    def note(self, shard: int, streams: pl.DataFrame, now: datetime) -> list[str]:
        """Remember the last events of streams; return those that were not live before."""
        if streams.is_empty():
            return []
        fresh = streams.filter(pl.col("last_event_at") > now - LIVE_FOR)
        if fresh.is_empty():
            return []
        times = fresh["last_event_at"].dt.timestamp("ms").to_list()
        arguments: list[str | int] = []
        for time_ms, stream_id in zip(times, fresh["stream_id"].to_list(), strict=True):
            arguments += [time_ms, presence_of_stream(shard, stream_id)]
        new = cast("list[bytes]", self._note(keys=[PRESENCES], args=arguments))
        return [_split(member)[1] for member in new]

    def take_silent(self, now: datetime) -> list[tuple[int, str]]:
        """Forget the streams that are silent by now; return them with their shards."""
        until_ms = to_micros(now - LIVE_FOR) // 1000
        gone = cast("list[bytes]", self._take_silent(keys=[PRESENCES], args=[until_ms, GONE_MAX]))
        return [_split(member) for member in gone]


def _split(member: bytes) -> tuple[int, str]:
    shard, _, stream_id = member.decode().partition(" ")
    return int(shard), stream_id
