"""Ids: how things are named and which shard they belong to.

Everything here is a pure function of its input, so that a replay gives the same names.
"""

import hashlib
import random
from zlib import crc32

NAME_PATTERN = r"^[A-Za-z0-9_.:@~+=#-]{1,128}$"
"""Ids of streams and names of channels: they stand in addresses, keys and labels."""

REQUEST_ID_LENGTH_MAX = 64
"""Longer request ids from clients are replaced: they end up in every log line."""


def shard_of(stream_id: str, shards: int) -> int:
    """Return the shard of a stream: CRC-32 of its UTF-8 bytes, modulo the number of shards.

    A public checksum instead of ``hash()``: every process, language and release must agree.
    """
    return crc32(stream_id.encode()) % shards


def make_moment_id(stream_id: str, moment_type: str, metric_name: str, started_at_ms: int) -> str:
    """Return the id of a moment; the same moment found again in a replay gets the same id."""
    name = "\x1f".join((stream_id, moment_type, metric_name, str(started_at_ms)))
    return "mom_" + hashlib.blake2b(name.encode(), digest_size=10).hexdigest()


def make_request_id() -> str:
    """Return a new id for a request that came without one; it must differ, not be secret."""
    return f"req_{random.getrandbits(64):016x}"


def is_request_id(text: str) -> bool:
    """Tell whether a client's request id is safe to log and send back."""
    return 0 < len(text) <= REQUEST_ID_LENGTH_MAX and text.isascii() and text.isprintable()
