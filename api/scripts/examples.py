"""Examples of script runs: what the pages of the API show."""

from typing import Any, Final

from api.examples import Responses, show, show_error, show_problem
from core.errors import QueueFullError, RoomFullError

DEVICE_ID: Final = "chamber-1"
RUN_ID: Final = "run_0123456789abcdef"
PATH: Final = f"/api/v1/devices/{DEVICE_ID}/scripts"
ONE: Final = f"{PATH}/{RUN_ID}"
AT: Final = "2026-01-26T10:32:15Z"

TEXT: Final = """\
name: warm up
steps:
  - command: heat
    parameters: {target: 80}
  - pause: 5
"""
WAITING: Final[dict[str, Any]] = {
    "number": 1,
    "line": 3,
    "kind": "command",
    "text": "heat target=80",
    "state": "waiting",
    "message": None,
    "took_ms": None,
    "command_id": None,
}
PAUSE: Final[dict[str, Any]] = {
    **WAITING,
    "number": 2,
    "line": 5,
    "kind": "pause",
    "text": "pause 5 s",
}
RUNNING: Final[dict[str, Any]] = {
    **WAITING,
    "state": "running",
    "command_id": "cmd_0123456789abcdef",
}
QUEUED_RUN: Final[dict[str, Any]] = {
    "run_id": RUN_ID,
    "device_id": DEVICE_ID,
    "name": "warm up",
    "asker": "control room",
    "state": "queued",
    "steps_total": 2,
    "steps_done": 0,
    "current": None,
    "message": None,
    "created_at": AT,
    "started_at": None,
    "ended_at": None,
    "abort_asked_at": None,
    "abort_asked_by": None,
}
RUN: Final[dict[str, Any]] = {
    **QUEUED_RUN,
    "state": "running",
    "current": {
        "number": 1,
        "line": 3,
        "kind": "command",
        "text": "heat target=80",
        "began_at": AT,
    },
    "started_at": AT,
}

_NO_DEVICE: Final = show_problem(
    404, PATH, "There is no device 'chamber-1'. It appears when it connects and registers."
)
_NO_RUN: Final = show_problem(404, ONE, f"The device 'chamber-1' has no run '{RUN_ID}'.")
_WRONG: Final = show_problem(422, PATH, "line 3: no command 'melt'", "line 3")
_ROOM: Final = show_error(
    RoomFullError, PATH, "16 scripts are looked at already. Send it again in a moment."
)

CHECKED: Final[Responses] = {
    **show({"name": "warm up", "dangerous": [], "steps": [WAITING, PAUSE]}),
    **_NO_DEVICE,
    **_WRONG,
    **_ROOM,
}
STARTED: Final[Responses] = {
    **show({**QUEUED_RUN, "text": TEXT, "steps": [WAITING, PAUSE]}, 202),
    **_NO_DEVICE,
    **show_problem(
        409, PATH, "It sends dangerous commands: vent (line 4). Set confirm_dangerous to do so."
    ),
    **_WRONG,
    **show_error(
        QueueFullError, PATH, "100 jobs wait already. Nothing was kept; send it again in a while."
    ),
    **_ROOM,
}
LISTED: Final[Responses] = {**show({"data": [RUN], "next_cursor": None}), **_NO_DEVICE}
READ: Final[Responses] = {**show({**RUN, "text": TEXT, "steps": [RUNNING, PAUSE]}), **_NO_RUN}
ABORTED: Final[Responses] = {
    **show({**RUN, "abort_asked_at": AT, "abort_asked_by": "control room"}),
    **_NO_RUN,
    **show_problem(409, f"{ONE}/abort", "The run is succeeded already."),
}
