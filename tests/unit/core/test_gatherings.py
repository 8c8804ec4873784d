"""Gatherings: one round trip for a turn of the loop, and everyone gets their own answer."""

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar
from datetime import timedelta

import pytest

from core.gatherings import GATHERED_MAX, Gathering, GatheringPolicy
from tests.fixtures.waiting import eventually


class Oracle:
    """Answers with the double, when it may, and notes what it was asked together."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.error: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()

    async def ask_all(self, questions: Sequence[int]) -> list[int]:
        self.asked.append(list(questions))
        await self.open.wait()
        if self.error is not None:
            raise self.error
        return [2 * question for question in questions]


@pytest.fixture
async def oracle() -> Oracle:
    return Oracle()


@pytest.fixture
def gathering(oracle: Oracle) -> Gathering[int, int]:
    return Gathering(oracle.ask_all)


async def test_what_is_asked_in_one_turn_is_asked_together(
    oracle: Oracle, gathering: Gathering[int, int]
):
    assert await asyncio.gather(*map(gathering.ask, (3, 1, 2))) == [6, 2, 4]
    assert await gathering.ask(5) == 10
    assert oracle.asked == [[3, 1, 2], [5]]


async def test_who_asks_while_others_wait_is_asked_for_at_once(
    oracle: Oracle, gathering: Gathering[int, int]
):
    oracle.open.clear()
    first = asyncio.create_task(gathering.ask(1))
    await eventually(lambda: oracle.asked)
    second = asyncio.create_task(gathering.ask(2))
    await eventually(lambda: len(oracle.asked), holds=(2).__eq__)
    oracle.open.set()
    assert [await first, await second] == [2, 4]


async def test_more_than_fit_go_in_several_round_trips(
    oracle: Oracle, gathering: Gathering[int, int]
):
    many = range(2 * GATHERED_MAX + 1)
    assert await asyncio.gather(*map(gathering.ask, many)) == [2 * each for each in many]
    assert [len(asked) for asked in oracle.asked] == [GATHERED_MAX, GATHERED_MAX, 1]


async def test_a_failure_is_told_to_all_of_its_round_trip_and_to_nobody_after(
    oracle: Oracle, gathering: Gathering[int, int]
):
    oracle.error = ConnectionError("away")
    told = await asyncio.gather(*map(gathering.ask, (1, 2)), return_exceptions=True)
    assert told == [oracle.error] * 2
    oracle.error = None
    assert await gathering.ask(1) == 2


async def test_one_who_is_cancelled_takes_nobody_along(
    oracle: Oracle, gathering: Gathering[int, int]
):
    for fails in (False, True):
        oracle.error = ConnectionError("away") if fails else None
        oracle.open.clear()
        asking = [asyncio.create_task(gathering.ask(each)) for each in (1, 2)]
        known = len(oracle.asked)
        await eventually(lambda: len(oracle.asked), holds=(known + 1).__eq__)
        asking[0].cancel()
        await asyncio.sleep(0)
        oracle.open.set()
        told = await asyncio.gather(*asking, return_exceptions=True)
        assert isinstance(told[0], asyncio.CancelledError)
        assert told[1] == (oracle.error if fails else 4)


@pytest.fixture
def patient(oracle: Oracle) -> Gathering[int, int]:
    policy = GatheringPolicy(questions_max=4, weight_max=10, wait=timedelta(minutes=1))
    return Gathering(oracle.ask_all, policy)


async def test_who_may_wait_goes_when_those_under_way_are_back(
    oracle: Oracle, patient: Gathering[int, int]
):
    oracle.open.clear()
    first = asyncio.create_task(patient.ask(1))
    await eventually(lambda: oracle.asked)
    others = [asyncio.create_task(patient.ask(each)) for each in (2, 3)]
    await asyncio.sleep(0)
    assert oracle.asked == [[1]]
    oracle.open.set()
    assert await asyncio.gather(first, *others) == [2, 4, 6]
    assert oracle.asked == [[1], [2, 3]]


async def test_nobody_waits_longer_than_allowed(oracle: Oracle):
    hasty = Gathering(oracle.ask_all, GatheringPolicy(wait=timedelta(milliseconds=1)))
    oracle.open.clear()
    asking = [asyncio.create_task(hasty.ask(1))]
    await eventually(lambda: oracle.asked)
    asking.append(asyncio.create_task(hasty.ask(2)))
    await eventually(lambda: oracle.asked, holds=[[1], [2]].__eq__)
    oracle.open.set()
    assert await asyncio.gather(*asking) == [2, 4]


async def test_a_round_trip_is_bounded_in_number_and_weight(
    oracle: Oracle, patient: Gathering[int, int]
):
    oracle.open.clear()
    weights = [(1, 0), (2, 6), (3, 6), (4, 99), (5, 1), (6, 1), (7, 1), (8, 1), (9, 1)]
    asking = [asyncio.create_task(patient.ask(each, weight=weight)) for each, weight in weights]
    await eventually(lambda: len(oracle.asked), holds=(4).__eq__)
    oracle.open.set()
    assert await asyncio.gather(*asking) == [2 * each for each, _ in weights]
    assert oracle.asked == [[1, 2], [3], [4], [5, 6, 7, 8], [9]]


async def test_a_round_trip_that_is_cancelled_leaves_nobody_waiting():
    async def give_up(_: Sequence[int]) -> list[int]:
        raise asyncio.CancelledError

    gathering = Gathering(give_up)
    told = await asyncio.gather(*map(gathering.ask, (1, 2)), return_exceptions=True)
    assert [type(each) for each in told] == [asyncio.CancelledError] * 2


async def test_a_round_trip_belongs_to_the_first_who_asked():
    caller: ContextVar[str] = ContextVar("caller")
    seen: list[str] = []
    is_open = asyncio.Event()

    async def look(questions: Sequence[str]) -> Sequence[str]:
        seen.append(caller.get())
        await is_open.wait()
        return questions

    looking = Gathering(look, GatheringPolicy(wait=timedelta(minutes=1)))

    async def ask_as(name: str) -> None:
        caller.set(name)
        await looking.ask(name)

    first = asyncio.create_task(ask_as("a"))
    await eventually(lambda: seen)
    others = [asyncio.create_task(ask_as(name)) for name in "bc"]
    await asyncio.sleep(0)
    is_open.set()
    await asyncio.gather(first, *others)
    assert seen == ["a", "b"]
