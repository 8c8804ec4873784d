"""Script views: what is written down of a run is enough to go on with it and to show it."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from core.conditions import Condition
from core.device_news import SCRIPT, SCRIPT_END
from core.script_runs import CANCEL_WITHIN_MS, Cancel, End, Rest, RunState, ScriptRun, Send
from core.script_views import (
    MESSAGE_LENGTH_MAX,
    TEXT_LENGTH_MAX,
    explain_end,
    list_dangerous,
    list_steps,
    list_waiting,
    read_commands,
    read_outcomes,
    show_detail,
    tell_run,
)
from core.scripts import PauseStep, Script, SendStep, WaitStep

AT = datetime(2026, 1, 26, 10, 32, 15, tzinfo=UTC)
HEAT = SendStep(3, "heat", {"celsius": 80}, 60.0)
WAIT = WaitStep(6, Condition("temperature", ">=", 80, 0.0), 600.0, goes_on=True)
PAUSE = PauseStep(8, 5.0)
SCRIPT_OF_THREE = Script("warm up", (HEAT, WAIT, PAUSE))


def write_down(run: ScriptRun) -> dict[str, Any]:
    """Return what is stored of a run, as it comes back."""
    commands = {} if run.command_id is None else {len(run.outcomes) + 1: run.command_id}
    steps = orjson.loads(orjson.dumps(list_steps(run, commands)))
    return {"steps": steps, "done": len(run.outcomes), "began_ms": run.began_ms}


def go_on(run: ScriptRun) -> ScriptRun:
    """Return the same run as another process goes on with it."""
    kept = write_down(run)
    commands = read_commands(kept["steps"])
    return ScriptRun.resume(
        run.script,
        read_outcomes(run.script, kept["steps"], kept["done"]),
        began_ms=kept["began_ms"],
        command_id=commands.get(kept["done"] + 1),
    )


def test_a_run_goes_on_at_the_step_and_the_time_where_it_was():
    run = ScriptRun(SCRIPT_OF_THREE)
    assert run.decide(1_000) == Send(HEAT)
    run.note_queued("cmd_1")
    run = go_on(run)
    # The command is not asked for again.
    assert run.decide(2_000) == Rest(61_000)
    run.note_result("cmd_1", "succeeded", "done")
    assert run.decide(3_000) == Rest(603_000)
    run = go_on(run)
    run.note_point("temperature", 81)
    assert run.decide(4_000) == Rest(9_000)
    run = go_on(run)
    assert run.decide(9_000) == End(RunState.SUCCEEDED)
    assert [each.took_ms for each in run.outcomes] == [2_000, 1_000, 5_000]
    assert [each.message for each in run.outcomes] == ["done", "temperature is 81", None]


def test_a_command_that_was_not_taken_is_asked_for_by_whoever_goes_on():
    run = ScriptRun(SCRIPT_OF_THREE)
    assert run.decide(1_000) == Send(HEAT)
    assert go_on(run).decide(1_500) == Send(HEAT)


def test_what_passed_its_time_while_nobody_ran_it_is_late():
    run = ScriptRun(SCRIPT_OF_THREE)
    run.decide(1_000)
    run.note_queued("cmd_1")
    run = go_on(run)
    assert run.decide(90_000) == Cancel("cmd_1")
    run.note_result("cmd_1", "cancelled", None)
    assert run.decide(91_000) == End(RunState.FAILED)
    assert run.outcomes[0].message == "no end within 60 s"


def test_a_step_that_failed_and_may_is_passed_over_by_whoever_goes_on():
    run = ScriptRun(Script(None, (WAIT, PAUSE)))
    run.decide(0)
    assert run.decide(600_000) == Rest(605_000)
    run = go_on(run)
    assert run.outcomes[0].state is RunState.FAILED
    assert run.decide(605_000) == End(RunState.SUCCEEDED)
    stopped = ScriptRun(Script(None, (HEAT, PAUSE)))
    stopped.decide(0)
    stopped.note_refused("no")
    stopped.decide(1)
    assert go_on(stopped).decide(2) == End(RunState.FAILED)


def test_an_abort_whose_command_was_cancelled_before_a_crash_is_an_abort():
    run = ScriptRun(Script(None, (HEAT, PAUSE)))
    run.decide(0)
    run.note_queued("cmd_1")
    run.abort()
    assert run.decide(1) == Cancel("cmd_1")
    run = go_on(run)
    run.abort()
    run.note_result("cmd_1", "cancelled", "Cancelled by Ada.")
    assert run.decide(2) == End(RunState.ABORTED)
    assert explain_end(run, RunState.ABORTED, "Ada") == "Aborted by Ada."


def test_an_abort_that_comes_before_the_command_is_sent_sends_nothing():
    run = ScriptRun(Script(None, (HEAT,)))
    assert run.decide(0) == Send(HEAT)
    run.note_unsent()
    run.abort()
    assert run.decide(1) == End(RunState.ABORTED)


def test_who_may_not_go_on_does_not_whatever_the_step_says():
    step = SendStep(3, "heat", {}, None, goes_on=True)
    run = ScriptRun(Script(None, (step, PAUSE)))
    run.decide(0)
    run.note_refused("The key was revoked.", for_good=True)
    assert run.decide(1) == End(RunState.FAILED)
    passed_over = ScriptRun(Script(None, (step, PAUSE)))
    passed_over.decide(0)
    passed_over.note_refused("It does not fit.")
    assert passed_over.decide(1) == Rest(5_001)


def test_a_cancel_that_nobody_answers_ends_the_step_all_the_same():
    run = ScriptRun(Script(None, (HEAT,)))
    run.decide(0)
    run.note_queued("cmd_1")
    run = go_on(run)
    assert run.decide(60_000) == Cancel("cmd_1")
    assert run.decide(60_000 + CANCEL_WITHIN_MS) == End(RunState.FAILED)


def test_steps_are_shown_as_they_are():
    run = ScriptRun(SCRIPT_OF_THREE)
    assert [step["state"] for step in list_waiting(run.script)] == ["waiting"] * 3
    run.decide(0)
    run.note_queued("cmd_1")
    steps = list_steps(run, {1: "cmd_1"})
    assert [step["state"] for step in steps] == ["running", "waiting", "waiting"]
    assert (steps[0]["kind"], steps[0]["text"]) == ("command", "heat celsius=80")
    assert steps[0]["command_id"] == "cmd_1"
    run.note_result("cmd_1", "failed", "stuck")
    run.decide(1_500)
    over = list_steps(run, {1: "cmd_1"}, is_over=True)
    assert [step["state"] for step in over] == ["failed", "skipped", "skipped"]
    assert (over[0]["message"], over[0]["took_ms"]) == ("failed: stuck", 1_500)
    assert explain_end(run, RunState.FAILED, None) == "Step 1, line 3: failed: stuck"


@pytest.mark.parametrize("odd", ["\x00", "\ud800"])
def test_texts_are_short_and_can_be_stored(odd: str):
    step = SendStep(1, "say", {"words": odd + "x" * 10_000}, None)
    run = ScriptRun(Script(None, (step,)))
    run.decide(0)
    run.note_refused(odd + "y" * 10_000)
    run.decide(1)
    (row,) = list_steps(run, {})
    assert len(row["text"]) == TEXT_LENGTH_MAX
    assert len(row["message"]) == MESSAGE_LENGTH_MAX
    assert odd not in row["text"] + row["message"]
    assert orjson.dumps(row)


def test_dangerous_commands_are_named_with_their_lines():
    script = Script(None, (HEAT, SendStep(9, "vent", {}, None), PAUSE))
    assert list(list_dangerous(script, {"heat": {}, "vent": {"dangerous": True}})) == [("vent", 9)]


@pytest.mark.parametrize(
    ("state", "kind"),
    [("queued", SCRIPT), ("running", SCRIPT), ("failed", SCRIPT_END), ("aborted", SCRIPT_END)],
)
def test_clients_are_told_of_one_type_and_no_end_is_skipped(state: str, kind: str):
    row = {
        "run_id": "run_1",
        "device_id": "oven_1",
        "name": None,
        "asker": "me",
        "state": state,
        "steps_total": 3,
        "steps_done": 1,
        "step": list_waiting(SCRIPT_OF_THREE)[1],
        "step_began_at": AT,
        "message": None,
        "revision": 7,
        "text": "…",
        "steps": [],
    } | dict.fromkeys(
        ("created_at", "started_at", "updated_at", "ended_at", "abort_asked_at", "abort_asked_by")
    )
    message = tell_run({**row, "updated_at": AT})
    told = orjson.loads(message.body)
    assert (message.kind, message.key, message.stream_id) == (kind, "run_1/7", "oven_1")
    assert (told["type"], told["id"], told["device_id"]) == ("script_run", "run_1", "oven_1")
    assert told["timestamp"] == "2026-01-26T10:32:15Z"
    current = told["value"]["current"]
    assert (current is None) == (state != "running")
    if current is not None:
        assert (current["number"], current["kind"], current["line"]) == (2, "wait", 6)
    assert set(show_detail(row)) == set(told["value"]) | {"text", "steps"}
