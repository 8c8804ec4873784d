"""Tasks: work beside the requests that ends when it is asked to."""

import asyncio

import pytest

from core.tasks import end, run_together


async def be_stubborn(cancellations: int) -> None:
    """Lose some cancellations, and end at the next."""
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if not cancellations:
                raise
            cancellations -= 1


async def fail() -> None:
    raise ValueError("no such shard")


async def test_a_task_that_loses_cancellations_is_ended():
    tasks = [asyncio.create_task(be_stubborn(times)) for times in range(3)]
    await asyncio.sleep(0)
    await end(*tasks)
    assert all(task.cancelled() for task in tasks)


async def test_who_is_cancelled_while_ending_tasks_still_ends_them():
    stubborn = asyncio.create_task(be_stubborn(2))
    await asyncio.sleep(0)
    ending = asyncio.create_task(end(stubborn))
    await asyncio.sleep(0)
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending
    assert stubborn.cancelled()


async def test_the_end_of_one_work_ends_the_others_and_tells_why():
    others: list[asyncio.Task[None]] = []

    async def remember() -> None:
        task = asyncio.current_task()
        assert task is not None
        others.append(task)
        await be_stubborn(1)

    with pytest.raises(ValueError, match="no such shard"):
        await run_together(remember(), fail())
    assert [task.cancelled() for task in others] == [True]
