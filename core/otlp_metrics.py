"""OTLP metrics: what OpenTelemetry exports, into columns of readings.

    JSON -> protobuf -> a resource names the stream
                        a metric and the attributes of a point name the channel
                        gauge, sum          name
                        histogram           name.count  name.sum  name.min  name.max
                        summary             name.count  name.sum  name~quantile=0.5

Values are stored as they come: a cumulative sum is the sum so far, one of deltas is what was added.
Buckets are left out. Attributes of points stay bytes, looked up whole, as labels do in
``core.remote_writes``.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from typing import Any, Final, TypeAlias

import polars as pl
from opentelemetry.proto.metrics.v1 import metrics_pb2

from core.errors import TooLargeError
from core.events import TIMESTAMP, RejectedRow
from core.labels import Series, digest_name
from core.otlp_messages import METRICS
from core.otlp_names import SOURCES, Naming, PointPolicy
from core.wire_messages import parse

METRICS_MAX: Final = 50_000
"""Most resources, scopes and metrics of a request, together."""

POINTS_MAX: Final = 50_000
"""Most data points of a request, and quantiles of summaries; collectors send some 8 000. Each may
become four readings."""

TIME_NS_MAX: Final = 9 * 10**18
"""Times beyond the year 2255 count as that: no door lets them through, and none overflows."""

UNRECORDED: Final = metrics_pb2.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK

_Parts: TypeAlias = dict[str, Callable[[Any], float | None]]


@dataclass(frozen=True, slots=True)
class Points:
    """The data points of a request."""

    readings: pl.DataFrame
    """Columns of ``core.events.RAW_SCHEMA``, and ``index``, the same for all of one point."""

    refused: list[RejectedRow]
    names: pl.DataFrame
    """``index``, ``stream_id`` and ``channel``, to tell people which point."""

    unrecorded: int
    """Points that say that nothing was recorded."""


def read_metrics(body: bytes, policy: PointPolicy) -> Points:
    """Read an ExportMetricsServiceRequest in protobuf.

    Raises:
        BadRequestError: It is none.
        TooLargeError: It holds too many metrics or points.
    """
    rows = _Rows(policy)
    for source, metric in _list_metrics(parse(METRICS, body), policy):
        rows.add(source, metric)
    frame = rows.build()
    refused = frame.filter(pl.col("refusal").is_not_null()).unique("index", maintain_order=True)
    return Points(
        frame.filter(pl.col("refusal").is_null()).drop("refusal", "digest"),
        [RejectedRow(*row) for row in refused.select("index", "refusal").iter_rows()],
        frame.select("index", "stream_id", "channel"),
        unrecorded=rows.unrecorded,
    )


def _list_metrics(
    request: Any,  # noqa: ANN401 (made at run time)
    policy: PointPolicy,
) -> Iterator[tuple[Series, Any]]:
    """Return every metric with what its resource and its scope are called.

    Raises:
        TooLargeError: There are too many of any of them.
    """
    seen = len(request.resource_metrics)
    for group in request.resource_metrics:
        attributes = tuple(group.resource.attributes)
        seen += len(group.scope_metrics)
        for scoped in group.scope_metrics:
            seen += len(scoped.metrics)
            _refuse_more(seen, METRICS_MAX, "metrics")
            source = SOURCES.find(attributes, digest_name(scoped.scope.name), policy)
            for metric in scoped.metrics:
                yield source, metric
        _refuse_more(seen, METRICS_MAX, "metrics")


def _refuse_more(count: int, count_max: int, noun: str) -> None:
    if count > count_max:
        raise TooLargeError(f"There are more than {count_max} {noun}. Send fewer at once.")


def _read_number(point: Any) -> float:  # noqa: ANN401 (made at run time)
    kind = point.WhichOneof("value")
    return float(getattr(point, kind)) if kind else math.nan


def _read_optional(name: str, point: Any) -> float | None:  # noqa: ANN401 (made at run time)
    return getattr(point, name) if point.HasField(name) else None


_NUMBER: Final[_Parts] = {"": _read_number}
_DISTRIBUTION: Final[_Parts] = {
    ".count": attrgetter("count"),
    ".sum": partial(_read_optional, "sum"),
    ".min": partial(_read_optional, "min"),
    ".max": partial(_read_optional, "max"),
}
_PARTS: Final[dict[str, _Parts]] = {
    "gauge": _NUMBER,
    "sum": _NUMBER,
    "histogram": _DISTRIBUTION,
    "exponential_histogram": _DISTRIBUTION,
    "summary": {".count": attrgetter("count"), ".sum": attrgetter("sum")},
}
"""What a point of each kind of metric holds: the end of a channel, and how its value is found."""


@dataclass(slots=True)
class _Rows:
    """The columns of readings, as they grow metric by metric."""

    policy: PointPolicy
    series: list[Series] = field(default_factory=list)
    units: list[str | None] = field(default_factory=list)
    values: list[float | None] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    indexes: list[int] = field(default_factory=list)
    points: int = 0
    unrecorded: int = 0

    def add(self, source: Series, metric: Any) -> None:  # noqa: ANN401 (made at run time)
        """Take the points of a metric.

        Raises:
            TooLargeError: They are too many.
        """
        kind = metric.WhichOneof("data")
        if kind is None:
            return
        given = getattr(metric, kind).data_points
        _refuse_more(self.points + len(given), POINTS_MAX, "data points")
        points = [point for point in given if not point.flags & UNRECORDED]
        self.unrecorded += len(given) - len(points)
        naming = Naming.of(source, metric, self.policy)
        places = range(self.points, self.points + len(points))
        for end, read in _PARTS[kind].items():
            names = [naming.find(point, end) for point in points]
            self._extend(places, points, names, map(read, points))
        if kind == "summary":
            self._add_quantiles(naming, places, points)
        self.units.extend([metric.unit or None] * (len(self.values) - len(self.units)))
        self.points += len(points)

    def _add_quantiles(self, naming: "Naming", places: range, points: list[Any]) -> None:
        # One that is not a number has seen nothing.
        found = [
            (place, point, part)
            for place, point in zip(places, points, strict=True)
            for part in point.quantile_values
            if not math.isnan(part.value)
        ]
        _refuse_more(self.points + len(found), POINTS_MAX, "quantiles")
        names = [naming.find(point, "", str(part.quantile)) for _, point, part in found]
        values = (part.value for _, _, part in found)
        self._extend([place for place, _, _ in found], [p for _, p, _ in found], names, values)

    def _extend(
        self,
        places: Sequence[int],
        points: Sequence[Any],
        names: Iterable[Series],
        values: Iterable[float | None],
    ) -> None:
        self.series.extend(names)
        self.values.extend(values)
        self.indexes.extend(places)
        self.times.extend(point.time_unix_nano for point in points)

    def build(self) -> pl.DataFrame:
        """Return the readings of all points, those refused already with their refusal."""
        schema = dict.fromkeys(Series._fields, pl.String)
        times = pl.Series(self.times, dtype=pl.UInt64)
        frame = pl.DataFrame(self.series, schema=schema, orient="row").with_columns(
            index=pl.Series(self.indexes, dtype=pl.Int64),
            type=pl.lit("reading"),
            value=pl.Series(self.values, dtype=pl.Float64, strict=False),
            unit=pl.Series(self.units, dtype=pl.String),
            timestamp=(times.clip(upper_bound=TIME_NS_MAX) // 1000).cast(pl.Int64).cast(TIMESTAMP),
            id=pl.concat_str("digest", pl.lit("-"), times.cast(pl.String)),
        )
        return frame.filter(pl.col("value").is_not_null())
