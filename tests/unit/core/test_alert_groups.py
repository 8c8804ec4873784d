"""Alert groups: what is told together, when, and never twice."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.alert_groups import (
    TOLD_MAX,
    GroupState,
    Item,
    Settled,
    What,
    make_delivery_id,
    settle_group,
)
from core.alert_watches import WAITING, Phase, Watch, follow
from core.alerts import AlertRule, Subject
from core.weekly_hours import read_hours
from tests.fixtures.alerts import STARTED, make_rule, make_subject
from tests.fixtures.clocks import START

SECOND = timedelta(seconds=1)
ROUTES = frozenset({"rte_1", "rte_2"})


def make_watch(name: str = "mom_1", phase: Phase = Phase.HELD, **chosen: Any) -> Watch:
    watch = Watch(name, STARTED, "{}", phase, START)
    return replace(watch, **chosen)


def settle(
    rule: AlertRule,
    *watches: Watch,
    state: GroupState | None = None,
    now: datetime = START,
    subjects: Mapping[str, Subject] | None = None,
) -> Settled:
    known = {watch.moment_id: make_subject(watch.moment_id) for watch in watches} | dict(
        subjects or {}
    )
    return settle_group(rule, state or GroupState(), watches, known, routes=ROUTES, now=now)


def test_what_is_ready_is_told_at_once():
    settled = settle(make_rule(), make_watch())
    assert settled.told == {"rte_1": (Item("mom_1", What.OPENED),)}
    assert settled.state == GroupState(START, None)
    moved = make_watch(phase=Phase.TOLD, routes=("rte_1",))
    assert settled.watches == {"mom_1": moved}


def test_a_group_waits_for_more():
    rule = make_rule(group_wait=10 * SECOND)
    waits = settle(rule, make_watch(), now=START + 9 * SECOND)
    assert (waits.told, waits.state.due_at) == ({}, START + 10 * SECOND)
    both = settle(rule, make_watch(), make_watch("mom_2"), now=START + 10 * SECOND)
    assert [item.moment_id for item in both.told["rte_1"]] == ["mom_1", "mom_2"]


def test_nothing_is_told_within_a_cool_down_and_then_all_of_it():
    rule = make_rule(cool_down=60 * SECOND)
    state = GroupState(told_at=START - SECOND)
    over = make_watch("mom_0", Phase.OVER, routes=("rte_2", "rte_gone"))
    gone = {"mom_0": make_subject("mom_0", ended_at=START, is_withdrawn=True)}
    waits = settle(rule, make_watch(), over, state=state, subjects=gone)
    assert (waits.told, waits.state) == ({}, GroupState(state.told_at, START + 59 * SECOND))
    then = settle(rule, make_watch(), over, state=state, now=START + 59 * SECOND, subjects=gone)
    # The end goes where the beginning went, whatever the rule names by now.
    assert then.told == {
        "rte_1": (Item("mom_1", What.OPENED),),
        "rte_2": (Item("mom_0", What.WITHDRAWN),),
    }


def test_a_rule_speaks_only_in_its_hours():
    written = {"days": ["mon"], "from": "23:00", "to": "23:30", "zone": "UTC"}
    rule = make_rule(schedule=read_hours(written))
    settled = settle(rule, make_watch())
    assert settled.told == {}
    assert settled.state.due_at is not None
    assert settled.state.due_at.strftime("%a %H:%M") == "Mon 23:00"
    assert settle(rule, make_watch(), now=settled.state.due_at).told != {}


def test_what_is_not_ready_waits_on():
    later = START + 60 * SECOND
    settled = settle(make_rule(), make_watch(), make_watch("mom_2", ready_at=later))
    assert [item.moment_id for item in settled.told["rte_1"]] == ["mom_1"]
    assert settled.state.due_at == later


def test_one_telling_has_room_for_so_many_and_the_rest_comes_after_the_cool_down():
    watches = [make_watch(f"mom_{number:03}") for number in range(TOLD_MAX + 1)]
    settled = settle(make_rule(cool_down=SECOND), *watches)
    assert len(settled.told["rte_1"]) == TOLD_MAX
    assert settled.state.due_at == START + SECOND


def test_a_moment_that_was_deleted_is_forgotten():
    settled = settle_group(make_rule(), GroupState(), [make_watch()], {}, routes=ROUTES, now=START)
    assert settled == Settled(GroupState(), {"mom_1": None}, {})


def test_what_was_told_over_no_route_has_no_end_to_tell():
    settled = settle(make_rule(routes=("rte_gone",)), make_watch())
    watch = settled.watches["mom_1"]
    assert watch is not None
    assert (settled.told, watch.phase, watch.routes) == ({}, Phase.TOLD, ())


@pytest.mark.parametrize(
    "other",
    [
        ("rul_2", "rte_1", "{}", [Item("mom_1", What.OPENED)]),
        ("rul_1", "rte_2", "{}", [Item("mom_1", What.OPENED)]),
        ("rul_1", "rte_1", '{"stream":"a"}', [Item("mom_1", What.OPENED)]),
        ("rul_1", "rte_1", "{}", [Item("mom_2", What.OPENED)]),
        ("rul_1", "rte_1", "{}", [Item("mom_1", What.ENDED)]),
    ],
)
def test_whatever_differs_has_another_id(other: tuple[str, str, str, list[Item]]):
    usual = ("rul_1", "rte_1", "{}", [Item("mom_1", What.OPENED)])
    assert make_delivery_id(*usual) == make_delivery_id(*usual)
    assert make_delivery_id(*usual) != make_delivery_id(*other)


CHANGES: tuple[Callable[[Subject, datetime], Subject], ...] = (
    lambda subject, _: subject,
    lambda subject, _: replace(subject, score=subject.score + 1),
    lambda subject, now: replace(subject, ended_at=subject.ended_at or now),
    lambda subject, now: replace(subject, ended_at=now, is_withdrawn=True),
    lambda subject, _: replace(subject, state="acknowledged"),
    lambda subject, _: replace(subject, state="resolved"),
    lambda subject, _: replace(subject, state="open"),
    # A replay writes a moment once more as it was.
    lambda subject, _: replace(subject, ended_at=None),
)


class World:
    """Moments that change, and whoever decides about them, as the worker does."""

    def __init__(self, rule: AlertRule) -> None:
        self.rule = rule
        self.now = START
        self.subjects: dict[str, Subject] = {}
        self.watches: dict[str, Watch] = {}
        self.state = GroupState()
        self.told: list[tuple[datetime, str, tuple[Item, ...]]] = []

    def change(self, name: str, what: int) -> None:
        """Change a moment, and decide."""
        before = self.subjects.get(name) or make_subject(name, started_at=self.now)
        self.subjects[name] = CHANGES[what](before, self.now)
        watch = follow(self.watches.get(name), self.rule, self.subjects[name], self.now)
        self._keep({name: watch})
        self.decide()

    def decide(self) -> None:
        """Look at the group."""
        waiting = [watch for watch in self.watches.values() if watch.phase in WAITING]
        settled = settle_group(
            self.rule, self.state, waiting, self.subjects, routes=ROUTES, now=self.now
        )
        self._keep(settled.watches)
        self.state = settled.state
        self.told += [(self.now, route, items) for route, items in settled.told.items()]

    def _keep(self, watches: Any) -> None:
        self.watches |= watches
        self.watches = {name: watch for name, watch in self.watches.items() if watch}


@given(
    steps=st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 3), st.integers(0, len(CHANGES) - 1)),
        max_size=40,
    ),
    wait_s=st.sampled_from([0, 5]),
    cool_down_s=st.sampled_from([0, 20]),
    duration_s=st.sampled_from([0, 15]),
)
def test_whatever_happens_is_told_once_and_its_end_once(
    steps: list[tuple[int, int, int]], wait_s: int, cool_down_s: int, duration_s: int
):
    rule = make_rule(
        group_wait=wait_s * SECOND,
        cool_down=cool_down_s * SECOND,
        duration_min=duration_s * SECOND,
        routes=("rte_1", "rte_2"),
    )
    world = World(rule)
    for seconds, number, what in steps:
        for _ in range(seconds):
            world.now += SECOND
            world.decide()
        world.change(f"mom_{number}", what)
    for name in list(world.subjects):
        world.change(name, 2)
    for _ in range(60):
        world.now += SECOND
        world.decide()

    ids = [make_delivery_id("rul_1", route, "{}", items) for _, route, items in world.told]
    assert len(ids) == len(set(ids))
    times = sorted({at for at, _, _ in world.told})
    assert all(b - a >= rule.cool_down for a, b in pairwise(times))
    for route in rule.routes:
        said: dict[str, list[str]] = {}
        for _, to, items in world.told:
            for item in items if to == route else ():
                said.setdefault(item.moment_id, []).append(item.what)
        assert all(each in ALLOWED for each in said.values()), said


ALLOWED = (["opened", "ended"], ["opened", "withdrawn"], ["passed"])
"""What may be said of a moment that is over in the end."""
