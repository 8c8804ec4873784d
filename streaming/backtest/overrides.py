"""Overrides: rules of the flow that a backtest may change, by name.

    --set spike.threshold=5 -> spike, threshold, 5.0 -> the policy with that one rule changed

A rule is changed by its place in ``FlowPolicy``; a line in ``OVERRIDES`` makes another one known.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from core.errors import InvalidError
from streaming.flow.shards import FlowPolicy


@dataclass(frozen=True, slots=True)
class Override:
    """A rule that may be changed."""

    section: str
    """The policy within the flow's policy."""

    field: str
    read: Callable[[str], object]
    """Raises ``ValueError`` with what is allowed."""

    meaning: str


def _number(least: float, most: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise ValueError(f"a number from {least:g} to {most:g}")
        return value

    return read


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(text)

    return read


def _minutes(least: int, most: int) -> Callable[[str], timedelta]:
    return lambda text: timedelta(minutes=_whole(least, most)(text))


def _seconds(least: int, most: int) -> Callable[[str], timedelta]:
    return lambda text: timedelta(seconds=_whole(least, most)(text))


OVERRIDES: Final[Mapping[str, Override]] = {
    "baseline.threshold": Override(
        "baseline", "threshold", _number(0.5, 100), "spreads from which a minute is an anomaly"
    ),
    "baseline.span_minutes": Override(
        "baseline", "span", _minutes(10, 1440), "minutes that a minute is measured against"
    ),
    "baseline.least": Override(
        "baseline", "least", _whole(2, 1440), "minutes without which nothing is measured"
    ),
    "spike.threshold": Override(
        "spike", "threshold", _number(0.5, 100), "spreads from which a minute is a spike"
    ),
    "spike.least_count": Override(
        "spike", "least_count", _whole(0, 1_000_000), "messages without which it is none"
    ),
    "spike.merge_minutes": Override(
        "spike", "merge", _minutes(0, 60), "minutes of calm that do not part two spikes"
    ),
    "lateness.silence_seconds": Override(
        "lateness", "silence", _seconds(1, 300), "seconds after which the clock closes a minute"
    ),
}


def change_policy(policy: FlowPolicy, wishes: Iterable[str]) -> FlowPolicy:
    """Return a policy with rules changed, each named as ``name=value``.

    Raises:
        InvalidError: A name is unknown, or its value is not allowed.
    """
    for wish in wishes:
        name, is_given, text = wish.partition("=")
        override = OVERRIDES.get(name.strip())
        if override is None or not is_given:
            raise InvalidError(
                f"--set {wish}: it is name=value; names are {', '.join(sorted(OVERRIDES))}."
            )
        try:
            value = override.read(text.strip())
        except ValueError as error:
            raise InvalidError(f"--set {wish}: {name.strip()} is {error}.") from None
        policy = _change(policy, override, value)
    return policy


def _change(policy: FlowPolicy, override: Override, value: object) -> FlowPolicy:
    section: Any = getattr(policy, override.section)
    changed: dict[str, Any] = {override.section: replace(section, **{override.field: value})}
    return replace(policy, **changed)
