"""Wishes: what somebody asks of a device, held against what it registered.

    asked + device ─► wish ─► db.commands        for whoever asks over HTTP, a socket or a script

Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from core.commands import PRIORITY_USUAL, Wish
from core.device_schemas import find_parameter_faults
from core.devices import fill_defaults
from core.errors import InvalidError, NotFoundError

NAMED_MAX: Final = 10
"""Commands that are named to whoever asks for another one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A command as it comes in."""

    command: str
    parameters: dict[str, Any] = field(default_factory=dict)
    priority: int = PRIORITY_USUAL
    deadline_seconds: float | None = None
    """As the command's template says, when nothing is said."""

    request_id: str | None = None


def make_wish(
    device: Mapping[str, Any], asked: Asked, *, now: datetime, seconds_usual: float
) -> Wish:
    """Return what a device is to do.

    Args:
        device: As it is stored.
        asked: What is asked for.
        now: When.
        seconds_usual: Until it is given up, where nobody says.

    Raises:
        NotFoundError: The device has no such command.
        InvalidError: The parameters do not fit.
    """
    templates = device["command_templates"]
    template = templates.get(asked.command)
    if template is None:
        known = ", ".join(sorted(templates)[:NAMED_MAX]) or "none"
        raise NotFoundError(
            f"{device['device_id']} has no command {asked.command!r}. It has: {known}."
        )
    parameters = fill_defaults(template, asked.parameters)
    faults = find_parameter_faults(template, parameters)
    if faults:
        text = "; ".join(f"{fault.field}: {fault.reason}" for fault in faults)
        raise InvalidError(text, errors=faults)
    seconds = asked.deadline_seconds or template.get("timeout_seconds") or seconds_usual
    return Wish(
        device_id=device["device_id"],
        command=asked.command,
        parameters=parameters,
        template=template,
        priority=asked.priority,
        deadline_at=now + timedelta(seconds=seconds),
        request_id=asked.request_id,
    )
