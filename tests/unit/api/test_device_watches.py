"""Watches: what telemetry shows of commands in hand."""

from typing import Any

from api.devices.watches import Watches
from core.commands import State

DONE: dict[str, Any] = {"telemetry": "t", "is": ">=", "value": 5}


def row(state: State, **verifiers: Any) -> dict[str, Any]:
    return {
        "command_id": "cmd_1",
        "device_id": "d",
        "state": state,
        "parameters": {},
        "verifiers": verifiers,
    }


def look(watches: Watches, value: object, name: str = "t") -> list[State]:
    return [said.state for said in watches.look_at(name, value)]


def test_a_point_shows_that_a_command_is_done_and_says_it_once():
    watches = Watches()
    watches.put(row(State.SENT, completed=DONE))
    assert look(watches, 4) == []
    assert look(watches, 9, name="other") == []
    assert look(watches, 5) == [State.SUCCEEDED]
    assert look(watches, 6) == []


def test_a_condition_waits_for_the_stages_before_it():
    watches = Watches()
    verifiers = {"accepted": {"result": True}, "started": {**DONE, "value": 1}, "completed": DONE}
    watches.put(row(State.SENT, **verifiers))
    assert look(watches, 9) == []
    watches.put(row(State.ACKNOWLEDGED, **verifiers))
    assert look(watches, 9) == [State.RUNNING]
    watches.put(row(State.RUNNING, **verifiers))
    assert look(watches, 9) == [State.SUCCEEDED]


def test_the_word_of_a_device_is_not_enough_where_telemetry_is_asked():
    watches = Watches()
    watches.put(row(State.SENT, completed=DONE, accepted={"result": True}))
    assert watches.awaits("cmd_1", State.SUCCEEDED)
    assert not watches.awaits("cmd_1", State.ACKNOWLEDGED)
    assert not watches.awaits("cmd_1", State.FAILED)
    assert not watches.awaits("cmd_2", State.SUCCEEDED)


def test_a_command_that_has_ended_is_let_go():
    watches = Watches()
    watches.put(row(State.SENT, completed=DONE))
    watches.put(row(State.CANCELLED, completed=DONE))
    assert len(watches) == 0
    assert look(watches, 5) == []
