"""Deciding, from the change of a moment to what a receiver hears."""

import asyncio
from datetime import timedelta

import pytest

from db.alert_rules import AlertRuleStore
from tests.fixtures.alerts import name_moment, write_route, write_rule
from tests.fixtures.api_keys import ACTOR
from tests.fixtures.clocks import START
from tests.integration.alerts.conftest import Bench

ONE, TWO, THREE = map(name_moment, (1, 2, 3))
COUNT = "SELECT count(*) FROM {}"


async def test_without_a_rule_nobody_is_told(bench: Bench):
    await write_route(bench.connection, bench.receiver.url)
    await bench.write(1)
    assert await bench.run() == []
    assert await bench.connection.fetchval("SELECT count(*) FROM moment_changes") == 0


async def test_a_moment_is_told_and_its_end_once(bench: Bench):
    route = await write_route(bench.connection, bench.receiver.url)
    await write_rule(bench.connection, route, name="spikes", severity="critical")
    await bench.write(1)
    assert await bench.run() == [(ONE, "opened")]
    await bench.write(1, score=5.0, started_at=START)
    assert await bench.run(1) == []
    await bench.write(1, ended_at=bench.clock.now(), started_at=START)
    assert await bench.run(1) == [(ONE, "ended")]
    await bench.write(1, ended_at=None, started_at=START)
    assert await bench.run(1) == []
    first = bench.receiver.received[0].event
    assert (first["specversion"], first["type"], first["subject"]) == (
        "1.0",
        "telemetra.alert",
        "hall",
    )
    data = first["data"]
    assert (data["rule"]["name"], data["severity"], data["group"]) == ("spikes", "critical", {})
    (moment,) = data["moments"]
    assert moment["link"] == f"https://x.example/app/moments/{ONE}"
    assert moment["reasons"] == [{"kind": "words", "text": "much said: goal"}]
    assert (moment["score"], moment["expected"], moment["metric_value"]) == (2.0, 10.0, 120.0)


async def test_groups_wait_and_cool_down_and_then_tell_it_all_in_one(bench: Bench):
    route = await write_route(bench.connection, bench.receiver.url)
    await write_rule(
        bench.connection, route, group_by=["stream"], group_wait_s=5.0, cool_down_s=60.0
    )
    await bench.write(1)
    assert await bench.run() == []
    await bench.write(2)
    await bench.write(3, stream_id="yard")
    assert await bench.run(4) == []
    assert await bench.run(1) == [(ONE, "opened"), (TWO, "opened")]
    assert await bench.run(4) == [(THREE, "opened")]
    # What comes and goes within the cool-down is told after it, all in one.
    await bench.write(1, started_at=START, ended_at=bench.clock.now())
    await bench.write(4)
    await bench.write(4, ended_at=bench.clock.now())
    assert await bench.run(50) == []
    assert await bench.run(6) == [(ONE, "ended"), (name_moment(4), "passed")]
    assert len(bench.receiver.received) == 3


async def test_what_is_short_or_seen_is_not_told(bench: Bench):
    route = await write_route(bench.connection, bench.receiver.url)
    await write_rule(bench.connection, route, min_duration_s=60.0)
    await bench.write(1, 2, 3)
    assert await bench.run() == []
    await bench.write(1, ended_at=bench.clock.now(), started_at=START)
    await bench.connection.execute(
        "UPDATE moments SET state = 'acknowledged' WHERE moment_id = $1", TWO
    )
    # Nobody noted it: it is looked at as it is when its time has come.
    assert await bench.run(60) == [(THREE, "opened")]
    assert await bench.connection.fetchval("SELECT count(*) FROM alert_watches") == 1


async def test_a_silent_stream_does_not_also_alert_for_its_drop(bench: Bench):
    route = await write_route(bench.connection, bench.receiver.url)
    await write_rule(bench.connection, route)
    await bench.write(1, moment_type="silence")
    await bench.write(2, moment_type="chat_drop")
    await bench.write(3, moment_type="viewer_drop", stream_id="yard")
    assert sorted(await bench.run()) == [(ONE, "opened"), (THREE, "opened")]
    # The silence is over, and the drop goes on.
    await bench.write(
        1, moment_type="silence", started_at=START, ended_at=START, metadata={"withdrawn": True}
    )
    assert sorted(await bench.run(1)) == [(ONE, "withdrawn"), (TWO, "opened")]


async def test_streams_are_chosen_by_name_kind_and_tags(bench: Bench):
    route = await write_route(bench.connection, bench.receiver.url)
    await write_rule(bench.connection, route, stream="h*", kind="dev*", tags=["eu-*"])
    await bench.connection.execute(
        "INSERT INTO streams (stream_id, kind, metadata) VALUES ('hall', 'device', $1),"
        " ('house', 'device', $2), ('hill', 'stream', $1)",
        {"tags": ["eu-1", "prod"]},
        {"tags": "eu-1"},
    )
    for number, stream in enumerate(("hall", "house", "hill", "unknown"), start=1):
        await bench.write(number, stream_id=stream)
    assert await bench.run() == [(ONE, "opened")]


async def test_rules_and_routes_that_are_off_tell_nothing_but_ends(bench: Bench):
    on = await write_route(bench.connection, bench.receiver.url)
    off = await write_route(bench.connection, bench.receiver.url, enabled=False)
    rule = await write_rule(bench.connection, on, off)
    await bench.write(1)
    assert await bench.run() == [(ONE, "opened")]
    rules = AlertRuleStore(bench.connection)
    await rules.update(rule, {"enabled": False}, actor=ACTOR, now=START)
    await bench.write(2)
    await bench.write(1, ended_at=START, started_at=START)
    assert await bench.run(1) == [(ONE, "ended")]
    assert await bench.connection.fetchval("SELECT count(*) FROM deliveries") == 2
    await rules.delete(rule, actor=ACTOR)
    for table in ("alert_watches", "alert_groups"):
        assert await bench.connection.fetchval(COUNT.format(table)) == 0


async def test_many_deciders_at_once_decide_once(bench: Bench):
    route = await write_route(bench.connection, bench.receiver.url)
    await write_rule(bench.connection, route, group_by=["stream"], group_wait_s=5.0)
    for number in range(1, 21):
        await bench.write(number, stream_id=f"s{number % 5}")
    assert await bench.run() == []
    bench.clock.advance(timedelta(seconds=5))
    rounds = await asyncio.gather(*(bench.decider.run_round() for _ in range(5)))
    assert sum(each.deliveries for each in rounds) == 5
    await bench.send()
    assert sorted(bench.receiver.told) == [(name_moment(n), "opened") for n in range(1, 21)]
    assert max(bench.receiver.ids.values()) == 1


async def test_a_round_that_fails_leaves_everything_as_it_was(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    route = await write_route(bench.connection, bench.receiver.url)
    await write_rule(bench.connection, route)
    await bench.write(1)
    with monkeypatch.context() as broken:
        broken.setattr("db.moment_changes.MomentChangeStore.delete", None)
        with pytest.raises(TypeError):
            await bench.decide()
    for table, rows in (("moment_changes", 1), ("deliveries", 0), ("alert_watches", 0)):
        assert await bench.connection.fetchval(COUNT.format(table)) == rows
    assert await bench.run() == [(ONE, "opened")]
