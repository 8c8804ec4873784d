"""Tunings: what people change of how single series are judged.

    rules, the specific before the general -> what holds for one metric of one stream

A rule sets some fields for all streams and metrics that its patterns match. Where several match,
each field is taken from the most specific rule that sets it. ``db.tunings`` keeps the rules,
``api.tunings`` changes them, the flow judges by them.
"""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from fnmatch import translate
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias

Direction: TypeAlias = Literal["both", "up", "down"]

STREAM_METRICS: Final = ("chat_count", "avg_viewers", "avg_sentiment", "transaction_count")
"""What every stream may have; all else that is judged is a channel, by its name."""

RULES_MAX: Final = 1_000
"""Every flow process holds them all, and tries those with ``*`` on each stream it meets."""

PATTERN: Final = r"^[A-Za-z0-9_.:@~+=#*?-]{1,128}$"
"""A name (``core.events.NAME_PATTERN``), ``*`` for any part of one and ``?`` for any one sign."""

FOUND_MAX: Final = 200_000
"""Series, and streams, whose tuning is remembered; some 40 MB. Beyond, all are looked for again."""

STRICTNESS_MIN: Final = 0.1
STRICTNESS_MAX: Final = 100.0
"""Nothing real scores a hundred: not to watch a series is said as such."""

MERGE_MAX: Final = timedelta(hours=1)
COOL_DOWN_MAX: Final = timedelta(days=1)
SILENCE_MIN: Final = timedelta(seconds=5)
SILENCE_MAX: Final = timedelta(days=1)
"""Series are judged beside the hour before them; what takes longer than a day is another matter."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """How one metric of one stream is judged."""

    is_watched: bool = True
    """Whether it is judged at all."""

    strictness: float = 1.0
    """What every score is divided by: 2 asks for twice as much."""

    deviation_min: float = 0.0
    """What lies nearer than this to the expected value is nothing unusual, however steady the
    series; in the metric's own unit."""

    direction: Direction = "both"
    """Which way a value must deviate."""

    merge: timedelta = timedelta(minutes=3)
    """Moments with no more calm between them than this are one."""

    cool_down: timedelta = timedelta(minutes=5)
    """After an end no new moment of the kind opens for so long, unless it scores higher than the
    last one."""

    silence_after: timedelta = timedelta(seconds=30)
    """How long a series may pause at least before it is silent, however regular it is."""


UNTUNED: Final = Tuning()
"""What holds where no rule says otherwise."""

FIELDS: Final = tuple(field.name for field in fields(Tuning))


@dataclass(frozen=True, slots=True)
class TuningRule:
    """What is changed for all streams and metrics of a kind; None leaves a field as it is."""

    tuning_id: str
    stream_pattern: str = "*"
    metric_pattern: str = "*"
    is_watched: bool | None = None
    strictness: float | None = None
    deviation_min: float | None = None
    direction: Direction | None = None
    merge: timedelta | None = None
    cool_down: timedelta | None = None
    silence_after: timedelta | None = None

    @property
    def changes(self) -> dict[str, Any]:
        """The fields that it sets."""
        told = {name: getattr(self, name) for name in FIELDS}
        return {name: value for name, value in told.items() if value is not None}

    @property
    def specificity(self) -> tuple[bool, int, bool, int, str]:
        """By what rules are ordered: the greater, the more specific.

        A name before a pattern, more signs before fewer, the stream before the metric; at last the
        id, so that the order never depends on how the rules were read.
        """
        stream, metric = self.stream_pattern, self.metric_pattern
        return (
            not is_glob(stream),
            _count_literals(stream),
            not is_glob(metric),
            _count_literals(metric),
            self.tuning_id,
        )


@dataclass(frozen=True)
class Tunings:
    """All rules there are; never changed, only replaced."""

    rules: tuple[TuningRule, ...] = ()
    version: int = 0
    """Another number for other rules."""

    def find(self, stream_id: str, metric: str) -> Tuning:
        """Return what holds for a metric of a stream."""
        if not self.rules:
            return UNTUNED
        return self._book.find(stream_id, metric)

    @cached_property
    def _book(self) -> "_Book":
        return _Book(self.rules)

    def __reduce__(self) -> tuple[type["Tunings"], tuple[tuple[TuningRule, ...], int]]:
        """What was looked up stays out of a pickle."""
        return Tunings, (self.rules, self.version)


NO_TUNINGS: Final = Tunings()


class _Matcher:
    """A rule, ready to be tried."""

    def __init__(self, rule: TuningRule) -> None:
        # Compiled here: fnmatch itself remembers only some hundred patterns.
        self.stream = re.compile(translate(rule.stream_pattern))
        self.metric = re.compile(translate(rule.metric_pattern))
        self.changes = rule.changes


class _Book:
    """Rules by what they are about, and what was looked up in them."""

    def __init__(self, rules: Iterable[TuningRule]) -> None:
        # The general before the specific: what is told later replaces what was told before.
        ordered = sorted(rules, key=lambda rule: rule.specificity)
        self._globs: list[_Matcher] = []
        self._named: dict[str, list[_Matcher]] = {}
        for rule in ordered:
            if is_glob(rule.stream_pattern):
                self._globs.append(_Matcher(rule))
            else:
                self._named.setdefault(rule.stream_pattern, []).append(_Matcher(rule))
        self._of_stream: dict[str, list[_Matcher]] = {}
        self._found: dict[tuple[str, str], Tuning] = {}

    def find(self, stream_id: str, metric: str) -> Tuning:
        if (found := self._found.get((stream_id, metric))) is None:
            if len(self._found) >= FOUND_MAX:
                self._found.clear()
            found = self._merge(stream_id, metric)
            self._found[stream_id, metric] = found
        return found

    def _merge(self, stream_id: str, metric: str) -> Tuning:
        told: dict[str, Any] = {}
        for matcher in self._list_of_stream(stream_id):
            if matcher.metric.match(metric):
                told |= matcher.changes
        return replace(UNTUNED, **told) if told else UNTUNED

    def _list_of_stream(self, stream_id: str) -> list[_Matcher]:
        """Return the rules of a stream: its channels may be many, and share them."""
        if (rules := self._of_stream.get(stream_id)) is None:
            if len(self._of_stream) >= FOUND_MAX:
                self._of_stream.clear()
            matching = [rule for rule in self._globs if rule.stream.match(stream_id)]
            rules = matching + self._named.get(stream_id, [])
            self._of_stream[stream_id] = rules
        return rules


def make_tuning_id() -> str:
    """Return a new id of a rule."""
    return "tun_" + secrets.token_hex(8)


def is_glob(pattern: str) -> bool:
    """Whether a pattern may match more than one name."""
    return "*" in pattern or "?" in pattern


def _count_literals(pattern: str) -> int:
    return len(pattern) - pattern.count("*") - pattern.count("?")
