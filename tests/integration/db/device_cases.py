"""Cases: the statements of devices, their commands and their logs, for ``test_plans``."""

from typing import Any, Final

from db import script_runs
from db.commands import SHOWN
from db.minutes import BEGINNING, END
from tests.fixtures.plans import NOW, back

PAGE: Final = 50
DEVICE: Final = "device-0007"
COMMAND: Final = "cmd-107"
START, STOP = back(days=12), back(days=11.1)

_WIDE: Final[dict[str, Any]] = {"start": BEGINNING, "end": END}
_FILLED: Final[dict[str, Any]] = {"filled": {"columns": SHOWN}}
_MANY: Final[dict[str, Any]] = {**_FILLED, "rows_max": 6 * PAGE}
"""All that a device has open, some two hundred here and a thousand at most."""

RUN: Final = "run-107"
_RUN: Final[dict[str, Any]] = {"filled": {"columns": script_runs.SHOWN}}
_NEW_RUN: Final[tuple[Any, ...]] = (
    *("run-x", "device-0100", "r", None, "steps: []", False, "me", "name:me", None, [], 1, 7, NOW),
)
_QUEUED: Final[tuple[Any, ...]] = (
    *("cmd-x", DEVICE, "r", "me", "name:me", "heat", {}, {}, 5, False, None, None, NOW),
    *(None, None, None, NOW, 1000),
)

CASES: Final[list[tuple[str, tuple[Any, ...], dict[str, Any]]]] = [
    ("devices.make_link_id", (), {}),
    ("devices.lock_device", (DEVICE,), {}),
    ("devices.upsert_device", (DEVICE, "t", "k", {}, {}, 10.0, 8, 10**6, NOW), {}),
    ("devices.insert_link", (DEVICE, "gone", NOW, "r"), {}),
    ("devices.touch_device", (DEVICE, 7, NOW), {}),
    ("devices.set_link", (DEVICE, 7, "stale", NOW), {}),
    ("devices.find_lost", (NOW, 3.0, 15.0, PAGE), {"rows_max": 200}),
    ("devices.get_device", (DEVICE,), {}),
    ("devices.list_devices", (None, PAGE), {"rows_max": 4 * PAGE}),
    ("devices.list_ids", ("heat", PAGE), {"rows_max": 200}),
    ("devices.set_title", (DEVICE, "t", "me"), {}),
    ("devices.delete_device", (DEVICE,), {}),
    ("devices.list_links", (DEVICE, None, PAGE), {}),
    ("devices.list_links", (DEVICE, 4000, PAGE), {"note": "next page"}),
    ("commands.insert_command", _QUEUED, _MANY),
    ("commands.find_request", (DEVICE, "name:me", "request-107"), _FILLED),
    ("commands.claim_commands", (DEVICE, 7, back(days=400), PAGE), _MANY),
    ("commands.list_in_hand", (DEVICE, PAGE), _MANY),
    ("commands.note_resent", ([COMMAND],), {}),
    ("commands.lock_command", (DEVICE, COMMAND), {}),
    ("commands.move_command", (COMMAND, DEVICE, "running", ["sent"], NOW, None, None), _FILLED),
    ("commands.release_command", (COMMAND, DEVICE, "t", NOW, "me"), _FILLED),
    ("commands.give_up_due", (NOW, PAGE), _FILLED | {"rows_max": 4 * PAGE}),
    ("commands.insert_event", (COMMAND, NOW, "sent", "clock", "moved", None, None, None), {}),
    ("commands.get_command", (DEVICE, COMMAND), _FILLED),
    ("commands.list_commands", (DEVICE, None, None, None, None, None, None, PAGE), _FILLED),
    (
        "commands.list_commands",
        (DEVICE, None, None, None, back(days=30), back(days=2), COMMAND, PAGE),
        _FILLED | {"note": "next page"},
    ),
    ("commands.list_events", (COMMAND, PAGE), {}),
    (
        "commands.list_moved",
        (back(minutes=40), PAGE),
        _FILLED | {"rows_max": 4 * PAGE},
    ),
    ("script_runs.lock_device", (DEVICE,), {}),
    ("script_runs.share_device", (DEVICE,), {}),
    ("script_runs.insert_run", _NEW_RUN, _RUN),
    ("script_runs.find_request", (DEVICE, "name:me", "request-107"), _RUN),
    ("script_runs.find_open", (DEVICE,), _RUN),
    ("script_runs.get_run", (RUN, DEVICE), _RUN),
    ("script_runs.lock_run", (RUN, DEVICE), _RUN),
    ("script_runs.list_runs", (DEVICE, None, None, None, PAGE), _RUN),
    (
        "script_runs.list_runs",
        (DEVICE, "failed", back(days=1), "run-7", PAGE),
        _RUN | {"rows_max": 6 * PAGE, "note": "next page of those that failed"},
    ),
    ("script_runs.list_changed", (back(days=0.02), PAGE), _RUN),
    ("script_runs.list_watched", ([RUN, "run-108"], 2), {}),
    ("script_runs.claim_run", (RUN, NOW), _RUN),
    ("script_runs.note_progress", (RUN, 1, [], 0, NOW, None, NOW), _RUN),
    ("script_runs.end_run", (RUN, 1, "failed", [], 1, "r", NOW), _RUN),
    ("script_runs.ask_abort", (RUN, NOW, "me"), _RUN),
    ("device_logs.insert_rows", ([], [], [], [], [], [], []), {}),
    (
        "device_logs.list_rows",
        (DEVICE, START, STOP, None, None, None, PAGE),
        {"start": START, "end": STOP},
    ),
    (
        "device_logs.list_rows",
        (DEVICE, BEGINNING, STOP, None, None, 9, PAGE),
        {"start": BEGINNING, "end": STOP, "note": "next page"},
    ),
    (
        "device_logs.list_rows",
        (DEVICE, BEGINNING, END, "data", "temp", None, PAGE),
        _WIDE | {"note": "newest of an id"},
    ),
    (
        "device_logs.count_rows",
        (DEVICE, START, STOP, None, "temp", PAGE),
        {"start": START, "end": STOP},
    ),
    ("device_logs.get_total", (DEVICE,), {}),
    (
        "device_logs.delete_part",
        (DEVICE, back(days=12), back(days=11)),
        {"start": back(days=13), "end": back(days=10), "rows_max": 8 * PAGE},
    ),
    ("device_logs.subtract_rows", (DEVICE, 5), {}),
]

NOT_PLANNED: Final = {
    "device_logs.list_chunks": "asks the catalogue of TimescaleDB",
    "device_logs.allow_time": "sets a parameter",
}
