"""Alignments: messages of many partitions, handed on in about the order of their times.

    chat    12:00 12:01 12:02 … 14:00      what is more than a minute ahead of the slowest
    viewer  12:00                          partition waits on its shelf until that one has come on

A stream's chat and its viewers lie in different topics. Read as fast as each comes, hours of the
one would pass before the first of the other, which the flow would then find too late to count. A
partition read to its end holds nobody up, and neither does one that does not come at all. Pure.
"""

from collections import deque
from dataclasses import dataclass, field
from heapq import heapify, heappop, heapreplace
from typing import Final, Generic, TypeAlias, TypeVar

Partition: TypeAlias = tuple[str, int]
"""A topic, and a number in it."""

AHEAD_MS_MAX: Final = 60_000
"""Well within the lateness that a minute allows."""

SHELF_MESSAGES_MAX: Final = 10_000
"""Of one partition; then it is not fetched from until half of them are handed on."""

MESSAGES_MAX: Final = 200_000
"""Of all partitions, which share it where they are many."""

STUCK_MS: Final = 10_000
"""A partition of which so long nothing comes holds the others up no more."""

Message = TypeVar("Message")


@dataclass(slots=True)
class Shelf(Generic[Message]):
    """What was fetched of a partition and not yet handed on."""

    touched_ms: int
    """When something last came."""

    messages: deque[tuple[int, Message]] = field(default_factory=deque)
    newest_ms: int | None = None
    is_at_end: bool = False
    is_paused: bool = False


class Alignment(Generic[Message]):
    """The shelves of the partitions that are read here."""

    def __init__(self, ahead_ms: int = AHEAD_MS_MAX) -> None:
        self._ahead_ms = ahead_ms
        self._shelves: dict[Partition, Shelf[Message]] = {}

    def add(self, partition: Partition, now_ms: int) -> None:
        """Begin with a partition, of which nothing has come yet."""
        self._shelves[partition] = Shelf(now_ms)

    def drop(self, partition: Partition) -> None:
        """Forget a partition that somebody else reads now, and what was fetched of it."""
        self._shelves.pop(partition, None)

    def put(self, partition: Partition, time_ms: int, message: Message, now_ms: int) -> None:
        """Add a message; one of a partition that is not read here is left out.

        Args:
            partition: Where it came from.
            time_ms: When it was sent; not above 0 where unknown.
            message: What is handed on.
            now_ms: No message is from a later time: a clock that runs ahead holds nothing up.
        """
        if (shelf := self._shelves.get(partition)) is None:
            return
        time_ms = min(time_ms, now_ms) if time_ms > 0 else now_ms
        shelf.newest_ms = max(shelf.newest_ms or 0, time_ms)
        shelf.messages.append((time_ms, message))
        shelf.touched_ms, shelf.is_at_end = now_ms, False

    def note_end(self, partition: Partition, now_ms: int) -> None:
        """Note that there is nothing more in a partition for now."""
        if (shelf := self._shelves.get(partition)) is not None:
            shelf.touched_ms, shelf.is_at_end = now_ms, True

    def take(self, limit: int, now_ms: int) -> list[Message]:
        """Hand out messages that are not too far ahead, the oldest of all partitions first."""
        horizon_ms = self._find_horizon_ms(now_ms)
        shelves = [shelf.messages for shelf in self._shelves.values() if shelf.messages]
        heads = [(messages[0][0], number) for number, messages in enumerate(shelves)]
        heapify(heads)
        taken: list[Message] = []
        while heads and len(taken) < limit:
            time_ms, number = heads[0]
            if horizon_ms is not None and time_ms > horizon_ms:
                break
            messages = shelves[number]
            taken.append(messages.popleft()[1])
            if messages:
                heapreplace(heads, (messages[0][0], number))
            else:
                heappop(heads)
        return taken

    def count(self) -> int:
        """Return how many messages lie on the shelves."""
        return sum(len(shelf.messages) for shelf in self._shelves.values())

    def pace(self) -> tuple[list[Partition], list[Partition]]:
        """Return the partitions to fetch no more for now, and those to go on with."""
        full, free = list[Partition](), list[Partition]()
        limit = min(SHELF_MESSAGES_MAX, MESSAGES_MAX // max(len(self._shelves), 1))
        for partition, shelf in self._shelves.items():
            if not shelf.is_paused and len(shelf.messages) >= limit:
                shelf.is_paused = True
                full.append(partition)
            elif shelf.is_paused and len(shelf.messages) <= limit // 2:
                shelf.is_paused = False
                free.append(partition)
        return full, free

    def _find_horizon_ms(self, now_ms: int) -> int | None:
        """Return the latest time that may be handed on; None where nobody holds anybody up."""
        awaited = [
            shelf
            for shelf in self._shelves.values()
            if not shelf.is_at_end and not shelf.is_paused and now_ms - shelf.touched_ms < STUCK_MS
        ]
        # What was never heard of may begin anywhere.
        times = [-1 if shelf.newest_ms is None else shelf.newest_ms for shelf in awaited]
        times += [shelf.newest_ms or 0 for shelf in self._shelves.values() if shelf.is_paused]
        return min(times) + self._ahead_ms if times else None
