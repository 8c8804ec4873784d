"""Outlets: bodies, refusals and acknowledgements, before a real HTTP server."""

import asyncio
from pathlib import Path

import orjson
import pytest

from core.clock import ManualClock
from core.errors import ServiceMissingError
from streaming.connectors.outlets import OutletPolicy
from tests.fixtures.outlets import make_gate, sending
from tests.fixtures.waiting import eventually
from tests.unit.simulator.scripted_apis import Reply, ScriptedApi

NEVER_BY_TIME = OutletPolicy(wait_s=3600)


def make_events(count: int, first: int = 0) -> list[dict[str, object]]:
    return [{"id": str(number)} for number in range(first, first + count)]


def refuse(*indexes: int, count: int | None = None) -> Reply:
    """Return an answer that refuses rows; the count may be more than are named."""
    errors = [{"index": index, "reason": "type is missing"} for index in indexes]
    body = {"accepted": 0, "rejected": count or len(indexes), "errors": errors}
    return Reply(202, body=orjson.dumps(body))


def list_ids(bodies: list[bytes]) -> list[list[str]]:
    return [[orjson.loads(line)["id"] for line in body.splitlines()] for body in bodies]


async def test_events_of_several_puts_travel_in_one_body():
    with ScriptedApi() as api:
        async with sending(api.url, NEVER_BY_TIME) as gate:
            await gate.outlet.put(make_events(2))
            await gate.outlet.put(make_events(1, first=2))
            await gate.outlet.flush()
        assert list_ids(api.bodies) == [["0", "1", "2"]]
        assert (gate.health.accepted, gate.health.refused) == (3, 0)


async def test_a_full_body_is_sent_without_waiting():
    with ScriptedApi() as api:
        async with sending(api.url, OutletPolicy(events_max=2, wait_s=3600)) as gate:
            await gate.outlet.put(make_events(4))
            await eventually(lambda: gate.health.accepted, holds=lambda count: count == 4)
        assert list_ids(api.bodies) == [["0", "1"], ["2", "3"]]


async def test_a_lone_event_is_sent_when_its_wait_is_over():
    with ScriptedApi() as api:
        async with sending(api.url, OutletPolicy(wait_s=0.01)) as gate:
            await gate.outlet.put(make_events(1))
            await eventually(lambda: gate.health.accepted)


async def test_large_events_make_smaller_bodies():
    with ScriptedApi() as api:
        async with sending(api.url, OutletPolicy(bytes_max=1000, wait_s=3600)) as gate:
            await gate.outlet.put([{"id": str(number), "text": "x" * 400} for number in range(4)])
            await gate.outlet.flush()
        assert list_ids(api.bodies) == [["0", "1"], ["2", "3"]]


async def test_what_is_decided_is_acknowledged_in_order_and_not_before():
    told: list[str] = []
    with ScriptedApi([Reply(503, {"Retry-After": "300"})]) as api:
        async with sending(api.url) as gate:
            await gate.outlet.put(make_events(1), lambda: told.append("too early"))
            await asyncio.to_thread(api.wait_for_bodies, 1)
        async with sending(api.url, OutletPolicy(events_max=1)) as gate:
            await gate.outlet.put(make_events(1), lambda: told.append("first"))
            await gate.outlet.put(make_events(1, first=1), lambda: told.append("second"))
            await gate.outlet.put([], lambda: told.append("nothing"))
            await gate.outlet.flush()
        assert told == ["first", "second", "nothing"]


async def test_a_body_is_repeated_under_its_key_until_the_api_has_decided():
    away = [Reply(None), Reply(503, {"Retry-After": "0"}), Reply(429, {"Retry-After": "0"})]
    with ScriptedApi(away) as api:
        async with sending(api.url) as gate:
            await gate.outlet.put(make_events(1))
            await gate.outlet.flush()
            await gate.outlet.put(make_events(1))
            await gate.outlet.flush()
        assert list_ids(api.bodies) == [["0"]] * 5
        assert api.keys[:4] == [api.keys[0]] * 4
        assert api.keys[4] != api.keys[0], "the same events again are a body of their own"
        assert gate.health.accepted == 2


async def test_a_source_is_held_up_while_the_api_is_away():
    with ScriptedApi([Reply(503, {"Retry-After": "300"})]) as api:
        async with sending(api.url, OutletPolicy(events_max=2, wait_s=0)) as gate:
            await gate.outlet.put(make_events(2))
            await asyncio.to_thread(api.wait_for_bodies, 1)
            await gate.outlet.put(make_events(2))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(gate.outlet.put(make_events(1)), 0.05)


async def test_refused_rows_are_counted_logged_once_and_kept(tmp_path: Path):
    path = tmp_path / "refused.ndjson"
    with ScriptedApi([refuse(1), refuse(0, count=3)]) as api:
        async with sending(api.url, NEVER_BY_TIME, path=path) as gate:
            for first in (0, 3):
                await gate.outlet.put(make_events(3, first))
                await gate.outlet.flush()
    assert (gate.health.accepted, gate.health.refused) == (2, 4)
    assert gate.refusals.by_reason == {"type is missing": 2, "other reasons": 2}
    rows = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    assert rows == [
        {"reason": "type is missing", "row": '{"id":"1"}'},
        {"reason": "type is missing", "row": '{"id":"3"}'},
    ]


async def test_a_body_that_is_too_large_is_sent_in_halves():
    with ScriptedApi([Reply(413), Reply(202), Reply(413)]) as api:
        async with sending(api.url, NEVER_BY_TIME) as gate:
            await gate.outlet.put(make_events(2))
            await gate.outlet.flush()
    assert list_ids(api.bodies) == [["0", "1"], ["0"], ["1"]]
    assert len(set(api.keys)) == 3
    assert (gate.health.accepted, gate.health.refused, gate.refusals.count) == (1, 1, 1)


@pytest.mark.parametrize("status", [401, 403, 404, 405])
async def test_a_door_that_is_shut_loses_nothing(status: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("streaming.connectors.deliveries.SHUT_PAUSE_S", 0.01)
    with ScriptedApi([Reply(status), Reply(202)]) as api:
        async with sending(api.url) as gate:
            await gate.outlet.put(make_events(1))
            await gate.outlet.flush()
    assert gate.health.accepted == 1
    assert api.keys[0] == api.keys[1]


async def test_somebody_else_who_answers_is_not_taken_for_the_api():
    told: list[str] = []
    with ScriptedApi([Reply(200, body=b"<html>hello</html>")]) as api, make_gate(api.url) as gate:
        await gate.outlet.put(make_events(1), lambda: told.append("acknowledged"))
        with pytest.raises(ServiceMissingError, match="--url"):
            await gate.outlet.run()
    assert told == []


async def test_the_lag_is_the_age_of_the_newest_event_when_it_is_taken(clock: ManualClock):
    with ScriptedApi() as api:
        async with sending(api.url, clock=clock) as gate:
            await gate.outlet.put(make_events(1), newest_ms=clock.now_ms() - 3000)
            await gate.outlet.put(make_events(1), newest_ms=clock.now_ms() - 1500)
            await gate.outlet.flush()
    assert gate.health.lag_ms == 1500
