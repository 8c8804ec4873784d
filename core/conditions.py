"""Conditions: what telemetry has to show before a stage of a command counts as reached.

    {"telemetry": "heater", "is": "within", "value": 80, "tolerance": 0.5}
    {"telemetry": "mode", "is": "==", "value": {"parameter": "mode"}}

Pure. ``api.devices.watches`` holds each point of a device against those that wait for it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Final, Literal, TypeAlias, TypeGuard

Comparison: TypeAlias = Literal["==", "!=", "<", "<=", ">", ">=", "within"]

_TESTS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "==": eq,
    "!=": ne,
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
}
_ORDERED: Final = frozenset({"<", "<=", ">", ">="})


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison with the newest value of one id."""

    telemetry: str
    comparison: Comparison
    wanted: Any
    tolerance: float = 0.0

    def holds(self, value: object) -> bool:
        """Tell whether a value fulfils it; one of another kind never does, not even ``!=``."""
        if not _are_alike(value, self.wanted):
            return False
        if self.comparison == "within":
            return is_number(value) and abs(value - self.wanted) <= self.tolerance
        if self.comparison in _ORDERED and not (is_number(value) or isinstance(value, str)):
            return False
        return _TESTS[self.comparison](value, self.wanted)


def read_condition(verifier: Mapping[str, Any], parameters: Mapping[str, Any]) -> Condition | None:
    """Return the condition of a verifier; None where the device's own word counts."""
    if verifier.get("telemetry") is None:
        return None
    wanted = verifier["value"]
    if isinstance(wanted, dict) and wanted.keys() == {"parameter"}:
        wanted = parameters.get(wanted["parameter"])
    return Condition(
        verifier["telemetry"], verifier["is"], wanted, float(verifier.get("tolerance") or 0.0)
    )


def is_number(value: object) -> TypeGuard[float]:
    """Tell whether a value is a number; truths are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_alike(value: object, wanted: object) -> bool:
    return (is_number(value) and is_number(wanted)) or type(value) is type(wanted)
