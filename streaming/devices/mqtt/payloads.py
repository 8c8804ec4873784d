"""Payloads: what a device says over MQTT, as points and results; what it is told, as bytes.

    21.5   "21.5"   on   {"value": 21.5}   {"load": {"percent": 40}, "ts": 1760000000}

Pure.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from string import Template
from typing import Any, Final

import orjson

from core.times import parse_time
from streaming.devices.mqtt.descriptions import CommandPart, ResultsPart, TelemetryPart

PAYLOAD_BYTES_MAX: Final = 65_536
TIMES_KNOWN_MAX: Final = 256
"""Times of one value by which a repeat is told."""

_VALUES: Final = ("value", "val")
_TRUTHS: Final = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}


class UnreadableError(ValueError):
    """A payload says nothing of what was expected; the text says why in a few words."""


@dataclass(frozen=True, slots=True)
class Said:
    """A value, and when it was measured if that is said."""

    value: Any
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a device says of a command."""

    command_id: str
    stage: str
    message: str | None
    details: dict[str, Any] | None


class Repeats:
    """Tells what a broker handed over twice, by the time that it says."""

    def __init__(self) -> None:
        self._times: dict[str, OrderedDict[datetime, None]] = {}

    def is_repeat(self, telemetry_id: str, at: datetime | None) -> bool:
        """Tell whether a value of that time came already; one without a time never did."""
        if at is None:
            return False
        known = self._times.setdefault(telemetry_id, OrderedDict())
        if at in known:
            return True
        known[at] = None
        if len(known) > TIMES_KNOWN_MAX:
            known.popitem(last=False)
        return False


def read_value(part: TelemetryPart, payload: bytes) -> Said:
    """Read a value.

    Raises:
        UnreadableError: There is none in it.
    """
    whole = _read_any(payload)
    found = whole if part.field is None else _follow(whole, part.field)
    if part.field is None and isinstance(whole, dict) and part.data_type != "object":
        named = [whole[name] for name in _VALUES if name in whole]
        if not named:
            raise UnreadableError("no value in it")
        found = named[0]
    return Said(_convert(found, part.data_type), _read_time(part, whole))


def read_outcome(part: ResultsPart, payload: bytes) -> Outcome:
    """Read a result.

    Raises:
        UnreadableError: It is none.
    """
    told = _read_any(payload)
    if not isinstance(told, dict):
        raise UnreadableError("no object")
    command_id, word = told.get(part.id), told.get(part.stage)
    if not isinstance(command_id, str):
        raise UnreadableError(f"no {part.id}")
    word = str(word).lower() if isinstance(word, bool) else str(word)
    stage = part.stages.get(word, word)
    if stage not in {"acknowledged", "running", "succeeded", "failed"}:
        raise UnreadableError(f"{part.stage} {word[:40]!r} is no stage")
    message, details = told.get(part.message), told.get(part.details)
    return Outcome(
        command_id,
        stage,
        None if message is None else str(message),
        details if isinstance(details, dict) or details is None else {"value": details},
    )


def write_order(
    part: CommandPart, command_id: str, command: str, parameters: Mapping[str, Any]
) -> bytes:
    """Return what the device is told."""
    own = {"command_id": command_id, "command": command}
    if part.payload is None:
        return orjson.dumps({**own, "parameters": dict(parameters)})
    values: dict[str, Any] = {**parameters, **own}
    if part.payload.startswith("$") and part.payload[1:].strip("{}") in values:
        only = values[part.payload[1:].strip("{}")]
        # By itself a text needs no quotes.
        return only.encode() if isinstance(only, str) else orjson.dumps(only)
    written = {name: orjson.dumps(value).decode() for name, value in values.items()}
    return Template(part.payload).substitute(written).encode()


def _read_any(payload: bytes) -> Any:  # noqa: ANN401 - any JSON, or the text that it is.
    if not payload.strip():
        raise UnreadableError("empty")
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise UnreadableError(f"longer than {PAYLOAD_BYTES_MAX} bytes")
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        pass
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise UnreadableError("not text") from None


def _follow(whole: object, path: str) -> object:
    found = whole
    for name in path.split("."):
        if not isinstance(found, dict) or name not in found:
            raise UnreadableError(f"no field {path}")
        found = found[name]
    return found


def _read_time(part: TelemetryPart, whole: object) -> datetime | None:
    if part.time is None:
        return None
    try:
        return parse_time(str(_follow(whole, part.time)))
    except UnreadableError:
        raise
    except ValueError:
        raise UnreadableError(f"{part.time} is no time") from None


def _convert(found: object, data_type: str) -> Any:  # noqa: ANN401 - of the type that is asked for.
    match data_type:
        case "float" | "int":
            return _read_number(found, data_type)
        case "boolean":
            truth = _TRUTHS.get(str(found).strip().lower())
            if truth is None:
                raise UnreadableError("no truth")
            return truth
        case "string":
            return found if isinstance(found, str) else orjson.dumps(found).decode()
    if not isinstance(found, list if data_type == "array" else dict):
        raise UnreadableError(f"no {data_type}")
    return found


def _read_number(found: object, data_type: str) -> float | int:
    try:
        if isinstance(found, bool) or not isinstance(found, int | float | str):
            raise UnreadableError("no number")
        number = float(found)
    except (ValueError, OverflowError):
        raise UnreadableError("no number") from None
    if not isfinite(number) or (data_type == "int" and not number.is_integer()):
        raise UnreadableError(f"no {data_type}")
    return int(number) if data_type == "int" else number
