"""Examples of devices: what the pages of the API show."""

from typing import Any, Final

from api.examples import Responses, show, show_problem

DEVICE_ID: Final = "chamber-1"
COMMAND_ID: Final = "cmd_0123456789abcdef"
PATH: Final = "/api/v1/devices"
ONE: Final = f"{PATH}/{DEVICE_ID}"
COMMANDS: Final = f"{ONE}/commands"
COMMAND: Final = f"{COMMANDS}/{COMMAND_ID}"
AT: Final = "2026-01-26T10:32:15Z"

DEVICE: Final[dict[str, Any]] = {
    "device_id": DEVICE_ID,
    "title": "Chamber 1",
    "kind": "chamber",
    "link": "connected",
    "heartbeat_s": 10.0,
    "last_seen_at": AT,
    "registered_at": "2026-01-26T08:00:00Z",
    "created_at": "2026-01-02T09:00:00Z",
    "telemetry_types": 4,
    "command_templates": 5,
}
TYPE: Final[dict[str, Any]] = {
    "data_type": "float",
    "unit": "°C",
    "range": {"min": -40.0, "max": 150.0},
    "enum": None,
    "description": "Of the chamber.",
    "last_updated": "2026-01-26T08:00:00Z",
}
PARAMETERS: Final[dict[str, Any]] = {
    "target": {
        "type": "float",
        "required": True,
        "enum": None,
        "min": 0.0,
        "max": 120.0,
        "default": None,
        "description": None,
    }
}
TEMPLATE: Final[dict[str, Any]] = {
    "description": "Heats the chamber.",
    "dangerous": False,
    "timeout_seconds": 60.0,
    "parameters": PARAMETERS,
    "verifiers": {
        "completed": {
            "telemetry": "temperature",
            "is": "within",
            "value": {"parameter": "target"},
            "tolerance": 0.5,
        }
    },
    "last_updated": "2026-01-26T08:00:00Z",
}
QUEUED_COMMAND: Final[dict[str, Any]] = {
    "command_id": COMMAND_ID,
    "device_id": DEVICE_ID,
    "request_id": "heat-0815",
    "asker": "control room",
    "command": "heat",
    "parameters": {"target": 80},
    "priority": 5,
    "dangerous": False,
    "held": False,
    "state": "queued",
    "status": "pending",
    "message": None,
    "details": None,
    "sends": 0,
    "created_at": AT,
    "deadline_at": "2026-01-26T10:33:15Z",
    "confirm_expires_at": None,
    "confirmed_at": None,
    "confirmed_by": None,
    "sent_at": None,
    "acknowledged_at": None,
    "running_at": None,
    "ended_at": None,
}
ENDED_COMMAND: Final[dict[str, Any]] = {
    **QUEUED_COMMAND,
    "state": "succeeded",
    "status": "success",
    "message": "temperature is 79.8.",
    "sends": 1,
    "sent_at": AT,
    "acknowledged_at": AT,
    "ended_at": "2026-01-26T10:32:40Z",
}
EVENT: Final[dict[str, Any]] = {
    "id": 7,
    "at": "2026-01-26T10:32:40Z",
    "stage": "succeeded",
    "source": "telemetry",
    "verdict": "moved",
    "actor": None,
    "message": "temperature is 79.8.",
    "details": None,
}
ROW: Final[dict[str, Any]] = {
    "type": "data",
    "id": "temperature",
    "value": 79.8,
    "timestamp": AT,
    "received_at": AT,
}
WISHES: Final[dict[str, Any]] = {
    "usual": {"summary": "A command", "value": {"command": "heat", "parameters": {"target": 80}}},
    "urgent": {
        "summary": "First of all, or not at all",
        "value": {"command": "vent", "priority": 9, "deadline_seconds": 5},
    },
}
TITLES: Final[dict[str, Any]] = {
    "named": {"summary": "A name of ours", "value": {"title": "Chamber in the cellar"}},
    "own": {"summary": "What it calls itself", "value": {"title": None}},
}
TOKENS: Final[dict[str, Any]] = {
    "usual": {"summary": "The token of the answer", "value": {"token": "h6D0bXkqP1sTgVzA"}}
}

