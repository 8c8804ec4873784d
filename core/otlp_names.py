"""OTLP names: the stream of a resource, and the channels of the points of a metric.

Used by ``core.otlp_metrics``; how names are written is said in ``core.labels``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import orjson
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError

from core.labels import Series, SeriesNames, digest_name, name_stream
from core.otlp_messages import ATTRIBUTE
from core.safe_names import make_channel

NAME_LENGTH_MAX: Final = 255
"""Longest name of a metric, as OpenTelemetry has it."""


@dataclass(frozen=True, slots=True)
class PointPolicy:
    """Decides which stream and which channel a data point becomes."""

    stream_attributes: tuple[str, ...] = ("telemetra.stream_id", "service.name", "host.name")
    """The first of these that a resource has names the stream."""

    stream: str = "otlp"
    """The stream of resources that have none of them."""

    left_out: frozenset[str] = frozenset()
    """Attributes of points that channels are not named after."""


@dataclass(frozen=True, slots=True)
class Naming:
    """Names the points of one metric."""

    source: Series
    name: str
    policy: PointPolicy

    @classmethod
    def of(cls, source: Series, metric: Any, policy: PointPolicy) -> "Naming":  # noqa: ANN401
        """Return the naming of a metric."""
        if len(metric.name) > NAME_LENGTH_MAX:
            # It would fill the memory of names.
            long = Series(refusal=f"the metric's name is longer than {NAME_LENGTH_MAX}")
            return cls(long, "", policy)
        return cls(source, metric.name, policy)

    def find(self, point: Any, end: str, quantile: str = "") -> Series:  # noqa: ANN401
        """Return what a part of a point is called."""
        name = self.name and self.name + end
        return NAMES.find(tuple(point.attributes), name, quantile, self.source, self.policy)


def _name_source(attributes: tuple[bytes, ...], scope: str, policy: PointPolicy) -> Series:
    """Name the stream of a resource; its digest tells sources apart that share a stream."""
    try:
        pairs = _read_attributes(attributes)
    except DecodeError:
        return Series(refusal="an attribute of the resource cannot be read")
    stream_id, _ = name_stream(dict(pairs), policy.stream_attributes, policy.stream)
    exact = "\x1f".join([scope, *chain.from_iterable(sorted(pairs))])
    return Series(stream_id, digest=digest_name(exact))


def _name_point(
    attributes: tuple[bytes, ...], name: str, quantile: str, source: Series, policy: PointPolicy
) -> Series:
    """Name the channel of a point of a metric."""
    if not name or source.refusal:
        return Series(refusal=source.refusal or "the metric has no name")
    try:
        pairs = _read_attributes(attributes)
    except DecodeError:
        return Series(source.stream_id, refusal="an attribute cannot be read")
    if quantile:
        pairs.append(("quantile", quantile))
    channel = make_channel(name, [pair for pair in pairs if pair[0] not in policy.left_out])
    exact = "\x1f".join([str(source.digest), name, *chain.from_iterable(sorted(pairs))])
    return Series(source.stream_id, channel, digest_name(exact))


SOURCES: Final = SeriesNames(_name_source)
NAMES: Final = SeriesNames(_name_point)


def _read_attributes(attributes: Iterable[bytes]) -> list[tuple[str, str]]:
    """Read attributes; their values become texts.

    Raises:
        DecodeError: One of them is none.
    """
    read = map(ATTRIBUTE.FromString, attributes)
    return [(pair.key, _write_value(pair.value)) for pair in read]


def _write_value(value: Any) -> str:  # noqa: ANN401 (made at run time)
    kind = value.WhichOneof("value")
    if kind is None:
        return ""
    if kind in {"array_value", "kvlist_value", "bytes_value"}:
        return orjson.dumps(MessageToDict(value)).decode()
    found = getattr(value, kind)
    return str(found).lower() if kind == "bool_value" else str(found)
