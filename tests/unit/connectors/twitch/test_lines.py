"""Lines: held for a moment, and never more than there is room for."""

import asyncio

import pytest

from streaming.connectors.twitch.lines import LineQueue
from tests.fixtures.waiting import eventually


async def test_lines_of_a_moment_are_taken_together():
    lines = LineQueue(gather_s=0.01)
    taking = asyncio.create_task(lines.take())
    await lines.put(["one"])
    await lines.put(["two", "three"])
    assert await taking == ["one", "two", "three"]
    assert lines.take_now() == []


async def test_who_brings_too_much_waits_until_it_is_taken():
    lines = LineQueue(lines_max=2, gather_s=0)
    waiting = [asyncio.create_task(lines.put(["one", "two"])) for _ in range(2)]
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(waiting[0]), 0.05)
    assert await lines.take() == ["one", "two"] * 2
    await eventually(lambda: all(task.done() for task in waiting))


async def test_nothing_is_taken_before_something_came():
    lines = LineQueue(gather_s=0)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(lines.take(), 0.05)
