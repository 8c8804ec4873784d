"""Overrides: what the flow judges by, and what of it a backtest may change, by name.

    --set baseline.strictness=1.5          a rule of the flow's policy
    --set strictness=2                      a field of a tuning, for all streams and metrics
    --set bench-*/temperature/strictness=2  the same, for some of them

A line in ``OVERRIDES`` or ``TUNED`` makes another one known.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from core.errors import InvalidError
from core.tunings import NO_TUNINGS, PATTERN, TuningRule, Tunings
from streaming.flow.shards import FlowPolicy


@dataclass(frozen=True, slots=True)
class Rules:
    """What a shard judges by."""

    policy: FlowPolicy
    tunings: Tunings = NO_TUNINGS


@dataclass(frozen=True, slots=True)
class Override:
    """A rule that may be changed."""

    section: str | None
    """The policy within the flow's policy; None of a field of a tuning."""

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


def _word(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"{', '.join(words[:-1])} or {words[-1]}")
        return text

    return read


def _minutes(least: int, most: int) -> Callable[[str], timedelta]:
    return lambda text: timedelta(minutes=_whole(least, most)(text))


def _seconds(least: int, most: int) -> Callable[[str], timedelta]:
    return lambda text: timedelta(seconds=_whole(least, most)(text))


OVERRIDES: Final[Mapping[str, Override]] = {
    "baseline.strictness": Override(
        "baseline", "strictness", _number(0.1, 100), "what all thresholds are multiplied by"
    ),
    "baseline.span_minutes": Override(
        "baseline", "span", _minutes(10, 1440), "minutes that a minute is measured against"
    ),
    "baseline.least": Override(
        "baseline", "least", _whole(2, 1440), "minutes without which nothing is measured"
    ),
    "lateness.silence_seconds": Override(
        "lateness", "silence", _seconds(1, 300), "seconds after which the clock closes a minute"
    ),
}

TUNED: Final[Mapping[str, Override]] = {
    "is_watched": Override(
        None,
        "is_watched",
        lambda text: _word("true", "false")(text) == "true",
        "whether it is judged",
    ),
    "strictness": Override(None, "strictness", _number(0.1, 100), "what every score is divided by"),
    "deviation_min": Override(
        None, "deviation_min", _number(0, 1e100), "what lies nearer is nothing unusual"
    ),
    "direction": Override(
        None, "direction", _word("both", "up", "down"), "which way a value must deviate"
    ),
    "merge_minutes": Override(
        None, "merge", _minutes(0, 60), "minutes of calm that do not part two moments"
    ),
    "cool_down_minutes": Override(
        None, "cool_down", _minutes(0, 1440), "minutes after a moment without another"
    ),
    "silence_after_seconds": Override(
        None, "silence_after", _seconds(5, 86_400), "seconds that a series may pause at least"
    ),
}
"""Fields of tunings, with units where the field has one."""

LAST: Final = "~set"
"""What the ids of these tunings begin with: of two for the same series the later id holds."""


def change_rules(rules: Rules, wishes: Iterable[str]) -> Rules:
    """Return rules with some changed, each named as ``name=value``.

    Raises:
        InvalidError: A name is unknown, or its value is not allowed.
    """
    for number, wish in enumerate(wishes):
        name, is_given, text = (part.strip() for part in wish.partition("="))
        *patterns, field = name.split("/")
        override = OVERRIDES.get(name) or TUNED.get(field)
        if override is None or not is_given or len(patterns) not in (0, 2):
            raise InvalidError(
                f"--set {wish}: it is NAME=VALUE or STREAM/METRIC/NAME=VALUE;"
                f" names are {', '.join((*OVERRIDES, *TUNED))}."
            )
        try:
            value = override.read(text)
        except ValueError as error:
            raise InvalidError(f"--set {wish}: {name} is {error}.") from None
        if override.section is not None:
            rules = replace(rules, policy=_change(rules.policy, override.section, override, value))
        else:
            rule = _make_rule(f"{LAST}-{number:04}", wish, patterns, {override.field: value})
            told = (*rules.tunings.rules, rule)
            rules = replace(rules, tunings=Tunings(told, rules.tunings.version + 1))
    return rules


def _change(policy: FlowPolicy, section: str, override: Override, value: object) -> FlowPolicy:
    before: Any = getattr(policy, section)
    changed: dict[str, Any] = {section: replace(before, **{override.field: value})}
    return replace(policy, **changed)


def _make_rule(
    tuning_id: str, wish: str, patterns: list[str], changes: Mapping[str, Any]
) -> TuningRule:
    stream, metric = patterns or ("*", "*")
    if not re.fullmatch(PATTERN, stream) or not re.fullmatch(PATTERN, metric):
        raise InvalidError(
            f"--set {wish}: a pattern is a name, with * for any part and ? for a sign."
        )
    return TuningRule(tuning_id, stream, metric, **changes)
