"""Flights: one at a time by key, and whoever waits is on their own."""

import asyncio
import gc

import pytest

from api.cache.flights import Flights
from tests.fixtures.waiting import eventually


class Work:
    """Work that ends when a test says so."""

    def __init__(self) -> None:
        self.started = 0
        self.end: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def do(self) -> int:
        self.started += 1
        return await asyncio.shield(self.end)


async def start(flights: Flights[int], work: Work, key: str = "k") -> asyncio.Task[int]:
    task = asyncio.create_task(flights.join(key, work.do))
    # Once for the one who asks, once for the work.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return task


async def test_who_asks_meanwhile_waits_for_the_same_result():
    flights, work = Flights[int](), Work()
    asking = [await start(flights, work) for _ in range(3)]
    assert flights.is_under_way("k")
    work.end.set_result(7)
    assert await asyncio.gather(*asking) == [7, 7, 7]
    assert work.started == 1
    assert not flights.is_under_way("k")


async def test_who_asks_for_something_else_or_afterwards_has_it_done():
    flights, work = Flights[int](), Work()
    asking = [await start(flights, work, key) for key in "kl"]
    work.end.set_result(7)
    await asyncio.gather(*asking)
    assert work.started == 2
    assert await flights.join("k", work.do) == 7
    assert work.started == 3


async def test_a_failure_is_told_to_all_who_wait_and_to_nobody_after_them():
    flights, work = Flights[int](), Work()
    asking = [await start(flights, work) for _ in range(2)]
    work.end.set_exception(OSError("gone"))
    told = await asyncio.gather(*asking, return_exceptions=True)
    assert [str(each) for each in told] == ["gone", "gone"]
    assert not flights.is_under_way("k")
    assert await flights.join("k", Later(8).do) == 8


class Later:
    """Work that is done at once."""

    def __init__(self, result: int) -> None:
        self._result = result

    async def do(self) -> int:
        return self._result


@pytest.mark.parametrize("who", [0, 1])
async def test_who_is_cancelled_cancels_nobody_else(who: int):
    flights, work = Flights[int](), Work()
    asking = [await start(flights, work) for _ in range(2)]
    asking[who].cancel()
    await asyncio.wait([asking[who]])
    assert asking[who].cancelled()
    work.end.set_result(7)
    assert await asking[1 - who] == 7


async def test_work_that_fails_when_nobody_waits_any_more_is_no_crash():
    flights, work = Flights[int](), Work()
    crashes: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: crashes.append(told))
    task = await start(flights, work)
    task.cancel()
    await asyncio.wait([task])
    work.end.set_exception(OSError("gone"))
    await eventually(lambda: not flights.is_under_way("k"))
    del task, work
    gc.collect()
    assert crashes == []
