"""Truths: what really happened, which moments are held against.

    labels of the simulator, a line for each metric or channel ──┐
    moments that people called true or false ────────────────────┴─► Truth

A truth of the simulator is felt for a while after it is over; what begins within that is of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, get_args

import orjson

from core.errors import InvalidError
from core.moments import Direction, Moment
from core.times import parse_time
from core.tunings import STREAM_METRICS
from streaming.simulator.incidents import EFFECTS, IncidentKind

FADES: Final = 4
"""A fade is what an effect takes to fall to a third; after so many a raid is three in a hundred."""

RESOLUTION: Final = timedelta(minutes=1)
"""Moments are of minutes: the one in which things are normal again may still be unusual."""

EVENTS: Final = "events"
"""What a stream without any event is silent of."""

PEOPLE: Final = frozenset(STREAM_METRICS)
"""Metrics that an incident of a whole stream moves together."""

TYPES: Final[Mapping[tuple[str, str | None], tuple[str, ...]]] = {
    ("chat_count", "up"): ("chat_spike",),
    ("chat_count", "down"): ("chat_drop", "silence"),
    ("transaction_count", "up"): ("transaction_spike",),
    ("transaction_count", "down"): ("silence",),
    ("avg_viewers", "up"): ("viewer_spike",),
    ("avg_viewers", "down"): ("viewer_drop", "silence"),
    ("avg_sentiment", "up"): ("sentiment_shift",),
    ("avg_sentiment", "down"): ("sentiment_shift",),
}
"""Which moments tell of a metric that moves, first the one that should; of channels ``FAULTS``
says it."""

FAULTS: Final[Mapping[str, tuple[str, ...]]] = {
    "stuck": ("flatline", "reading_anomaly"),
    "dropout": ("silence", "reading_anomaly"),
}
ANOMALY: Final = ("reading_anomaly",)
"""Of any other fault."""

_KINDS: Final = frozenset(get_args(IncidentKind))


@dataclass(frozen=True, slots=True)
class Truth:
    """Something that happened to one metric or channel, or, if ``is_true`` is not, nothing."""

    incident_id: str
    kind: str
    stream_id: str
    metric: str
    """A metric, or the name of a channel."""

    types: tuple[str, ...]
    """Moments that would tell of it; the first is the one that should."""

    started_at: datetime
    ended_at: datetime
    felt_until: datetime
    direction: Direction | None = None
    magnitude: float | None = None
    is_true: bool = True
    of_person: bool = False
    """Whether somebody said so of a moment, and not the simulator of all that happened."""

    @property
    def is_channel(self) -> bool:
        """Whether it befell a channel, and not what people do."""
        return self.metric not in PEOPLE

    def overlaps(self, moment: Moment) -> bool:
        """Tell whether it was felt while a moment lasted; one without an end lasts."""
        over = moment.ended_at is None or moment.ended_at >= self.started_at
        return over and moment.started_at <= self.felt_until

    def is_told_by(self, moment: Moment) -> bool:
        """Tell whether a moment, at whatever time, is about this."""
        is_same = moment.metric_name == self.metric or self._is_of_all(moment)
        is_told = is_same and moment.moment_type in self.types
        return is_told and not self.contradicts(moment)

    def contradicts(self, moment: Moment) -> bool:
        """Tell whether a moment says of the same thing that it went the other way."""
        # A channel that falls may be told by its restlessness, which rises; and what falls silent
        # has no other direction.
        is_comparable = not (self.is_channel or self.of_person or moment.moment_type == "silence")
        is_same = moment.metric_name == self.metric and is_comparable
        return is_same and self.direction not in {None, moment.direction}

    def is_near(self, moment: Moment) -> bool:
        """Tell whether a moment is about this, or about what else its incident moves."""
        if self.of_person or self.metric not in PEOPLE:
            return moment.metric_name == self.metric and moment.moment_type in self.types
        return moment.metric_name in PEOPLE or self._is_of_all(moment)

    def _is_of_all(self, moment: Moment) -> bool:
        """Tell whether a moment says that a whole stream fell silent, people and all."""
        return moment.metric_name == EVENTS and not self.is_channel and not self.of_person


def read_truths(path: Path) -> list[Truth]:
    """Read the labels that the simulator wrote.

    Raises:
        InvalidError: The file cannot be read, or a line of it is no label.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InvalidError(f"{path} cannot be read: {error.strerror or error}.") from error
    truths = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            truths.append(read_label(orjson.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidError(
                f"Line {number} of {path} is no label of the simulator: {error}"
            ) from error
    return truths


def read_label(label: Mapping[str, Any]) -> Truth:
    """Return what one label says.

    Raises:
        KeyError: A field is missing.
        ValueError: A field is none of those that the simulator writes.
    """
    metric, channel, direction = label["metric"], label["channel"], label["direction"]
    kind, ended_at = label["kind"], parse_time(label["ended_at"])
    if kind not in _KINDS:
        raise ValueError(f"kind {kind!r} is unknown")
    if channel is None and (metric, direction) not in TYPES:
        raise ValueError(f"metric {metric!r} does not go {direction!r}")
    types = FAULTS.get(kind, ANOMALY) if channel is not None else TYPES[metric, direction]
    return Truth(
        incident_id=label["incident_id"],
        kind=kind,
        stream_id=label["stream_id"],
        metric=metric if channel is None else channel,
        types=types,
        started_at=parse_time(label["started_at"]),
        ended_at=ended_at,
        felt_until=ended_at + RESOLUTION + _find_fade(kind, metric),
        direction=direction,
        magnitude=label["magnitude"],
    )


def rename_streams(truths: Iterable[Truth], prefix: str) -> list[Truth]:
    """Return truths about streams whose names have something before them."""
    return [replace(truth, stream_id=prefix + truth.stream_id) for truth in truths]


def _find_fade(kind: IncidentKind, metric: str) -> timedelta:
    effect = EFFECTS.get(kind)
    if effect is None:
        return timedelta(0)
    fade_s = effect.viewers_fade_s if metric == "avg_viewers" else effect.chat_fade_s
    return timedelta(seconds=FADES * fade_s)
