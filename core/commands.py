"""Commands: the life of one, as a table of legal moves.

    queued -> sent -> acknowledged -> running -> succeeded | failed | timed_out | cancelled

A stage may be passed over, none is gone back to, and an end is never left: whatever a device says
twice, late or in the wrong order is kept as an event and moves nothing. Pure. ``db.commands`` moves
a command only from the states that ``PREDECESSORS`` names, so that of two who try at once one does.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Literal, NamedTuple, TypeAlias


class State(StrEnum):
    """Where a command is in its life."""

    QUEUED = "queued"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"


Stage: TypeAlias = Literal["accepted", "started", "completed"]
"""What is verified of a command."""

STAGES: Final[tuple[Stage, ...]] = ("accepted", "started", "completed")

STATE_OF: Final[Mapping[Stage, State]] = {
    "accepted": State.ACKNOWLEDGED,
    "started": State.RUNNING,
    "completed": State.SUCCEEDED,
}
"""The state that a verified stage leads to."""

STAGE_OF: Final[Mapping[State, Stage]] = {state: stage for stage, state in STATE_OF.items()}

ENDS: Final = frozenset({State.SUCCEEDED, State.FAILED, State.TIMED_OUT, State.CANCELLED})
IN_HAND: Final = (State.SENT, State.ACKNOWLEDGED, State.RUNNING)
"""What a device has been given and has not ended: sent again after it was away."""

OPEN: Final = (State.QUEUED, *IN_HAND)

PREDECESSORS: Final[Mapping[State, tuple[State, ...]]] = {
    State.QUEUED: (),
    State.SENT: (State.QUEUED,),
    State.ACKNOWLEDGED: (State.SENT,),
    State.RUNNING: (State.SENT, State.ACKNOWLEDGED),
    State.SUCCEEDED: IN_HAND,
    State.FAILED: IN_HAND,
    State.TIMED_OUT: OPEN,
    State.CANCELLED: OPEN,
}
"""From which states each is reached: the whole life."""


class Verdict(StrEnum):
    """What became of something said about a command."""

    MOVED = "moved"
    REPEATED = "repeated"
    """It is there already."""

    OVERTAKEN = "overtaken"
    """A later stage came first."""

    LATE = "late"
    """It has ended otherwise."""

    AWAITED = "awaited"
    """The device says so, and telemetry has to show it before it counts."""

    EARLY = "early"
    """It was never given to the device."""


def judge(state: State, wished: State) -> Verdict:
    """Say what a wish to move a command does to one in a state."""
    if state in PREDECESSORS[wished]:
        return Verdict.MOVED
    if state is wished:
        return Verdict.REPEATED
    if state in ENDS:
        return Verdict.LATE
    return Verdict.EARLY if state is State.QUEUED else Verdict.OVERTAKEN


Status: TypeAlias = Literal["pending", "success", "error"]
"""The three words that clients of the telemetry stream know."""


def find_status(state: State) -> Status:
    """Return a state in those words."""
    if state is State.SUCCEEDED:
        return "success"
    return "error" if state in ENDS else "pending"


Source: TypeAlias = Literal["person", "device", "telemetry", "clock"]


@dataclass(frozen=True, slots=True)
class Wish:
    """A command as somebody asks for it; the parameters are checked already."""

    device_id: str
    command: str
    parameters: dict[str, Any]
    template: Mapping[str, Any]
    priority: int
    deadline_at: datetime
    request_id: str | None = None


class Said(NamedTuple):
    """What is said of a command."""

    device_id: str
    command_id: str
    state: State
    source: Source
    message: str | None = None
    details: Any = None
    actor: str | None = None


PRIORITY_MAX: Final = 9
PRIORITY_USUAL: Final = 5
"""Of a command that does not say; higher goes first."""

SECONDS_MAX: Final = 7 * 86_400.0
"""The furthest deadline: a week, in which a device may come back."""

OPEN_MAX: Final = 1000
"""Commands of one device that have not ended: more are no queue but a fault of who asks."""

CONFIRM_WITHIN: Final = timedelta(minutes=2)
"""How long a dangerous command is held for its confirmation, if its deadline is not earlier."""

PARAMETERS_BYTES_MAX: Final = 16_384
DETAILS_BYTES_MAX: Final = 65_536
MESSAGE_LENGTH_MAX: Final = 2_000
"""Of what is sent to a device, and of what it says of a result."""

COMMAND_ID_PATTERN: Final = r"^cmd_[0-9a-f]{16}$"
REQUEST_ID_LENGTH_MAX: Final = 200


def make_command_id() -> str:
    """Return a new id of a command."""
    return "cmd_" + secrets.token_hex(8)


def make_token() -> str:
    """Return what confirms a dangerous command; whoever reads it over a shoulder may not guess."""
    return secrets.token_urlsafe(12)


def describe_result(row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return what the telemetry stream says of a command as it is stored."""
    return {
        "type": "command_result",
        "id": "command_result",
        "device_id": row["device_id"],
        "value": {
            "command": row["command"],
            "command_id": row["command_id"],
            "request_id": row["request_id"],
            "asker": row["asker"],
            "status": find_status(State(row["state"])),
            "state": row["state"],
            "message": row["message"],
            "details": row["details"],
        },
        "timestamp": now,
    }
