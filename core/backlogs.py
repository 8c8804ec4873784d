"""Backlogs: the last live messages that nobody may miss, by shard, for clients that come back.

    messages -> chunks, a position each -> one script: append to the backlog, publish -> hubs
                                                            └─> whoever was away reads from there

A position is a number given out by Redis in the order of publication, over all shards and
processes. A client remembers the last one it saw and may go on from it at any API process.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from core.live import KEPT, LiveMessage, pack_messages, unpack_messages

POSITION_KEY: Final = "live:position"
"""The last position given out."""

GAP_KEY: Final = "live:gap"
"""The last position before which something was committed that nobody could publish."""

ENTRIES_MAX: Final = 512
"""Chunks that a backlog holds; with those below a shard takes 16 MB at most."""

CHUNK_BYTES_MAX: Final = 32_768
"""A chunk takes no further message past this."""

BACKLOG_TTL_S: Final = 3600
"""The backlog of a shard in which nothing happens for so long is empty."""

PUBLISH: Final = """
local first = 0
if #ARGV > 4 then
  -- By the time, so that positions go on rising when Redis has lost what it knew.
  local time = redis.call('TIME')
  local last = tonumber(redis.call('GET', KEYS[1]) or '0')
  last = math.max(last, time[1] * 1000000 + time[2])
  first = last + 1
  for i = 5, #ARGV, 2 do
    last = last + tonumber(ARGV[i])
    if ARGV[i + 1] ~= '' then
      redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[3], string.format('%.0f-0', last),
                 'count', ARGV[i], 'messages', ARGV[i + 1])
    end
  end
  redis.call('SET', KEYS[1], string.format('%.0f', last))
  redis.call('EXPIRE', KEYS[2], ARGV[4])
end
local gap = redis.call('GET', KEYS[3]) or '0'
redis.call('PUBLISH', ARGV[1], string.format('%.0f', first) .. ' ' .. gap .. '\\n' .. ARGV[2])
"""
"""Numbers the kept messages, appends them to the backlog and publishes all, in one step.

Keys: the last position, the backlog, the last gap. Arguments: channel, payload, most entries,
seconds to live, then for each chunk how many messages it has and its bytes (empty: counted, not
kept)."""


MARK_GAP: Final = """
local time = redis.call('TIME')
local last = tonumber(redis.call('GET', KEYS[1]) or '0')
last = string.format('%.0f', math.max(last, time[1] * 1000000 + time[2]))
redis.call('SET', KEYS[1], last)
redis.call('SET', KEYS[2], last)
"""
"""Says that whoever was here before has missed something. Keys: the last position, the gap."""


class Publication(NamedTuple):
    """What a hub hears at once."""

    gap: int
    messages: list[LiveMessage]


def backlog_of_shard(shard: int) -> str:
    """Return the Redis key of a shard's backlog."""
    return f"live:backlog:{shard}"


def list_publication(channel: str, messages: Sequence[LiveMessage]) -> list[str | bytes | int]:
    """Return the arguments with which the script publishes messages."""
    chunks = list(_split_chunks(message for message in messages if message.kind in KEPT))
    arguments: list[str | bytes | int] = [
        channel,
        pack_messages(messages),
        ENTRIES_MAX,
        BACKLOG_TTL_S,
    ]
    for number, chunk in enumerate(chunks):
        # More than fits would push itself out again.
        is_kept = number >= len(chunks) - ENTRIES_MAX
        arguments += [len(chunk), pack_messages(chunk) if is_kept else b""]
    return arguments


def unpack_publication(payload: bytes) -> Publication:
    """Read what the script published.

    Raises:
        ValueError: Somebody else wrote it.
    """
    head, _, packed = payload.partition(b"\n")
    first, gap = map(int, head.split(b" "))
    return Publication(gap, list(number_messages(first, unpack_messages(packed))))


def unpack_chunk(last: int, count: int, packed: bytes) -> Iterator[LiveMessage]:
    """Read a chunk of a backlog by the position of its last message."""
    return number_messages(last - count + 1, unpack_messages(packed))


def number_messages(first: int, messages: Iterable[LiveMessage]) -> Iterator[LiveMessage]:
    """Write their positions into the messages that have one."""
    position = first
    for message in messages:
        if message.kind not in KEPT:
            yield message
            continue
        body = b'{"position":%d,' % position + message.body[1:]
        yield replace(message, position=position, body=body)
        position += 1


def _split_chunks(messages: Iterable[LiveMessage]) -> Iterator[list[LiveMessage]]:
    chunk: list[LiveMessage] = []
    size = 0
    for message in messages:
        chunk.append(message)
        size += len(message.body)
        if size >= CHUNK_BYTES_MAX:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
