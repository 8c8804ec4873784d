"""How long the supervisor waits before it starts a process again."""

from datetime import timedelta

from infra.supervisor.restarts import RestartPolicy, RestartState

BRIEF = timedelta(seconds=1)


def test_the_delay_doubles_up_to_its_limit():
    state = RestartState(RestartPolicy())
    delays = [state.record_death(BRIEF).total_seconds() for _ in range(8)]
    assert delays == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]


def test_a_stable_minute_is_forgiven():
    state = RestartState(RestartPolicy())
    for _ in range(5):
        state.record_death(BRIEF)
    assert state.record_death(timedelta(minutes=1)) == timedelta(seconds=0.2)
    assert state.record_death(BRIEF) == timedelta(seconds=0.4)


def test_a_process_that_was_never_ready_is_given_up_after_some_deaths():
    state = RestartState(RestartPolicy(early_deaths_max=2))
    state.record_death(BRIEF)
    assert not state.is_hopeless
    state.record_death(BRIEF)
    assert state.is_hopeless


def test_a_process_that_was_never_ready_in_time_is_given_up_at_once():
    state = RestartState(RestartPolicy())
    state.record_death(BRIEF, overdue=True)
    assert state.is_hopeless


def test_a_process_that_was_ready_once_is_never_given_up():
    state = RestartState(RestartPolicy(early_deaths_max=2))
    state.record_ready()
    for _ in range(10):
        state.record_death(BRIEF, overdue=True)
    assert not state.is_hopeless
