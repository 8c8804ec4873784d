"""Scripts: commands for a device one after the other, with waits for what it measures, and pauses.

    name: warm up
    steps:
      - command: heat
        parameters: {celsius: 80}
      - wait: {telemetry: temperature, is: ">=", value: 79, within_seconds: 600}
      - pause: 5

Pure: a text becomes a script, or a list of what is wrong with it line by line. ``core.script_runs``
says what is to be done next; whoever runs a script does it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Final, TypeAlias, cast, get_args

import orjson
import yaml  # type: ignore[import-untyped,unused-ignore]

from core.commands import SECONDS_MAX
from core.conditions import Comparison, Condition
from core.device_schemas import find_parameter_faults
from core.devices import fill_defaults
from core.errors import FieldError, InvalidError
from core.yaml_texts import build_yaml, compose_yaml

STEPS_MAX: Final = 500
FAULTS_MAX: Final = 20
"""Of a text that are named; who has mended them sees the others."""

NAME_LENGTH_MAX: Final = 100

_COMPARISONS: Final = get_args(Comparison)
_KINDS: Final = ("command", "wait", "pause")
_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "command": frozenset({"command", "parameters", "timeout_seconds", "on_failure"}),
    "wait": frozenset({"wait", "on_failure"}),
    "pause": frozenset({"pause"}),
}
_WAIT_FIELDS: Final = frozenset({"telemetry", "is", "value", "tolerance", "within_seconds"})


@dataclass(frozen=True, slots=True)
class SendStep:
    """Have a command carried out, and wait for its end."""

    line: int
    command: str
    parameters: Mapping[str, Any]
    timeout_s: float | None
    """As the command's template says, when nothing is said."""

    goes_on: bool = False
    """Whether the script goes on when this fails."""

    def describe(self) -> str:
        """Return it in a few words."""
        given = ", ".join(f"{name}={value}" for name, value in self.parameters.items())
        return f"{self.command} {given}".strip()


@dataclass(frozen=True, slots=True)
class WaitStep:
    """Wait until the device measures something."""

    line: int
    condition: Condition
    within_s: float
    goes_on: bool = False

    def describe(self) -> str:
        """Return it in a few words."""
        asked = self.condition
        spread = f" ± {asked.tolerance:g}" if asked.comparison == "within" else ""
        return f"wait for {asked.telemetry} {asked.comparison} {asked.wanted}{spread}"


@dataclass(frozen=True, slots=True)
class PauseStep:
    """Let time pass."""

    line: int
    seconds: float
    goes_on: bool = False

    def describe(self) -> str:
        """Return it in a few words."""
        return f"pause {self.seconds:g} s"


Step: TypeAlias = SendStep | WaitStep | PauseStep


@dataclass(frozen=True, slots=True)
class Script:
    """What is to be done."""

    name: str | None
    steps: tuple[Step, ...]


def read_script(text: str) -> Script:
    """Read a script.

    Raises:
        InvalidError: It is none; ``errors`` names each line at fault.
    """
    root = compose_yaml(text)
    reading = _Reading()
    script = reading.read(root)
    if reading.faults or script is None:
        raise _refuse(reading.faults)
    return script


def check_script(
    script: Script, types: Mapping[str, Any], templates: Mapping[str, Mapping[str, Any]]
) -> None:
    """Hold a script against what a device registered.

    Raises:
        InvalidError: It asks for what the device does not know; ``errors`` names each line.
    """
    faults = []
    for step in script.steps:
        place = f"line {step.line}"
        if isinstance(step, WaitStep) and step.condition.telemetry not in types:
            faults.append(FieldError(place, f"no telemetry {step.condition.telemetry!r}"))
        if isinstance(step, SendStep):
            template = templates.get(step.command)
            if template is None:
                faults.append(FieldError(place, f"no command {step.command!r}"))
                continue
            given = fill_defaults(template, step.parameters)
            found = find_parameter_faults(template, given)
            faults += [FieldError(place, f"{each.field}: {each.reason}") for each in found]
    if faults:
        raise _refuse(faults)


def _refuse(faults: list[FieldError]) -> InvalidError:
    shown = faults[:FAULTS_MAX]
    text = "; ".join(f"{fault.field}: {fault.reason}" for fault in shown)
    more = f"; and {len(faults) - len(shown)} more" if len(faults) > len(shown) else ""
    return InvalidError(f"{text}{more}.", errors=shown)


