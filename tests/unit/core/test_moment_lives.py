"""Lives of moments: what may follow what, and what time and the end of a moment make of it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConflictError, InvalidError
from core.moment_lives import (
    LEGAL,
    SHELF_MAX,
    Action,
    MomentLife,
    Wish,
    act,
    find_state,
    list_legal,
)
from core.moments import MomentState
from tests.fixtures.clocks import START

MINUTE = timedelta(minutes=1)
ENDS = [None, START]


def do(
    life: MomentLife, action: Action, *, ended_at: datetime | None = None, minutes: int = 0
) -> MomentLife:
    """Do something at a time; what is shelved is so for ten minutes."""
    now = START + minutes * MINUTE
    until = now + 10 * MINUTE if action is Action.SHELVE else None
    return act(life, Wish(action, until=until), ended_at=ended_at, now=now)


def reach(state: MomentState) -> MomentLife:
    """Return a life of a moment that goes on, in a state."""
    ways = {
        "open": Action.REOPEN,
        "acknowledged": Action.ACKNOWLEDGE,
        "shelved": Action.SHELVE,
        "resolved": Action.RESOLVE,
    }
    return do(MomentLife(), ways[state])


TARGETS: dict[Action, MomentState] = {
    Action.ACKNOWLEDGE: "acknowledged",
    Action.SHELVE: "shelved",
    Action.MUTE: "shelved",
    Action.RESOLVE: "resolved",
    Action.REOPEN: "open",
}


@pytest.mark.parametrize("state", LEGAL)
@pytest.mark.parametrize("action", Action)
def test_each_action_leads_where_it_should_or_is_refused(state: MomentState, action: Action):
    life = reach(state)
    assert find_state(life, None, START) == state
    if action in list_legal(life, None, START) or TARGETS[action] == state:
        assert find_state(do(life, action), None, START) == TARGETS[action]
        return
    with pytest.raises(ConflictError) as caught:
        do(life, action)
    assert state in caught.value.detail
    assert all(legal in caught.value.detail for legal in list_legal(life, None, START))


def test_from_resolved_only_reopening_leads_anywhere():
    assert list_legal(reach("resolved"), None, START) == [Action.REOPEN]


@pytest.mark.parametrize(
    ("state", "after"),
    [("open", "open"), ("acknowledged", "resolved"), ("shelved", "shelved")],
)
def test_what_nobody_acknowledged_stays_open_when_it_is_over(
    state: MomentState, after: MomentState
):
    assert find_state(reach(state), START, START) == after


def test_acknowledging_what_is_over_resolves_it_and_may_be_repeated():
    life = do(MomentLife(), Action.ACKNOWLEDGE, ended_at=START)
    assert find_state(life, START, START) == "resolved"
    assert do(life, Action.ACKNOWLEDGE, ended_at=START) is life
    assert do(life, Action.RESOLVE, ended_at=START) is life
    reopened = do(life, Action.REOPEN, ended_at=START)
    assert find_state(reopened, START, START) == "open"


@pytest.mark.parametrize("state", ["open", "acknowledged"])
def test_a_shelved_moment_comes_back_to_what_it_was(state: MomentState):
    life = do(do(reach(state), Action.SHELVE), Action.SHELVE, minutes=5)
    told = [find_state(life, None, START + n * MINUTE) for n in (14, 15)]
    assert told == ["shelved", state]
    # From there on it is as if it had never been away.
    again = do(life, Action.RESOLVE, minutes=15)
    assert (again.former_state, again.shelved_until) == (None, None)


def test_a_muted_moment_is_put_away_until_it_is_over():
    life = do(MomentLife(), Action.MUTE)
    assert find_state(life, None, START + timedelta(days=900)) == "shelved"
    assert find_state(life, START, START) == "resolved"
    with pytest.raises(ConflictError, match="open and over; mute is not possible"):
        do(MomentLife(), Action.MUTE, ended_at=START)


@pytest.mark.parametrize("ahead", [-MINUTE, timedelta(0), SHELF_MAX + MINUTE])
def test_a_shelf_ends_in_the_future_and_not_too_far(ahead: timedelta):
    with pytest.raises(InvalidError, match="31 days"):
        act(MomentLife(), Wish(Action.SHELVE, until=START + ahead), ended_at=None, now=START)


def test_a_shelving_that_is_sent_again_after_its_time_changes_nothing():
    life = do(MomentLife(), Action.SHELVE)
    wish = Wish(Action.SHELVE, until=life.shelved_until)
    assert act(life, wish, ended_at=None, now=START + 20 * MINUTE) is life


def test_a_label_is_set_and_taken_off_in_any_state():
    for state in LEGAL:
        life = act(reach(state), Wish(is_labelled=True, label=False), ended_at=None, now=START)
        assert life == replace(reach(state), label=False)
        assert act(life, Wish(comment="x"), ended_at=None, now=START) == life
        assert act(life, Wish(is_labelled=True), ended_at=None, now=START).label is None


@given(st.lists(st.tuples(st.sampled_from(Action), st.integers(0, 30))), st.sampled_from(ENDS))
def test_whatever_people_do_each_action_is_legal_or_refused_and_repeats_change_nothing(
    done: list[tuple[Action, int]], ended_at: datetime | None
):
    life, minutes = MomentLife(), 0
    for action, later in done:
        minutes += later
        now = START + minutes * MINUTE
        legal = list_legal(life, ended_at, now)
        try:
            after = do(life, action, ended_at=ended_at, minutes=minutes)
        except ConflictError:
            assert action not in legal
            continue
        assert action in legal or after is life
        assert do(after, action, ended_at=ended_at, minutes=minutes) is after
        assert Action.REOPEN in list_legal(after, ended_at, now) or (
            find_state(after, ended_at, now) == "open"
        )
        assert (after.state == "shelved") or after.shelved_until is None
        life = after
