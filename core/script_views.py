"""Script views: a run as it is written down, as clients read it, and as they are told of it.

    script ─► steps that wait ─► steps as they are ─► steps that were skipped
                                       │
                run as it is stored ───┴─► ScriptRun of clients, message of the socket

Pure. ``db.script_runs`` keeps what is made here, ``api.scripts`` and ``streaming.jobs`` show it.
"""

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from core.device_news import SCRIPT, SCRIPT_END, tell_device
from core.live import LiveMessage
from core.script_runs import Outcome, RunState, ScriptRun
from core.scripts import PauseStep, Script, SendStep, Step, WaitStep

JOB: Final = "run_script"
"""The name of the job that runs scripts, as the worker knows it."""

QUEUE: Final = "scripts"

RUN_ID_PATTERN: Final = r"^run_[0-9a-f]{16}$"

QUEUED: Final = "queued"
STATES: Final = (QUEUED, *RunState)
"""Where a run is: ``running`` from when a worker takes it up, also while none is there."""

OPEN: Final = (QUEUED, RunState.RUNNING)

WAITING: Final = "waiting"
SKIPPED: Final = "skipped"

TEXT_LENGTH_MAX: Final = 200
"""Of a step in a few words: its parameters may be long."""

MESSAGE_LENGTH_MAX: Final = 500
"""Of what is kept of the end of a step; the command has all of it."""

SHOWN: Final = (
    "run_id",
    "device_id",
    "name",
    "asker",
    "state",
    "steps_total",
    "steps_done",
    "message",
    "created_at",
    "started_at",
    "ended_at",
    "abort_asked_at",
    "abort_asked_by",
)
"""What clients read of a run as it is stored; the rest is between the API and the jobs."""

Row = dict[str, Any]

_KINDS: Final[Mapping[type, str]] = {SendStep: "command", WaitStep: "wait", PauseStep: "pause"}
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


def make_run_id() -> str:
    """Return a new id of a run."""
    return "run_" + secrets.token_hex(8)


def name_request(run_id: str, number: int) -> str:
    """Return the idempotency key of a step's command: however often it is asked for, it is one."""
    return f"{run_id}/{number}"


def list_waiting(script: Script) -> list[Row]:
    """Return the steps of a script of which nothing is done yet."""
    return [_show_step(number, step) for number, step in enumerate(script.steps, start=1)]


def list_steps(run: ScriptRun, commands: Mapping[int, str], *, is_over: bool = False) -> list[Row]:
    """Return the steps of a run as they are.

    Args:
        run: The run.
        commands: Ids of the commands that were sent, by the numbers of their steps.
        is_over: Whether nothing more is done.
    """
    rows = list_waiting(run.script)
    for row, outcome in zip(rows, run.outcomes, strict=False):
        row["state"] = str(outcome.state)
        row["message"] = _shorten(outcome.message, MESSAGE_LENGTH_MAX)
        row["took_ms"] = outcome.took_ms
    left = rows[len(run.outcomes) :]
    for row in left:
        row["state"] = SKIPPED if is_over else WAITING
    if left and not is_over and run.began_ms is not None:
        left[0]["state"] = str(RunState.RUNNING)
    for number, command_id in commands.items():
        rows[number - 1]["command_id"] = command_id
    return rows


def skip_all(steps: Sequence[Row]) -> list[Row]:
    """Return steps of which none was begun, and none will be."""
    return [{**step, "state": SKIPPED} for step in steps]


def read_outcomes(script: Script, steps: Sequence[Row], count: int) -> list[Outcome]:
    """Return how the first steps ended, as it was written down."""
    return [
        Outcome(row["number"], step, RunState(row["state"]), row["message"], row["took_ms"])
        for step, row in zip(script.steps, steps[:count], strict=False)
    ]


def read_commands(steps: Sequence[Row]) -> dict[int, str]:
    """Return the commands that were sent, by the numbers of their steps."""
    return {row["number"]: row["command_id"] for row in steps if row["command_id"] is not None}


def explain_end(run: ScriptRun, state: RunState, abort_asked_by: str | None) -> str | None:
    """Return why a run did not succeed; None of one that did."""
    if state is RunState.SUCCEEDED:
        return None
    if state is RunState.ABORTED:
        return f"Aborted by {abort_asked_by or 'somebody'}."
    last = run.outcomes[-1]
    reason = last.message or "it failed"
    return _shorten(f"Step {last.number}, line {last.step.line}: {reason}", MESSAGE_LENGTH_MAX)


def list_dangerous(
    script: Script, templates: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, int]]:
    """Yield the dangerous commands that a script sends, each with its line."""
    for step in script.steps:
        if isinstance(step, SendStep) and templates.get(step.command, {}).get("dangerous"):
            yield step.command, step.line


def show_run(row: Mapping[str, Any]) -> Row:
    """Return a run as clients read it."""
    current = None
    if row["state"] == RunState.RUNNING and row["step_began_at"] is not None:
        step = row["step"]
        if step is not None:
            kept = {name: step[name] for name in ("number", "line", "kind", "text")}
            current = {**kept, "began_at": row["step_began_at"]}
    return {**{name: row[name] for name in SHOWN}, "current": current}


def show_detail(row: Mapping[str, Any]) -> Row:
    """Return a run with its text and its steps as clients read it."""
    return {**show_run(row), "text": row["text"], "steps": row["steps"]}


def tell_run(row: Mapping[str, Any], at: datetime | None = None) -> LiveMessage:
    """Return the message that a run changed; of one and the same run a later number is newer."""
    kind = SCRIPT if row["state"] in OPEN else SCRIPT_END
    facts = {"id": row["run_id"], "value": show_run(row), "timestamp": at or row["updated_at"]}
    message = tell_device(row["device_id"], SCRIPT, f"{row['run_id']}/{row['revision']}", facts)
    return LiveMessage(message.stream_id, kind, message.key, message.body)


def _show_step(number: int, step: Step) -> Row:
    return {
        "number": number,
        "line": step.line,
        "kind": _KINDS[type(step)],
        "text": _shorten(step.describe(), TEXT_LENGTH_MAX),
        "state": WAITING,
        "message": None,
        "took_ms": None,
        "command_id": None,
    }


def _shorten(text: str | None, length_max: int) -> str | None:
    """Return a text as it is kept: not too long, and without what no database takes."""
    if text is None:
        return None
    text = _UNSTORABLE.sub("\ufffd", text)
    return text if len(text) <= length_max else text[: length_max - 1] + "…"
