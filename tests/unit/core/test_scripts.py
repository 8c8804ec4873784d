"""Scripts: read with the line of every fault, held against a device, and done step by step."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.conditions import Condition
from core.errors import InvalidError
from core.script_runs import CANCEL_WITHIN_MS, Cancel, End, Rest, RunState, ScriptRun, Send
from core.scripts import (
    STEPS_MAX,
    PauseStep,
    Script,
    SendStep,
    WaitStep,
    check_script,
    read_script,
)

TEXT = """\
name: warm up
steps:
  - command: heat
    parameters: {celsius: 80}
    timeout_seconds: 60
  - wait: {telemetry: temperature, is: within, value: 80, tolerance: 1, within_seconds: 600}
    on_failure: continue
  - pause: 5
"""
HEAT = SendStep(3, "heat", {"celsius": 80}, 60.0)
WAIT = WaitStep(6, Condition("temperature", "within", 80, 1.0), 600.0, goes_on=True)
PAUSE = PauseStep(8, 5.0)
TEMPLATES = {"heat": {"parameters": {"celsius": {"type": "float", "required": True, "max": 100}}}}


def run_of(*steps: SendStep | WaitStep | PauseStep) -> ScriptRun:
    return ScriptRun(Script(None, steps))


def test_a_script_is_read_with_its_lines():
    assert read_script(TEXT) == Script("warm up", (HEAT, WAIT, PAUSE))


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", ["line 1: a script is an object of name, steps"]),
        ("steps: []", ["line 1: steps is a list of commands, waits and pauses"]),
        ("steps:\n- pause: 1\nextra: 1", ["line 3: 'extra' is none of name, steps"]),
        ("steps:\n- pause: 1\n- pause: -1", ["line 3: pause is a number above 0, 604800 at most"]),
        ("steps:\n- pause: .inf", ["line 2: pause is a number"]),
        ("steps:\n- pause: true", ["line 2: pause is a number"]),
        ("steps:\n- {}", ["line 2: a step is one command, one wait or one pause"]),
        ("steps:\n- {pause: 1, command: x}", ["line 2: a step is one command"]),
        ("steps:\n- {pause: 1, parameters: {}}", ["line 2: parameters is nothing of a pause"]),
        ("steps:\n- 7", ["line 2: a step is an object of"]),
        ("steps:\n- command: [x]", ["line 2: command is a text"]),
        ("steps:\n- command: x\n  parameters: 1", ["line 3: parameters is an object"]),
        ("steps:\n- command: x\n  command: y", ["line 3: command stands here twice"]),
        ("steps:\n- command: x\n  on_failure: weep", ["line 3: on_failure is stop or continue"]),
        ("steps:\n- wait: {telemetry: x, is: ==, value: 1}", ["within_seconds is missing"]),
        (
            "steps:\n- wait:\n    telemetry: x\n    is: ~=\n    value: 1\n    within_seconds: 1",
            ["line 4: is: one of == != < <= > >= within"],
        ),
        (
            "steps:\n- wait: {telemetry: x, is: within, value: hot, within_seconds: 1}",
            ["line 2: within is for numbers"],
        ),
        ("steps:\n- pause: 0\n- pause: 0", ["line 2: pause", "line 3: pause"]),
        ("steps: [" + "{pause: 1}," * (STEPS_MAX + 1) + "]", [f"more than {STEPS_MAX} steps"]),
        ("steps:\n- pause: *x", ["line 2: a reference (*) is not allowed"]),
    ],
)
def test_every_fault_is_named_with_its_line(text, faults):
    with pytest.raises(InvalidError) as refused:
        read_script(text)
    for fault in faults:
        assert fault in refused.value.detail


@given(st.text(max_size=200))
def test_no_text_does_more_than_be_refused(text):
    with suppress(InvalidError):
        assert read_script("steps:\n- " + text).steps


def test_a_script_is_held_against_what_a_device_knows():
    script = read_script(TEXT)
    check_script(script, {"temperature": {}}, TEMPLATES)
    with pytest.raises(InvalidError, match="line 3: no command 'heat'; line 6: no telemetry"):
        check_script(script, {}, {})
    hot = read_script(TEXT.replace("{celsius: 80}", "{celsius: 800}"))
    with pytest.raises(InvalidError, match=r"line 3: parameters\.celsius: 800"):
        check_script(hot, {"temperature": {}}, TEMPLATES)


def test_steps_are_done_one_after_the_other():
    run = run_of(HEAT, WAIT, PAUSE)
    assert run.decide(0) == Send(HEAT)
    assert run.decide(0) == Rest(None)
    run.note_queued("cmd_1")
    assert run.decide(0) == Rest(60_000)
    run.note_result("cmd_1", "running", None)
    run.note_result("cmd_2", "failed", "another's")
    assert run.decide(10) == Rest(60_000)
    run.note_result("cmd_1", "succeeded", "hot")
    assert run.decide(100) == Rest(600_100)
    run.note_point("temperature", 78)
    run.note_point("pressure", 80)
    assert run.decide(200) == Rest(600_100)
    run.note_point("temperature", 79.5)
    assert run.decide(300) == Rest(5300)
    assert run.progress == pytest.approx(2 / 3)
    assert run.decide(5299) == Rest(5300)
    assert run.decide(5300) == End(RunState.SUCCEEDED)
    assert [outcome.message for outcome in run.outcomes] == ["hot", "temperature is 79.5", None]
    assert [outcome.took_ms for outcome in run.outcomes] == [100, 200, 5000]


def test_a_failure_ends_it_unless_it_says_that_it_goes_on():
    run = run_of(WAIT, HEAT, PAUSE)
    run.decide(0)
    assert run.decide(600_000) == Send(HEAT)
    run.note_queued("cmd_1")
    run.note_result("cmd_1", "timed_out", "no answer")
    assert run.decide(600_001) == End(RunState.FAILED)
    assert [outcome.message for outcome in run.outcomes] == [
        "not within 600 s; temperature is nothing",
        "timed out: no answer",
    ]
    assert len(run.outcomes) == len(run.script.steps) - 1


def test_a_command_that_is_refused_fails():
    run = run_of(HEAT)
    run.decide(0)
    run.note_refused("no such device")
    assert run.decide(1) == End(RunState.FAILED)
    assert run.outcomes[0].message == "no such device"


@pytest.mark.parametrize(
    ("told", "state", "message"),
    [
        (("cancelled", None), RunState.FAILED, "no end within 60 s"),
        (("failed", "cancelled"), RunState.FAILED, "no end within 60 s"),
        (("succeeded", "after all"), RunState.SUCCEEDED, "after all"),
    ],
)
def test_a_command_that_takes_too_long_is_cancelled(told, state, message):
    run = run_of(HEAT)
    run.decide(0)
    run.note_queued("cmd_1")
    assert run.decide(60_000) == Cancel("cmd_1")
    assert run.decide(60_001) == Rest(60_000 + CANCEL_WITHIN_MS)
    run.note_result("cmd_1", *told)
    assert run.decide(60_002) == End(state)
    assert run.outcomes[0].message == message


def test_a_cancel_that_nobody_answers_does_not_hold_it_up():
    run = run_of(HEAT)
    run.decide(0)
    run.note_queued("cmd_1")
    run.decide(60_000)
    assert run.decide(60_000 + CANCEL_WITHIN_MS) == End(RunState.FAILED)
    assert "nothing says that it ended" in (run.outcomes[0].message or "")


@pytest.mark.parametrize("step", [WAIT, PAUSE])
def test_an_abort_ends_a_wait_and_a_pause_at_once(step):
    run = run_of(step, HEAT)
    run.decide(0)
    run.abort()
    assert run.decide(1) == End(RunState.ABORTED)
    assert run.decide(2) == End(RunState.ABORTED)
    assert [outcome.state for outcome in run.outcomes] == [RunState.ABORTED]


def test_an_abort_cancels_the_command_that_is_under_way():
    run = run_of(HEAT, PAUSE)
    run.decide(0)
    run.abort()
    # It was asked for, and its id is not known yet.
    assert run.decide(1) == Rest(None)
    run.note_queued("cmd_1")
    assert run.decide(2) == Cancel("cmd_1")
    run.note_result("cmd_1", "cancelled", None)
    assert run.decide(3) == End(RunState.ABORTED)
    assert len(run.outcomes) == len(run.script.steps) - 1


def test_an_abort_after_the_end_of_a_command_begins_nothing_else():
    run = run_of(HEAT, PAUSE)
    run.decide(0)
    run.note_queued("cmd_1")
    run.note_result("cmd_1", "succeeded", None)
    run.abort()
    assert run.decide(1) == End(RunState.ABORTED)
