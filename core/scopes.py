"""Scopes: what a cached answer tells of, and how a commit says that such answers are old.

    MSET version:{scope} …          what a cache that asks compares with
    PUBLISH touched:scopes          the same scopes, for caches that listen: always after the MSET

In that order: who drops an answer because of the message reads the new version when it asks.
"""

from collections.abc import Iterable
from typing import Final

STREAMS_ALL: Final = "streams:all"
"""The scope of what tells of all streams."""

TOUCHED: Final = "touched:scopes"
"""The Redis channel on which touched scopes are told."""

SCOPES_MAX: Final = 1000
"""Scopes in one message: some 25 kB of usual names, 130 kB of the longest."""


def scope_of_stream(stream_id: str) -> str:
    """Return the scope of one stream."""
    return f"stream:{stream_id}"


def version_key(scope: str) -> str:
    """Return the Redis key of a scope's version."""
    return f"version:{scope}"


def pack_scopes(scopes: Iterable[str]) -> list[bytes]:
    """Return scopes as payloads of bounded length."""
    names = [scope.encode() for scope in sorted(scopes)]
    return [
        b"\n".join(names[start : start + SCOPES_MAX]) for start in range(0, len(names), SCOPES_MAX)
    ]


def unpack_scopes(payload: bytes) -> list[str]:
    """Read a payload back.

    Raises:
        ValueError: It is no text; somebody else wrote to the channel.
    """
    return payload.decode().split("\n")
