"""The run loop: what a source may do, and what becomes of what it told."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from random import Random

import pytest

from core.clock import ManualClock
from core.errors import InvalidError, TelemetraError
from streaming.connectors.base import Connector, Source, SourceAwayError, keep_reading
from streaming.connectors.health import Health
from streaming.connectors.outlets import Outlet
from streaming.connectors.pauses import BackOff, BackOffPolicy
from tests.fixtures.outlets import make_gate
from tests.fixtures.waiting import eventually
from tests.unit.simulator.scripted_apis import Reply, ScriptedApi

SOON = BackOffPolicy(first_s=0.01, max_s=0.01)


class ScriptedSource:
    """Tells an event at each connection, and then ends it as the script says."""

    def __init__(self, *ends: BaseException | None) -> None:
        self._ends = list(ends)
        self.connections = 0

    async def read(self, outlet: Outlet, health: Health) -> None:
        self.connections += 1
        health.note_connected(is_connected=True)
        await outlet.put([{"id": str(self.connections)}])
        if not self._ends:
            await asyncio.Event().wait()
        if (failure := self._ends.pop(0)) is not None:
            raise failure


@asynccontextmanager
async def running(
    api: ScriptedApi, source: Source, clock: ManualClock
) -> AsyncIterator[tuple[asyncio.Event, asyncio.Task[None], Health]]:
    with make_gate(api.url, clock=clock) as gate:
        stop = asyncio.Event()
        back_off = BackOff(clock, SOON, Random(1))
        connector = Connector(source, gate.outlet, gate.health, back_off)
        task = asyncio.create_task(connector.run(stop))
        try:
            yield stop, task, gate.health
        finally:
            stop.set()
            await asyncio.wait([task])


@pytest.fixture
def api() -> Iterator[ScriptedApi]:
    with ScriptedApi() as api:
        yield api


def count_events(api: ScriptedApi) -> Callable[[], int]:
    return lambda: sum(len(body.splitlines()) for body in api.bodies)


async def test_a_source_that_has_no_more_ends_the_process(api: ScriptedApi, clock: ManualClock):
    async with running(api, ScriptedSource(None), clock) as (_, task, health):
        await task
    assert count_events(api)() == 1
    assert not health.is_connected


async def test_a_source_that_fails_is_asked_again(api: ScriptedApi, clock: ManualClock):
    source = ScriptedSource(SourceAwayError("gone"), ConnectionResetError("cut"), None)
    async with running(api, source, clock) as (_, task, health):
        await task
    assert source.connections == 3
    assert health.failures == 2
    assert count_events(api)() == 3


async def test_told_to_stop_it_sends_what_it_has_read(api: ScriptedApi, clock: ManualClock):
    async with running(api, ScriptedSource(), clock) as (stop, task, health):
        await eventually(lambda: health.is_connected)
        stop.set()
        await task
    assert count_events(api)() == 1
    assert health.accepted == 1


async def test_what_asking_again_cannot_help_ends_it_after_sending(
    api: ScriptedApi, clock: ManualClock
):
    async with running(api, ScriptedSource(InvalidError("no such channel")), clock) as (
        _,
        task,
        _h,
    ):
        with pytest.raises(TelemetraError, match="no such channel"):
            await task
    assert count_events(api)() == 1


async def test_told_to_stop_while_the_api_is_away_it_does_not_wait_for_ever(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("streaming.connectors.base.FLUSH_S_MAX", 0.05)
    with ScriptedApi([Reply(503, {"Retry-After": "300"})]) as api:
        async with running(api, ScriptedSource(), clock) as (stop, task, health):
            await asyncio.to_thread(api.wait_for_bodies, 1)
            stop.set()
            await task
    assert health.accepted == 0


async def test_an_answer_that_is_none_ends_it_with_a_word(clock: ManualClock):
    with ScriptedApi([Reply(200, body=b"hello")]) as api:
        async with running(api, ScriptedSource(), clock) as (_, task, _health):
            with pytest.raises(TelemetraError, match="not Telemetra"):
                await task


async def test_between_two_tries_there_is_a_pause(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
):
    pauses_s: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses_s.append(seconds)

    monkeypatch.setattr("streaming.connectors.base.sleep", sleep)
    fails = [OSError("gone"), OSError("gone"), None]

    async def read() -> None:
        if (failure := fails.pop(0)) is not None:
            raise failure

    policy = BackOffPolicy(first_s=4.0, max_s=100.0)
    await keep_reading(read, Health("tested", clock), BackOff(clock, policy, Random(3)))
    expected = Random(3)
    assert pauses_s == [expected.uniform(0, 4), expected.uniform(0, 8)]
