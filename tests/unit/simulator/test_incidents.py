"""Incidents: planned the same for every question, and to be seen in the data as planned."""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.simulator.curves import multiply
from streaming.simulator.incidents import Incident
from streaming.simulator.profiles import list_profiles
from streaming.simulator.rows import FloatArray, Type
from streaming.simulator.scenarios import SCENARIOS
from streaming.simulator.worlds import World
from tests.unit.simulator.lines import count_events, list_events

START_MS = 1_772_647_200_000
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
PROFILES = list_profiles(8)


def make_world(rate: float = 60.0) -> World:
    return World(7, PROFILES, rate)


PLANNED = make_world().incidents_between(START_MS, START_MS + 12 * HOUR_MS)


def find_lone_incidents(kind: str, length_ms_min: int = 60_000) -> list[Incident]:
    """Return incidents of a kind before which their stream was left alone for ten minutes."""
    return [
        one
        for one in PLANNED
        if one.kind == kind
        and one.end_ms - one.start_ms >= length_ms_min
        and not any(
            other.stream_id == one.stream_id
            and one.start_ms - 10 * MINUTE_MS < other.end_ms
            and other.start_ms < one.start_ms
            for other in PLANNED
        )
    ]


def test_a_raid_comes_every_four_to_six_minutes():
    planned = make_world().incidents_between(START_MS, START_MS + 24 * HOUR_MS)
    raids = [incident for incident in planned if incident.kind == "raid"]
    gaps_ms = [later.start_ms - earlier.start_ms for earlier, later in pairwise(raids)]
    assert 4 * MINUTE_MS <= min(gaps_ms) <= max(gaps_ms) <= 6 * MINUTE_MS
    assert {raid.stream_id for raid in raids} == {p.stream_id for p in PROFILES if p.chat_share}
    assert all(60_000 <= raid.end_ms - raid.start_ms <= 180_000 for raid in raids)


@cache
def list_around() -> list[Incident]:
    """Return the incidents of four hours, asked for at once."""
    return make_world().incidents_between(START_MS - HOUR_MS, START_MS + 3 * HOUR_MS)


@given(start_ms=st.integers(START_MS, START_MS + HOUR_MS), length_ms=st.integers(1, 900_000))
def test_incidents_do_not_depend_on_the_interval_asked_for(start_ms, length_ms):
    end_ms = start_ms + length_ms
    day = list_around()
    wanted = [i for i in day if i.start_ms < end_ms and i.end_ms > start_ms]
    assert make_world().incidents_between(start_ms, end_ms) == wanted


@pytest.mark.parametrize("raid", find_lone_incidents("raid")[::12])
def test_a_raid_shows_in_chat_and_viewers_and_is_announced(raid):
    world = make_world(rate=600)
    length_ms = raid.end_ms - raid.start_ms - 5000
    during_ms = raid.start_ms + 5000
    before, during = (
        count_events(world, Type.CHAT, start_ms, start_ms + length_ms, {raid.stream_id})
        for start_ms in (raid.start_ms - length_ms, during_ms)
    )
    assert during / before == pytest.approx(raid.chat_factor, rel=0.35)
    events = list_events(world, raid.start_ms - 10_000, raid.end_ms, {raid.stream_id})
    viewers = [int(str(e["value"])) for e in events if e["type"] == "viewers"]
    assert viewers[-2] / viewers[0] == pytest.approx(raid.viewers_factor, rel=0.15)
    announced = [event for event in events if event.get("event") == "raid"]
    assert len(announced) == 1


def test_the_viewers_of_a_raid_leave_slowly():
    until_ms = 8 * MINUTE_MS
    raid = next(
        raid
        for raid in find_lone_incidents("raid")
        if not any(
            other.stream_id == raid.stream_id
            and raid.end_ms <= other.start_ms < raid.end_ms + until_ms
            for other in PLANNED
        )
    )
    events = list_events(
        make_world(), raid.start_ms - 10_000, raid.end_ms + until_ms, {raid.stream_id}
    )
    counts = [int(str(event["value"])) for event in events if event["type"] == "viewers"]
    steps = [abs(later - earlier) / earlier for earlier, later in pairwise(counts[6:])]
    assert max(steps) < 0.1
    assert counts[-1] < 1.3 * counts[0]