_NONE: Final = show_problem(
    404, ONE, "There is no device 'chamber-1'. It appears when it connects and registers."
)
_NO_COMMAND: Final = show_problem(
    404, COMMAND, "The device 'chamber-1' has no command 'cmd_0123456789abcdef'."
)
_WRONG_TIME: Final = show_problem(
    422,
    f"{ONE}/history",
    "since: Value error, a time is ISO 8601, as in 2026-01-26T10:32:15Z, or an epoch",
    "since",
)
_SEVERAL: Final = show_problem(
    422,
    "/telemetry-types",
    "There are several devices: chamber-1, chamber-2. Name one in device_id.",
)

DEVICES: Final[Responses] = show({"data": [DEVICE], "next_cursor": None})
READ: Final[Responses] = {**show(DEVICE), **_NONE}
DELETED: Final[Responses] = {
    **show({"device_id": DEVICE_ID, "title": "Chamber 1"}),
    **_NONE,
}
TYPES: Final[Responses] = {
    **show(
        {
            "device_id": DEVICE_ID,
            "telemetry_types": {"temperature": TYPE},
            "last_updated": "2026-01-26T08:00:00Z",
        }
    ),
    **_NONE,
}
TEMPLATES: Final[Responses] = {
    **show(
        {
            "device_id": DEVICE_ID,
            "command_templates": {"heat": TEMPLATE},
            "last_updated": "2026-01-26T08:00:00Z",
        }
    ),
    **_NONE,
}
LINKS: Final[Responses] = {
    **show(
        {
            "data": [{"id": 3, "state": "connected", "at": AT, "reason": "It registered."}],
            "next_cursor": None,
        }
    ),
    **_NONE,
}
ASKED: Final[Responses] = {
    **show({**QUEUED_COMMAND, "confirmation": None}, 202),
    **show_problem(404, COMMANDS, "chamber-1 has no command 'cool'. It has: heat, open."),
    **show_problem(
        409,
        COMMANDS,
        "The request was made before, for heat with other parameters. Take a new Idempotency-Key.",
    ),
    **show_problem(
        422,
        COMMANDS,
        "parameters.target: 200 is greater than the maximum of 120",
        "parameters.target",
    ),
}
COMMANDS_LISTED: Final[Responses] = {
    **show({"data": [ENDED_COMMAND], "next_cursor": None}),
    **_NONE,
}
COMMAND_READ: Final[Responses] = {**show({**ENDED_COMMAND, "events": [EVENT]}), **_NO_COMMAND}
CONFIRMED: Final[Responses] = {
    **show(QUEUED_COMMAND),
    **_NO_COMMAND,
    **show_problem(
        409, f"{COMMAND}/confirm", "The token is not that of this command. Whoever asked has it."
    ),
}
CANCELLED: Final[Responses] = {
    **show({**QUEUED_COMMAND, "state": "cancelled", "status": "error", "ended_at": AT}),
    **_NO_COMMAND,
    **show_problem(409, f"{COMMAND}/cancel", "The command is succeeded already."),
}
HISTORY: Final[Responses] = {
    **show({"data": [ROW], "next_cursor": None, "total_records": 1, "filtered_records": 1}),
    **_NONE,
    **_WRONG_TIME,
}
CLEARED: Final[Responses] = {
    **show({"device_id": DEVICE_ID, "deleted_records": 1, "complete": True}),
    **show_problem(404, f"{ONE}/history", "Nothing is logged of a device 'chamber-1'."),
    **show_problem(
        422, f"{ONE}/history", "confirm: name the device whose log is cleared: 'chamber-1'."
    ),
}
SEVERAL: Final[Responses] = _SEVERAL
