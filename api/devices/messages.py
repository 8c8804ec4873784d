"""Messages: what a device says, one by one, and what is wrong with it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

import orjson

from core.commands import (
    COMMAND_ID_PATTERN,
    DETAILS_BYTES_MAX,
    MESSAGE_LENGTH_MAX,
    State,
)
from core.device_schemas import TelemetryTypes
from core.devices import POINTS_MAX
from core.errors import InvalidError
from core.events import TimePolicy
from core.times import parse_time

REPORTED: Final[Mapping[str, State]] = {
    state.value: state
    for state in (State.ACKNOWLEDGED, State.RUNNING, State.SUCCEEDED, State.FAILED)
}

_COMMAND_ID: Final = re.compile(COMMAND_ID_PATTERN)
_NULL: Final = b"\\u0000"


class Point(NamedTuple):
    """A point that fits its type."""

    id: str
    value: Any
    text: bytes
    """The value as JSON."""

    timestamp: datetime


@dataclass(slots=True)
class Points:
    """The good points of a message, and what is wrong with the others."""

    good: list[Point] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)


class Result(NamedTuple):
    """What a device says of a command."""

    command_id: str
    state: State
    message: str | None
    details: Any


def read_message(text: str | bytes | None) -> dict[str, Any]:
    """Return a message.

    Raises:
        InvalidError: It is none.
    """
    try:
        message = orjson.loads(text or b"")
    except orjson.JSONDecodeError:
        message = None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise InvalidError('A message is JSON text with a "type".')
    return message


def read_points(
    given: object, types: TelemetryTypes, *, now: datetime, policy: TimePolicy
) -> Points:
    """Return the points of a message.

    Raises:
        InvalidError: There is no list of points.
    """
    if not isinstance(given, list):
        raise InvalidError('points is a list of {"id", "value", "timestamp"}.')
    points = Points()
    for index, point in enumerate(given[:POINTS_MAX]):
        try:
            points.good.append(_read_point(point, types, now, policy))
        except ValueError as error:
            points.refused.append({"index": index, "reason": str(error)})
    if len(given) > POINTS_MAX:
        reason = f"and all after it: more than {POINTS_MAX} points in a message"
        points.refused.append({"index": POINTS_MAX, "reason": reason})
    return points


def read_result(message: Mapping[str, Any]) -> Result:
    """Return what a device says of a command.

    Raises:
        InvalidError: It is not said as it should be.
    """
    command_id, stage = message.get("command_id"), message.get("stage")
    if not isinstance(command_id, str) or not _COMMAND_ID.match(command_id):
        raise InvalidError("result: command_id is that of the command.")
    state = REPORTED.get(stage) if isinstance(stage, str) else None
    if state is None:
        raise InvalidError(f"result: stage is one of {', '.join(REPORTED)}.")
    return Result(command_id, state, *read_words(message))


def read_words(message: Mapping[str, Any]) -> tuple[str | None, Any]:
    """Return the message and the details of something that a device says, if they can be kept.

    Raises:
        InvalidError: They are too long, or hold a null character.
    """
    text, details = message.get("message"), message.get("details")
    if text is not None and not (isinstance(text, str) and len(text) <= MESSAGE_LENGTH_MAX):
        raise InvalidError(f"message is a text of at most {MESSAGE_LENGTH_MAX} letters.")
    both = orjson.dumps([text, details])
    if len(both) > DETAILS_BYTES_MAX + 4 * MESSAGE_LENGTH_MAX:
        raise InvalidError(f"details are at most {DETAILS_BYTES_MAX} bytes of JSON.")
    if _NULL in both:
        raise InvalidError("message and details hold no null character.")
    return text, details


def list_numbers(points: Points) -> Iterator[tuple[Point, float]]:
    """Return the points that are readings of a stream."""
    for point in points.good:
        if isinstance(point.value, int | float) and not isinstance(point.value, bool):
            yield point, float(point.value)


def _read_point(point: object, types: TelemetryTypes, now: datetime, policy: TimePolicy) -> Point:
    if not isinstance(point, dict):
        raise ValueError("a point is an object with id and value")  # noqa: TRY004 (its one fault)
    name, value = point.get("id"), point.get("value")
    if (fault := types.find_fault(name, value)) is not None:
        raise ValueError(fault)
    at = _read_time(point.get("timestamp"), now)
    if at < now - policy.past:
        raise ValueError(f"timestamp lies more than {policy.past.days} days in the past")
    if at > now + policy.ahead:
        raise ValueError(f"timestamp lies more than {policy.ahead} ahead")
    text = orjson.dumps(value)
    if _NULL in text:
        raise ValueError("value has a null character")
    return Point(str(name), value, text, at)


def _read_time(given: object, now: datetime) -> datetime:
    if given is None:
        return now
    if isinstance(given, str):
        return parse_time(given)
    if isinstance(given, int | float) and not isinstance(given, bool):
        return parse_time(str(given))
    raise ValueError("timestamp: a time is ISO 8601, as in 2026-01-26T10:32:15Z, or an epoch")