def test_every_incident_lies_in_one_slot():
    for scenario in SCENARIOS.values():
        for policy in scenario.policies:
            assert policy.delay_s_max + policy.length_s_max <= policy.slot_s


def test_strangers_come_with_a_raid():
    raid = find_lone_incidents("raid", 120_000)[0]
    world = make_world(rate=300)

    def list_users(start_ms: int) -> set[object]:
        events = list_events(world, start_ms, start_ms + MINUTE_MS, {raid.stream_id})
        return {event["user"] for event in events if event["type"] == "chat"}

    regulars = list_users(raid.start_ms - 2 * MINUTE_MS) | list_users(raid.start_ms - MINUTE_MS)
    during = list_users(raid.start_ms + 10_000)
    assert len(during - regulars) > 0.4 * len(during)


def list_values(fault: Incident, start_ms: int, end_ms: int) -> FloatArray:
    events = list_events(make_world(), start_ms, end_ms, {fault.stream_id})
    values = [event["value"] for event in events if event.get("channel") == fault.channel]
    return np.array(values, dtype=np.float64)


def find_fault_size(fault: Incident) -> float:
    profile = next(each for each in PROFILES if each.stream_id == fault.stream_id)
    channel = next(each for each in profile.channels if each.name == fault.channel)
    return channel.fault_size


@pytest.mark.parametrize("kind", ["spike", "drift", "stuck", "noise", "dropout"])
def test_a_fault_shows_in_its_channel(kind):
    faults = find_lone_incidents(kind)
    assert faults
    for fault in faults[:4]:
        before = list_values(fault, fault.start_ms - MINUTE_MS, fault.start_ms)
        during = list_values(fault, fault.start_ms, fault.end_ms)
        after = list_values(fault, fault.end_ms, fault.end_ms + MINUTE_MS)
        assert abs(after.mean() - before.mean()) < 0.2 * abs(find_fault_size(fault))
        assert is_visible(kind, before, during, find_fault_size(fault)), fault


def is_visible(kind: str, before: FloatArray, during: FloatArray, size: float) -> bool:
    """Whether the values show a fault of this kind and size."""
    match kind:
        case "spike":
            return bool((during.mean() - before.mean()) / size > 0.7)
        case "drift":
            done = (during - before.mean()) / size
            return bool(done[0] < 0.3 and done[-1] > 0.7)
        case "stuck":
            return len(set(during)) == 1 < len(set(before))
        case "noise":
            return bool(during.std() > 5 * before.std())
        case _:
            return len(during) == 0


def test_more_is_given_during_raids():
    world = make_world(rate=2000)
    raid = max(find_lone_incidents("raid", 120_000), key=lambda raid: raid.chat_factor)
    starts_ms = (raid.start_ms - 120_000, raid.start_ms + 5000)
    before, during = (
        count_events(world, Type.TRANSACTION, start_ms, start_ms + 110_000, {raid.stream_id})
        for start_ms in starts_ms
    )
    assert during > 2 * before


def test_what_several_incidents_take_is_never_more_than_there_is():
    drop = Incident("a", "chat_drop", START_MS, START_MS + MINUTE_MS, chat_factor=0.1)
    silence = Incident("a", "silence", START_MS + MINUTE_MS, START_MS + 2 * MINUTE_MS)
    seconds = np.arange(180) + START_MS // 1000
    level = multiply(seconds, [(0.1, drop, 60.0), (0.0, silence, 0.0)])
    assert level[60:120].tolist() == [0.0] * 60
    assert level[:60] == pytest.approx(0.1)
    assert 0.5 < level[120] < level[179] < 1
