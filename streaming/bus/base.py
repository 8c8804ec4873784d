"""Bus: an append-only log with shards and offsets, between the doors and the flow.

    doors ── append ──► shard 0 … shard S-1 ── read after an offset ──► flow

Two ports, because two kinds of process meet here: doors are asynchronous and only write, consumers
are synchronous and only read. An entry is a whole batch of events, as bytes. It stays until every
consumer has released it, or, on a bus that keeps by age, until it is too old.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias

from core.batches import Entry

Consumer: TypeAlias = Literal["flow", "archive"]
"""Who reads the bus to the end of every shard."""

CONSUMERS: Final[tuple[Consumer, ...]] = ("flow", "archive")

Offsets: TypeAlias = Mapping[int, int]
"""The offset of an entry, by its shard."""


@dataclass(frozen=True, slots=True)
class Once:
    """Makes an append that is repeated with the same key count once."""

    key: str
    content: str
    """Digest of what is sent: the same key with another content is a conflict."""


class BusWriter(Protocol):
    """Appends entries."""

    async def append(
        self, entries: Mapping[int, bytes], *, once: Once | None = None, trace: str | None = None
    ) -> Offsets | None:
        """Append one entry to each shard named, all or none; return None for a repeat.

        A trace is handed on to who reads the entries, and changes nothing else.

        When this returns, the entries survive the death of every process involved.

        Raises:
            BusFullError: A shard holds as much as it may.
            BusAwayError: The bus cannot be reached; nothing is known to be appended.
            ConflictError: The key of ``once`` was used for another content.
            TooLargeError: An entry is larger than the bus takes.
        """
        ...

    async def close(self) -> None:
        """Let go of the connection."""
        ...


class BusReader(Protocol):
    """Reads entries in order, for one consumer."""

    def read(self, shard: int, *, after: int, limit: int) -> list[Entry]:
        """Return up to ``limit`` entries after an offset, oldest first; empty when there are none.

        Raises:
            BusAwayError: The bus cannot be reached.
        """
        ...

    def release(self, shard: int, *, through: int) -> None:
        """Say that this consumer needs no entry up to and including an offset any more.

        What every consumer has released may be gone at once, or later, by age.

        Raises:
            BusAwayError: The bus cannot be reached.
        """
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...