@dataclass(slots=True)
class _Reading:
    """What was found wrong so far."""

    faults: list[FieldError] = field(default_factory=list)
    _faulty: set[int] = field(default_factory=set)
    """Nodes, by what tells them apart, of which one thing was said: the next follows from it."""

    def read(self, root: Any) -> Script | None:  # noqa: ANN401 - nodes carry no types.
        parts = self._open(root, frozenset({"name", "steps"}), "a script")
        if parts is None:
            return None
        name = self._read_name(parts["name"]) if "name" in parts else None
        steps = parts.get("steps")
        if not isinstance(steps, yaml.SequenceNode) or not steps.value:
            self._add(steps or root, "steps is a list of commands, waits and pauses")
            return None
        if len(steps.value) > STEPS_MAX:
            self._add(steps, f"more than {STEPS_MAX} steps")
            return None
        read = [self._read_step(node) for node in steps.value]
        return Script(name, tuple(step for step in read if step is not None))

    def _read_step(self, node: Any) -> Step | None:  # noqa: ANN401
        known = frozenset().union(*_FIELDS.values())
        parts = self._open(node, known, "a step")
        if parts is None:
            return None
        kinds = [kind for kind in _KINDS if kind in parts]
        if len(kinds) != 1:
            self._add(node, "a step is one command, one wait or one pause")
            return None
        if odd := sorted(parts.keys() - _FIELDS[kinds[0]]):
            self._add(parts[odd[0]], f"{odd[0]} is nothing of a {kinds[0]}")
            return None
        match kinds[0]:
            case "command":
                return self._read_command(node, parts)
            case "wait":
                return self._read_wait(node, parts)
        seconds = self._read_seconds(parts["pause"], "pause")
        return None if seconds is None else PauseStep(_line(node), seconds)

    def _read_command(self, node: Any, parts: dict[str, Any]) -> SendStep | None:  # noqa: ANN401
        command = self._read_text(parts["command"], "command")
        parameters = self._build(parts["parameters"]) if "parameters" in parts else {}
        if not isinstance(parameters, dict) or not all(isinstance(key, str) for key in parameters):
            self._add(parts["parameters"], "parameters is an object")
            return None
        timeout_s = None
        if "timeout_seconds" in parts:
            timeout_s = self._read_seconds(parts["timeout_seconds"], "timeout_seconds")
        goes_on = self._read_goes_on(parts)
        if command is None:
            return None
        return SendStep(_line(node), command, parameters, timeout_s, goes_on)

    def _read_wait(self, node: Any, parts: dict[str, Any]) -> WaitStep | None:  # noqa: ANN401
        asked = self._open(parts["wait"], _WAIT_FIELDS, "a wait")
        if asked is None:
            return None
        wanted = ("telemetry", "is", "value", "within_seconds")
        missing = [name for name in wanted if name not in asked]
        if missing:
            self._add(parts["wait"], f"{missing[0]} is missing")
            return None
        telemetry = self._read_text(asked["telemetry"], "telemetry")
        comparison = self._build(asked["is"])
        if comparison not in _COMPARISONS:
            self._add(asked["is"], f"is: one of {' '.join(_COMPARISONS)}")
        within_s = self._read_seconds(asked["within_seconds"], "within_seconds")
        value, tolerance = self._build(asked["value"]), 0.0
        if "tolerance" in asked:
            tolerance = self._read_seconds(asked["tolerance"], "tolerance") or 0.0
        if comparison == "within" and not _is_number(value):
            self._add(asked["value"], "within is for numbers")
        goes_on = self._read_goes_on(parts)
        if telemetry is None or within_s is None or comparison not in _COMPARISONS:
            return None
        condition = Condition(telemetry, cast("Comparison", comparison), value, tolerance)
        return WaitStep(_line(node), condition, within_s, goes_on)

    def _read_goes_on(self, parts: dict[str, Any]) -> bool:
        if "on_failure" not in parts:
            return False
        said = self._build(parts["on_failure"])
        if said not in ("stop", "continue"):
            self._add(parts["on_failure"], "on_failure is stop or continue")
        return bool(said == "continue")

    def _read_name(self, node: Any) -> str | None:  # noqa: ANN401
        return self._read_text(node, "name")

    def _read_text(self, node: Any, name: str) -> str | None:  # noqa: ANN401
        text = self._build(node)
        if not isinstance(text, str) or not 0 < len(text) <= NAME_LENGTH_MAX:
            self._add(node, f"{name} is a text of 1 to {NAME_LENGTH_MAX} letters")
            return None
        return text

    def _read_seconds(self, node: Any, name: str) -> float | None:  # noqa: ANN401
        number = self._build(node)
        if not _is_number(number) or not 0 < number <= SECONDS_MAX:
            self._add(node, f"{name} is a number above 0, {SECONDS_MAX:.0f} at most")
            return None
        return float(number)

    def _open(self, node: Any, known: frozenset[str], what: str) -> dict[str, Any] | None:  # noqa: ANN401
        """Return the nodes of an object by name."""
        if not isinstance(node, yaml.MappingNode):
            self._add(node, f"{what} is an object of {', '.join(sorted(known))}")
            return None
        parts: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
            if name not in known:
                self._add(key, f"{name[:40]!r} is none of {', '.join(sorted(known))}")
            elif name in parts:
                self._add(key, f"{name} stands here twice")
            else:
                parts[name] = value
        return parts

    def _build(self, node: Any) -> Any:  # noqa: ANN401 - any JSON.
        try:
            value = build_yaml(node)
            text = orjson.dumps(value)
        except InvalidError as error:
            self._add(node, error.detail)
        except orjson.JSONEncodeError:
            self._add(node, "it holds what cannot be sent: a number beyond 64 bits, or no text")
        else:
            if b"\\u0000" not in text:
                return value
            self._add(node, "it holds a null character")
        return None

    def _add(self, node: Any, reason: str) -> None:  # noqa: ANN401
        if id(node) in self._faulty:
            return
        self._faulty.add(id(node))
        line = 1 if node is None else _line(node)
        self.faults.append(FieldError(f"line {line}", reason))


def _line(node: Any) -> int:  # noqa: ANN401
    return int(node.start_mark.line) + 1


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
