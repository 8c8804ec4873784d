"""Views: what is stored of devices, commands and logs, as clients read it."""

from collections.abc import Mapping
from typing import Any, Final

from core.commands import State, find_status
from core.devices import write_parameters_schema

UNSAID: Final = frozenset({"at_once", "link_id"})
HIDDEN: Final = frozenset({"confirm_token", "verifiers", "due_at"})

Row = dict[str, Any]

_TYPE: Final = dict.fromkeys(("unit", "range", "enum", "description"))
_TEMPLATE: Final[Row] = {
    "description": None,
    "dangerous": False,
    "timeout_seconds": None,
    "parameters": {},
    "verifiers": None,
}
_PARAMETER: Final[Row] = {
    "required": False,
    "enum": None,
    "min": None,
    "max": None,
    "default": None,
    "description": None,
}


def show_device(row: Mapping[str, Any]) -> Row:
    """Return a device with what it registered only counted."""
    counts = {name: len(row[name]) for name in ("telemetry_types", "command_templates")}
    return {name: row[name] for name in row if name not in UNSAID} | counts


def show_types(row: Mapping[str, Any]) -> Row:
    """Return the telemetry types of a device."""
    at = row["registered_at"]
    types = row["telemetry_types"].items()
    return {
        "device_id": row["device_id"],
        "telemetry_types": {name: {**_TYPE, **kind, "last_updated": at} for name, kind in types},
        "last_updated": at,
    }


def show_templates(row: Mapping[str, Any]) -> Row:
    """Return the command templates of a device."""
    at = row["registered_at"]
    return {
        "device_id": row["device_id"],
        "command_templates": {
            name: {**_fill(template), "last_updated": at}
            for name, template in row["command_templates"].items()
        },
        "last_updated": at,
    }


def show_validation(row: Mapping[str, Any], command: str) -> Row:
    """Return what the parameters of a command have to be."""
    template = _fill(row["command_templates"][command])
    schema = write_parameters_schema(template)
    return {
        "device_id": row["device_id"],
        "command": command,
        "description": template["description"],
        "dangerous": template["dangerous"],
        "required_parameters": schema["required"],
        "optional_parameters": [n for n in template["parameters"] if n not in schema["required"]],
        "parameters": template["parameters"],
        "json_schema": schema,
        "last_updated": row["registered_at"],
    }


def show_summary(row: Mapping[str, Any], total: int) -> Row:
    """Return what a device registered, in numbers and names."""
    types, templates = row["telemetry_types"], row["command_templates"]
    return {
        "device_id": row["device_id"],
        "title": row["title"],
        "link": row["link"],
        "telemetry_types_count": len(types),
        "command_templates_count": len(templates),
        "telemetry_types": sorted(types),
        "command_templates": sorted(templates),
        "dangerous_commands": sorted(n for n, each in templates.items() if each.get("dangerous")),
        "total_records": total,
        "last_updated": row["registered_at"],
    }


def show_command(row: Mapping[str, Any]) -> Row:
    """Return a command; what confirms it is for whoever asked for it."""
    shown = {name: row[name] for name in row if name not in HIDDEN}
    return {**shown, "status": find_status(State(row["state"]))}


def show_queued(row: Mapping[str, Any]) -> Row:
    """Return a command to whoever asked for it."""
    confirmation = None
    if row["held"]:
        confirmation = {"token": row["confirm_token"], "expires_at": row["confirm_expires_at"]}
    return {**show_command(row), "confirmation": confirmation}


def show_line(row: Mapping[str, Any]) -> Row:
    """Return a line of a log."""
    names = ("id", "value", "timestamp", "received_at")
    return {"type": row["kind"], **{name: row[name] for name in names}}


def _fill(template: Mapping[str, Any]) -> Row:
    parameters = template.get("parameters") or {}
    filled = {name: {**_PARAMETER, **each} for name, each in parameters.items()}
    return {**_TEMPLATE, **template, "parameters": filled}
