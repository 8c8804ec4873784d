"""Pictures: a backtest as SVG, readable on a light and on a dark page.

a panel for each metric with moments or labels: its line, what was expected, and below it
lanes with the labels, the moments before, and those after
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Final

import numpy as np
import polars as pl

from core.moments import Moment
from core.rows import Floats
from core.times import EPOCH
from streaming.archive.recounts import Span
from streaming.backtest.rehearsals import Sighting
from streaming.backtest.reports import Report
from streaming.backtest.truths import Truth

WIDTH: Final = 960
LEFT: Final = 84
RIGHT: Final = 20
TOP: Final = 76
PANEL: Final = 150
PLOT: Final = 72
LANE: Final = 12
LANES_TOP: Final = PLOT + 8
BOTTOM: Final = 40

PANELS_MAX: Final = 24
"""A longer picture is looked at by nobody; the ones with most moments are drawn."""

COLUMNS: Final = WIDTH - LEFT - RIGHT
"""A line has at most the lowest and the highest minute of each."""

UNMEASURED: Final = frozenset({"silence", "flatline"})
"""What is expected of these is a pause, and no value."""

LEAST_BAR: Final = 2.0

STYLE: Final = """
text { font: 12px system-ui, sans-serif; fill: #1f2430 }
.title { font-size: 15px; font-weight: 600 }
.name { font-weight: 600 }
.quiet { font-size: 11px; fill: #667085 }
.grid { stroke: #e4e7ec }
.value { stroke: #1f2430; fill: none; stroke-width: 1.2 }
.expected { stroke: #98a2b3; fill: none; stroke-dasharray: 4 3 }
.label { fill: #12b76a }
.denied { fill: #d0d5dd }
.before { fill: #98a2b3 }
.after { fill: #2f6fed }
.withdrawn { fill-opacity: 0.35 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6e9ef }
  .quiet { fill: #98a2b3 }
  .grid { stroke: #333a47 }
  .value { stroke: #e6e9ef }
  .expected { stroke: #667085 }
  .label { fill: #32d583 }
  .denied { fill: #475467 }
  .before { fill: #667085 }
  .after { fill: #6ea0ff }
}
"""


@dataclass(frozen=True, slots=True)
class Panel:
    """One metric of one stream."""

    stream_id: str
    metric: str
    before: tuple[Sighting, ...]
    after: tuple[Sighting, ...] | None
    truths: tuple[Truth, ...]

    @property
    def weight(self) -> int:
        """How much there is to see."""
        return len(self.before) + len(self.after or ()) + len(self.truths)


@dataclass(frozen=True, slots=True)
class Axis:
    """Time from left to right."""

    span: Span

    def place(self, at: datetime) -> float:
        """Return where a time is, within the plot."""
        share = (at - self.span.start) / (self.span.end - self.span.start)
        return LEFT + min(max(share, 0.0), 1.0) * COLUMNS


def draw_picture(report: Report) -> str:
    """Return the picture of a backtest."""
    panels = choose_panels(report)
    drawn, axis = panels[:PANELS_MAX], Axis(report.outcome.span)
    height = TOP + PANEL * max(len(drawn), 1) + BOTTOM
    title = f"Backtest {axis.span.start:%Y-%m-%d %H:%M} to {axis.span.end:%Y-%m-%d %H:%M} UTC"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
        f' width="{WIDTH}" height="{height}" role="img" aria-label="{escape(title)}">',
        f"<style>{STYLE}</style>",
        f'<text class="title" x="16" y="26">{escape(title)}</text>',
        f'<text class="quiet" x="16" y="46">{escape(_describe(report, len(panels)))}</text>',
    ]
    curves = report.outcome.curves
    for number, panel in enumerate(drawn):
        parts += _draw_panel(panel, axis, TOP + PANEL * number, curves)
    if not drawn:
        parts.append(f'<text x="{LEFT}" y="{TOP + 40}">No moments, and no labels.</text>')
    parts += _draw_times(axis, height)
    return "\n".join([*parts, "</svg>", ""])


def choose_panels(report: Report) -> list[Panel]:
    """Return what there is to see, the most first, then by name."""
    outcome, truths = report.outcome, report.ground.truths
    keys = {_key_of(each.moment) for each in (*outcome.before, *(outcome.after or ()))}
    keys |= {(each.stream_id, each.metric) for each in truths if each.is_true}
    panels = [
        Panel(
            *key,
            _of(outcome.before, key),
            None if outcome.after is None else _of(outcome.after, key),
            tuple(each for each in truths if (each.stream_id, each.metric) == key),
        )
        for key in sorted(keys)
    ]
    return sorted(panels, key=lambda panel: -panel.weight)


def _key_of(moment: Moment) -> tuple[str, str]:
    return moment.stream_id, moment.metric_name


def _of(sightings: Iterable[Sighting], key: tuple[str, str]) -> tuple[Sighting, ...]:
    return tuple(each for each in sightings if _key_of(each.moment) == key)


def _describe(report: Report, panels: int) -> str:
    rules = f"after: {', '.join(report.changed)}" if report.changed else "no rule was changed"
    more = f"; {panels - PANELS_MAX} more metrics are not drawn" if panels > PANELS_MAX else ""
    return f"{rules}; line: value, dashes: what was expected instead of a moment{more}"


def _draw_panel(panel: Panel, axis: Axis, top: float, curves: pl.DataFrame | None) -> Iterator[str]:
    name = f"{panel.stream_id}: {panel.metric}"
    yield f'<text class="name" x="{LEFT}" y="{top - 4}">{escape(name)}</text>'
    if curves is not None:
        rows = curves.filter(
            pl.col("minute").is_between(axis.span.start, axis.span.end, closed="left"),
            stream_id=panel.stream_id,
            metric=panel.metric,
        )
        yield from _draw_lines(rows, panel, axis, top)
    lanes: list[tuple[str, Iterator[str]]] = [
        ("labels", _draw_truths(panel.truths, axis, top + LANES_TOP)),
        ("before", _draw_moments(panel.before, axis, top + LANES_TOP + LANE, "before")),
    ]
    if panel.after is not None:
        place = top + LANES_TOP + 2 * LANE
        lanes.append(("after", _draw_moments(panel.after, axis, place, "after")))
    for number, (title, bars) in enumerate(lanes):
        y = top + LANES_TOP + number * LANE
        yield f'<text class="quiet" x="{LEFT - 8}" y="{y + 9}" text-anchor="end">{title}</text>'
        yield from bars


def _draw_lines(rows: pl.DataFrame, panel: Panel, axis: Axis, top: float) -> Iterator[str]:
    known = rows.filter(pl.col("value").is_not_null())
    if known.is_empty():
        return
    values = known["value"].to_numpy()
    low, high = float(values.min()), float(values.max())
    reach = high - low or 1.0
    for y, value in ((top, high), (top + PLOT, low)):
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
        yield f'<text class="quiet" x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{value:.4g}</text>'
    begin, end = (_to_micros(at) for at in (axis.span.start, axis.span.end))
    xs = LEFT + (known["minute"].dt.epoch("us").to_numpy() - begin) / (end - begin) * COLUMNS
    ys = top + PLOT * (1 - (values - low) / reach)
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in _thin(xs, ys))
    yield f'<polyline class="value" points="{points}"/>'
    for each in panel.before:
        moment = each.moment
        if moment.moment_type in UNMEASURED or not low <= moment.expected <= high:
            continue
        y = top + PLOT * (1 - (moment.expected - low) / reach)
        x, until = axis.place(moment.started_at), axis.place(moment.ended_at or axis.span.end)
        yield f'<line class="expected" x1="{x:.1f}" x2="{until:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'


def _thin(xs: Floats, ys: Floats) -> Iterator[tuple[float, float]]:
    """Return a line without what falls into one column: of each the lowest and the highest."""
    if len(xs) <= 2 * COLUMNS:
        yield from zip(xs.tolist(), ys.tolist(), strict=True)
        return
    columns = xs.astype(np.int64)
    begins = np.flatnonzero(np.diff(columns, prepend=columns[0] - 1))
    lows = np.minimum.reduceat(ys, begins).tolist()
    highs = np.maximum.reduceat(ys, begins).tolist()
    for x, low, high in zip(xs[begins].tolist(), lows, highs, strict=True):
        yield x, low
        yield x, high


def _draw_truths(truths: Sequence[Truth], axis: Axis, y: float) -> Iterator[str]:
    for truth in truths:
        kind = "label" if truth.is_true else "denied"
        yield _draw_bar(axis, truth.started_at, truth.ended_at, (y, kind, truth.kind))


def _draw_moments(sightings: Sequence[Sighting], axis: Axis, y: float, kind: str) -> Iterator[str]:
    for each in sightings:
        moment = each.moment
        end = moment.ended_at or axis.span.end
        look = f"{kind} withdrawn" if each.is_withdrawn else kind
        text = f"{moment.moment_type}, score {moment.score:.2f}"
        yield _draw_bar(axis, moment.started_at, end, (y, look, text))


def _draw_bar(axis: Axis, begin: datetime, end: datetime, looks: tuple[float, str, str]) -> str:
    y, kind, text = looks
    x = axis.place(begin)
    width = max(axis.place(end) - x, LEAST_BAR)
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{LANE - 3}">'
        f"<title>{escape(text)}, {begin:%H:%M:%S}</title></rect>"
    )


def _to_micros(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def _draw_times(axis: Axis, height: float) -> Iterator[str]:
    length = axis.span.end - axis.span.start
    form = "%H:%M" if length <= timedelta(days=1) else "%m-%d %H:%M"
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        at, x = axis.span.start + share * length, LEFT + share * COLUMNS
        anchor = {0.0: "start", 1.0: "end"}.get(share, "middle")
        yield (
            f'<text class="quiet" x="{x:.1f}" y="{height - 14}" text-anchor="{anchor}">'
            f"{at:{form}}</text>"
        )
