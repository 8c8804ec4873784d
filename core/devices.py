"""Devices: what one registers, as JSON Schema, and whether it is there.

    telemetry type    {unit, data_type, range, enum}     -> the schema of a value
    command template  {parameters: {name: {type, …}}}    -> the schema of parameters

A device is a stream under the same id: its numbers are readings of that stream. Pure.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, Literal, TypeAlias

DataType: TypeAlias = Literal["int", "float", "string", "boolean", "array", "object"]
ParameterType: TypeAlias = Literal["string", "float", "int", "boolean"]

SCHEMA_TYPES: Final[Mapping[str, str]] = {
    "int": "integer",
    "float": "number",
    "string": "string",
    "boolean": "boolean",
    "array": "array",
    "object": "object",
}

TYPES_MAX: Final = 1000
TEMPLATES_MAX: Final = 200
PARAMETERS_MAX: Final = 50
ENUM_MAX: Final = 200
"""What one device may register: ten times what a full test bench has."""

VALUE_BYTES_MAX: Final = 16_384
"""Of one value, as JSON; pictures and files have other ways."""

POINTS_MAX: Final = 5000
"""Of one message."""

HEARTBEAT_S_USUAL: Final = 10.0
HEARTBEAT_S_MIN: Final = 1.0
HEARTBEAT_S_MAX: Final = 600.0

STALE_AFTER: Final = 1.5
GONE_AFTER: Final = 3.0
"""Heartbeats of silence after which a device is stale, and then gone."""

AT_ONCE_USUAL: Final = 8
AT_ONCE_MAX: Final = 100
"""Commands that a device is given before it has ended one; the rest wait by priority."""


class Link(StrEnum):
    """Whether a device is there."""

    CONNECTED = "connected"
    STALE = "stale"
    """Connected, and silent for longer than it promised."""

    GONE = "gone"
    REPLACED = "replaced"
    """A newer connection of the same device took over; stands only in the history."""


def find_link(silent: timedelta, heartbeat_s: float) -> Link:
    """Return the state of a connection that was silent for so long."""
    beats = silent.total_seconds() / heartbeat_s
    if beats >= GONE_AFTER:
        return Link.GONE
    return Link.STALE if beats >= STALE_AFTER else Link.CONNECTED


def write_value_schema(kind: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of the values of a telemetry type."""
    schema: dict[str, Any] = {"type": SCHEMA_TYPES[kind["data_type"]]}
    limits = kind.get("range") or {}
    _add_limits(schema, limits.get("min"), limits.get("max"))
    if kind.get("enum") is not None:
        schema["enum"] = list(kind["enum"])
    return schema


def write_parameters_schema(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of the parameters of a command."""
    given = template.get("parameters") or {}
    return {
        "type": "object",
        "properties": {name: _write_parameter(each) for name, each in given.items()},
        "required": [name for name, each in given.items() if _is_required(each)],
        "additionalProperties": False,
    }


def fill_defaults(template: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters with the defaults of those that were left out."""
    given = template.get("parameters") or {}
    defaults = {
        name: each["default"] for name, each in given.items() if each.get("default") is not None
    }
    return {**defaults, **parameters}


def _is_required(parameter: Mapping[str, Any]) -> bool:
    return bool(parameter.get("required")) and parameter.get("default") is None


def _write_parameter(parameter: Mapping[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": SCHEMA_TYPES[parameter["type"]]}
    _add_limits(schema, parameter.get("min"), parameter.get("max"))
    for name in ("enum", "default", "description"):
        if parameter.get(name) is not None:
            schema[name] = parameter[name]
    return schema


def _add_limits(schema: dict[str, Any], least: float | None, most: float | None) -> None:
    if least is not None:
        schema["minimum"] = least
    if most is not None:
        schema["maximum"] = most
