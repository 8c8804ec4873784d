"""Returns: one of two API processes is killed, and its clients go on at the other.

announcer ──► Redis ──► api 1 ─┐
                   └──► api 2 ─┴─ balancer ◄── sockets and event streams
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from core.tasks import end
from loadtest.bench.processes import Process
from loadtest.bench.push.announcers import Announcer
from loadtest.bench.push.balancers import Address, run_balancer
from loadtest.bench.push.bodies import FIRST_MOMENT, FIRST_NUMBER
from loadtest.bench.push.returners import Notes, follow_events, follow_socket

STREAM: Final = "push-returns"
PAUSE_S: Final = 0.005
MOMENT_EVERY: Final = 5
"""Of so many messages one is a moment, the others are minutes."""

SETTLE_S_MAX: Final = 60


@dataclass(frozen=True, slots=True)
class Company:
    """How many clients of each kind, and how many messages."""

    sockets: int
    event_streams: int
    messages: int


@dataclass(slots=True)
class Returned:
    """What clients found."""

    company: Company
    moments: int = 0
    came_back: int = 0
    faults: list[str] = field(default_factory=list)


async def kill_among(
    victim: Process, apis: list[Address], redis_url: str, company: Company
) -> Returned:
    """Announce, kill one of the servers half-way, and hold what each client saw against it."""
    found = Returned(company)
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(run_balancer(apis))
        announcer = Announcer(redis_url, [STREAM])
        stack.push_async_callback(announcer.close)
        # From a position on, nothing is left to chance: who connects late gets all after it.
        await announcer.tell("push-before", "minute", FIRST_NUMBER)
        begin = await announcer.find_position()
        everyone = await stack.enter_async_context(_follow(port, company, begin))
        await _wait_until(lambda: all(notes.connections for notes in everyone))
        announced: list[tuple[str, int]] = []
        for number in range(company.messages):
            if number == company.messages // 2:
                await asyncio.to_thread(victim.stop, signal.SIGKILL)
            one = ("minute", FIRST_NUMBER + number)
            if number % MOMENT_EVERY == 0:
                one = ("moment", FIRST_MOMENT + number)
            await announcer.tell(STREAM, *one)
            announced.append(one)
            await asyncio.sleep(PAUSE_S)
        await _wait_until(lambda: all(notes.seen[announced[-1]] for notes in everyone))
    found.moments = sum(kind == "moment" for kind, _ in announced)
    found.came_back = sum(notes.connections > 1 for notes in everyone)
    found.faults = [fault for notes in everyone for fault in notes.find_faults(announced)]
    return found


@asynccontextmanager
async def _follow(port: int, company: Company, begin: int) -> AsyncIterator[list[Notes]]:
    everyone = [Notes(begin) for _ in range(company.sockets + company.event_streams)]
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        f"http://127.0.0.1:{port}",
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=None),
    ) as session:
        tasks = [
            asyncio.create_task(
                (follow_socket if number < company.sockets else follow_events)(
                    session, STREAM, notes
                )
            )
            for number, notes in enumerate(everyone)
        ]
        try:
            yield everyone
        finally:
            await end(*tasks)


async def _wait_until(holds: Callable[[], bool]) -> None:
    """Return when a condition holds, or it took too long."""
    for _ in range(round(SETTLE_S_MAX / PAUSE_S)):
        if holds():
            return
        await asyncio.sleep(PAUSE_S)
