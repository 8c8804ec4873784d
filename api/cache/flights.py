"""Flights: work that many ask for at once is done once.

Who asks while it is done waits for the same result. A failure is told to all who wait and to
nobody after them; who is cancelled while waiting ends nothing but its own waiting.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Flights(Generic[T]):
    """Shares work under way by key; there are never more flights than requests."""

    def __init__(self) -> None:
        self._tasks: dict[Hashable, asyncio.Task[T]] = {}

    def is_under_way(self, key: Hashable) -> bool:
        """Tell whether somebody asked for this and it is not done."""
        return key in self._tasks

    async def join(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """Return what the work gives; it is started if nobody else has."""
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(self._fly(key, work))
            task.add_done_callback(_hear)
        return await asyncio.shield(task)

    async def _fly(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        try:
            return await work()
        finally:
            del self._tasks[key]


def _hear(done: asyncio.Task[Any]) -> None:
    """Take note of a failure: everyone who waited for it may have been cancelled."""
    if not done.cancelled():
        done.exception()
