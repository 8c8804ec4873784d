"""Letters: dead letters put on the bus again, for a flow that may read them now.

An entry that still cannot be read becomes a dead letter again, under a new offset.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from core.errors import ConflictError
from core.keys import Caller, Scope
from core.settings import Settings
from db.dead_letters import DeadLetterStore
from streaming.archive.sources import connect
from streaming.bus.base import BusWriter
from streaming.bus.letters import append_letter

ACTOR: Final = Caller("command line", frozenset({Scope.ADMIN}))


@dataclass(frozen=True, slots=True)
class Posted:
    """What was put on the bus again."""

    letters: int
    payload_bytes: int


async def replay_letters(settings: Settings, bus: BusWriter, *, reason: str | None) -> Posted:
    """Append the letters that wait, oldest first, and mark each when the bus has it.

    Args:
        settings: Where the database is.
        bus: Where they go.
        reason: A part of the reason that they share; None takes all.

    Raises:
        BusFullError: The bus is full; what was appended is marked.
        BusAwayError: The bus cannot be reached; likewise.
    """
    count = size = 0
    after = (-1, -1)
    async with connect(settings.require_database_url()) as connection:
        store = DeadLetterStore(connection)
        while letters := await store.list_waiting(reason=reason, after=after):
            for letter in letters:
                # Somebody else may have replayed it since it was listed.
                with suppress(ConflictError):
                    async with store.replaying((letter.shard, letter.offset), ACTOR):
                        await append_letter(bus, letter.shard, letter.offset, letter.payload)
                    count += 1
                    size += len(letter.payload)
            after = (letters[-1].offset, letters[-1].shard)
    return Posted(count, size)
