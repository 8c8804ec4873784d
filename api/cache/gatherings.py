"""Gatherings: what many ask for in one turn of the event loop is asked for once, together.

    ask ─┐
    ask ─┼─ end of the turn ─► one round trip ─► each its own answer
    ask ─┘

A lone question waits for nothing. Who is cancelled while waiting takes nobody along; a failure is
told to all who waited for it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeAlias, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")

GATHERED_MAX: Final = 64
"""Questions of one round trip: with answers of some ten kilobytes each, no more than a megabyte or
two is under way for one of them."""

AskAll: TypeAlias = Callable[[Sequence[Q]], Awaitable[Sequence[A]]]
"""Answers several questions, in their order."""


class Gathering(Generic[Q, A]):
    """Gathers questions, and hands out the answers."""

    def __init__(self, ask_all: AskAll[Q, A]) -> None:
        self._ask_all = ask_all
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._under_way: set[asyncio.Task[None]] = set()

    async def ask(self, question: Q) -> A:
        """Return the answer to a question."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._begin)
        answer: asyncio.Future[A] = loop.create_future()
        self._waiting.append((question, answer))
        if len(self._waiting) == GATHERED_MAX:
            self._begin()
        return await answer

    def _begin(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            task = asyncio.create_task(self._serve(waiting))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _serve(self, waiting: Sequence[tuple[Q, asyncio.Future[A]]]) -> None:
        try:
            answers = await self._ask_all([question for question, _ in waiting])
        except Exception as error:  # noqa: BLE001 (whatever it is, it is told to who waits)
            for _, answer in waiting:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, answer), given in zip(waiting, answers, strict=True):
            if not answer.done():
                answer.set_result(given)
