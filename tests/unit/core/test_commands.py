"""Commands: whatever is said of one, in whatever order, it ends once."""

from hypothesis import given
from hypothesis import strategies as st

from core.commands import (
    ENDS,
    OPEN,
    PREDECESSORS,
    State,
    Verdict,
    find_status,
    judge,
    make_command_id,
)

WISHES = [state for state in State if state is not State.QUEUED]


def live(wishes: list[State]) -> tuple[State, list[tuple[State, Verdict]]]:
    """Return where a command ends up, and what each wish did."""
    state, told = State.QUEUED, []
    for wished in wishes:
        verdict = judge(state, wished)
        if verdict is Verdict.MOVED:
            state = wished
        told.append((wished, verdict))
    return state, told


@given(st.lists(st.sampled_from(WISHES), max_size=30))
def test_whatever_is_said_in_whatever_order_there_is_at_most_one_end(wishes: list[State]):
    state, told = live(wishes)
    ends = [wished for wished, verdict in told if verdict is Verdict.MOVED and wished in ENDS]
    assert len(ends) <= 1
    assert not ends or state is ends[0]


@given(st.lists(st.sampled_from(WISHES), max_size=30))
def test_a_time_out_ends_whatever_has_not_ended(wishes: list[State]):
    before, _ = live(wishes)
    after, _ = live([*wishes, State.TIMED_OUT])
    assert after in ENDS
    assert before not in ENDS or after is before


@given(st.lists(st.sampled_from(WISHES), max_size=12), st.data())
def test_saying_all_of_it_once_more_changes_nothing(wishes: list[State], data: st.DataObject):
    state, _ = live(wishes)
    if state not in ENDS:
        return
    again = data.draw(st.permutations(wishes))
    assert live([*wishes, *again])[0] is state


@given(st.lists(st.sampled_from(WISHES), max_size=30))
def test_no_stage_is_gone_back_to(wishes: list[State]):
    order = list(State)
    moved = [wished for wished, verdict in live(wishes)[1] if verdict is Verdict.MOVED]
    assert moved == sorted(moved, key=order.index)


def test_nothing_leaves_an_end():
    assert all(not ENDS.intersection(before) for before in PREDECESSORS.values())
    assert set(PREDECESSORS) == set(State)


def test_what_does_not_move_has_a_reason():
    assert judge(State.QUEUED, State.SUCCEEDED) is Verdict.EARLY
    assert judge(State.RUNNING, State.ACKNOWLEDGED) is Verdict.OVERTAKEN
    assert judge(State.RUNNING, State.RUNNING) is Verdict.REPEATED
    assert judge(State.SUCCEEDED, State.SUCCEEDED) is Verdict.REPEATED
    assert judge(State.TIMED_OUT, State.SUCCEEDED) is Verdict.LATE
    assert judge(State.CANCELLED, State.RUNNING) is Verdict.LATE


def test_stages_may_be_passed_over():
    assert live([State.SENT, State.RUNNING, State.SUCCEEDED])[0] is State.SUCCEEDED
    assert live([State.SENT, State.SUCCEEDED])[0] is State.SUCCEEDED


def test_clients_are_told_three_words():
    assert {find_status(state) for state in OPEN} == {"pending"}
    assert find_status(State.SUCCEEDED) == "success"
    assert {find_status(state) for state in ENDS - {State.SUCCEEDED}} == {"error"}


def test_no_two_commands_share_an_id():
    assert make_command_id() != make_command_id()
