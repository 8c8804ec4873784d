"""Gatherings: what many ask for in one turn of the event loop is asked for once, together.

    ask ─┐
    ask ─┼─ end of the turn ─► one round trip ─► each its own answer
    ask ─┘

A lone question waits for nothing. Where a wait is allowed, those who come while a round trip is
under way wait for its end, but no longer than that. Who is cancelled while waiting takes nobody
along; a failure is told to all who waited for it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Generic, TypeAlias, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")

GATHERED_MAX: Final = 64
"""Questions of one round trip: with answers of some ten kilobytes each, no more than a megabyte or
two is under way for one of them."""

AskAll: TypeAlias = Callable[[Sequence[Q]], Awaitable[Sequence[A]]]
"""Answers several questions, in their order."""


@dataclass(frozen=True, slots=True)
class GatheringPolicy:
    """Decides how much goes together."""

    questions_max: int = GATHERED_MAX
    weight_max: int | None = None
    """Of all questions of a round trip, as they say themselves; None where they have none."""

    wait: timedelta = timedelta()
    """How long questions gather at most while a round trip is under way; with none under way, and
    without a wait, they go at the end of the turn."""


class Gathering(Generic[Q, A]):
    """Gathers questions, and hands out the answers."""

    def __init__(self, ask_all: AskAll[Q, A], policy: GatheringPolicy | None = None) -> None:
        self._ask_all = ask_all
        self._policy = policy or GatheringPolicy()
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._weight = 0
        self._timer: asyncio.Handle | None = None
        self._context: Context | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    async def ask(self, question: Q, *, weight: int = 0) -> A:
        """Return the answer to a question."""
        loop = asyncio.get_running_loop()
        if self._waiting and not self._has_room(weight):
            self._begin()
        if not self._waiting:
            self._timer = self._plan(loop)
            self._context = copy_context()
        answer: asyncio.Future[A] = loop.create_future()
        self._waiting.append((question, answer))
        self._weight += weight
        if len(self._waiting) == self._policy.questions_max:
            self._begin()
        return await answer

    def _has_room(self, weight: int) -> bool:
        most = self._policy.weight_max
        return most is None or self._weight + weight <= most

    def _plan(self, loop: asyncio.AbstractEventLoop) -> asyncio.Handle:
        if self._under_way and self._policy.wait:
            return loop.call_later(self._policy.wait.total_seconds(), self._begin)
        return loop.call_soon(self._begin)

    def _begin(self) -> None:
        waiting, self._waiting, self._weight = self._waiting, [], 0
        if self._timer is not None:
            self._timer.cancel()
        if waiting:
            # What is done for all belongs to the first of them, as its logs and traces do.
            task = asyncio.create_task(self._serve(waiting), context=self._context)
            self._under_way.add(task)
            task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if self._policy.wait and not self._under_way:
            self._begin()

    async def _serve(self, waiting: Sequence[tuple[Q, asyncio.Future[A]]]) -> None:
        try:
            answers = await self._ask_all([question for question, _ in waiting])
        except Exception as error:  # noqa: BLE001 (whatever it is, it is told to who waits)
            for _, answer in waiting:
                if not answer.done():
                    answer.set_exception(error)
            return
        except BaseException:
            for _, answer in waiting:
                answer.cancel()
            raise
        for (_, answer), given in zip(waiting, answers, strict=True):
            if not answer.done():
                answer.set_result(given)
