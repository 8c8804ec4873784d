"""Watches: the commands that a device has in hand, and what telemetry has to show of them.

    result of the device ─┐
    points of the device ─┴─► what is said of a command, by whom: moves it, or is only noted

A condition of a stage counts only once the stages before it, as far as they have verifiers, are
reached: a heater that was warm already has not carried out a command that it never accepted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from core.commands import ENDS, STAGE_OF, STAGES, STATE_OF, Said, Stage, State
from core.conditions import Condition, read_condition

_PLACES: Final = {state: place for place, state in enumerate(State)}


@dataclass(slots=True)
class Watched:
    """A command in hand."""

    row: dict[str, Any]
    conditions: dict[Stage, Condition]
    """What telemetry has to show, by stage."""

    shown: Stage | None = None
    """What it has shown, and is about to be written."""

    def awaits(self, state: State) -> bool:
        """Tell whether a device's word for a state is not enough."""
        stage = STAGE_OF.get(state)
        return stage in self.conditions

    def find_due(self) -> tuple[Stage, Condition] | None:
        """Return the condition that counts now."""
        reached = _PLACES[State(self.row["state"])]
        for stage in STAGES:
            if _PLACES[STATE_OF[stage]] <= reached:
                continue
            if stage in self.conditions:
                return stage, self.conditions[stage]
            if stage in self.row["verifiers"]:
                return None
        return None


class Watches:
    """Of one device."""

    def __init__(self) -> None:
        self._by_id: dict[str, Watched] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, command_id: object) -> bool:
        return command_id in self._by_id

    def list_ids(self) -> list[str]:
        """Return the commands in hand."""
        return list(self._by_id)

    def put(self, row: dict[str, Any]) -> None:
        """Take a command in hand, or note where it is now; one that has ended is let go."""
        if State(row["state"]) in ENDS:
            self.drop(row["command_id"])
            return
        conditions: dict[Stage, Condition] = {}
        for stage in STAGES:
            verifier: Mapping[str, Any] | None = row["verifiers"].get(stage)
            condition = read_condition(verifier, row["parameters"]) if verifier else None
            if condition is not None:
                conditions[stage] = condition
        self._by_id[row["command_id"]] = Watched(row, conditions)

    def drop(self, command_id: str) -> None:
        """Let go of a command."""
        self._by_id.pop(command_id, None)

    def awaits(self, command_id: str, state: State) -> bool:
        """Tell whether a device's word for a state of a command is not enough."""
        watched = self._by_id.get(command_id)
        return watched is not None and watched.awaits(state)

    def look_at(self, name: str, value: object) -> Iterator[Said]:
        """Return what a point shows of commands."""
        for command_id, watched in self._by_id.items():
            due = watched.find_due()
            if due is None or due[1].telemetry != name or not due[1].holds(value):
                continue
            stage, _ = due
            if watched.shown == stage:
                continue
            watched.shown = stage
            message = f"{name} is {str(value)[:100]}."
            device_id = watched.row["device_id"]
            yield Said(device_id, command_id, STATE_OF[stage], "telemetry", message)
