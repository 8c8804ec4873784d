"""Charts: curves and bars as SVG, for pages on which nothing runs.

    times and values -> Chart -> draw_chart -> <svg> with axes, gaps where nothing is, shaded spans

Colours are classes that the page gives; every text is escaped. Nothing here reads the clock.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Final

from core.figures import write_clock, write_day

WIDTH: Final = 720
HEIGHT: Final = 132
LEFT: Final = 52
"""Room for the numbers of the axis."""

RIGHT: Final = 8
TOP: Final = 8
BOTTOM: Final = 20
LINES_Y: Final = 3
LABELS_X: Final = 6

STEPS: Final[tuple[timedelta, ...]] = (
    *(timedelta(minutes=minutes) for minutes in (1, 5, 10, 15, 30)),
    *(timedelta(hours=hours) for hours in (1, 2, 3, 6, 12)),
    *(timedelta(days=days) for days in (1, 2, 7, 14, 30, 60, 90)),
)
"""What labels of the axis of time lie apart."""


@dataclass(frozen=True, slots=True)
class Line:
    """A curve."""

    name: str
    """Also the class that it is drawn with."""

    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Shade:
    """A span behind the curves."""

    start: datetime
    end: datetime
    name: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn over one period."""

    title: str
    """What it is, for who cannot see it."""

    start: datetime
    end: datetime
    width: timedelta
    """How much time a value tells of; further apart there is a gap."""

    times: Sequence[datetime]
    lines: Sequence[Line]
    shades: Sequence[Shade] = ()
    from_zero: bool = True
    is_bars: bool = False

    @property
    def span(self) -> timedelta:
        """How long the period is; never nothing."""
        return max(self.end - self.start, timedelta(seconds=1))


@dataclass(frozen=True, slots=True)
class Scale:
    """Numbers to heights."""

    least: float
    most: float
    step: float

    @classmethod
    def fit(cls, values: Sequence[float], *, from_zero: bool) -> "Scale":
        """Return a scale of round numbers with all values within."""
        least, most = min(values, default=0.0), max(values, default=1.0)
        least, most = (min(least, 0.0), max(most, 0.0)) if from_zero else (least, most)
        reach = most - least or abs(most) or 1.0
        step = _round_up(reach / LINES_Y)
        low = math.floor(least / step + 1e-9) * step
        return cls(low, max(math.ceil(most / step - 1e-9) * step, low + step), step)

    def place(self, value: float) -> float:
        """Return how far from the top a value is drawn."""
        share = (value - self.least) / (self.most - self.least)
        return TOP + (1 - share) * (HEIGHT - TOP - BOTTOM)

    def list_ticks(self) -> list[float]:
        """Return the values that have a line."""
        count = round((self.most - self.least) / self.step)
        return [self.least + number * self.step for number in range(count + 1)]


def draw_chart(chart: Chart) -> str:
    """Return a chart as SVG."""
    known = [value for line in chart.lines for value in line.values if value is not None]
    scale = Scale.fit(known, from_zero=chart.from_zero)
    parts = [
        *_draw_shades(chart),
        *_draw_grid(chart, scale),
        *(_draw_bars(chart, scale) if chart.is_bars else _draw_lines(chart, scale)),
    ]
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(chart.title)}">'
        f"{''.join(parts)}</svg>"
    )


def list_time_ticks(start: datetime, end: datetime) -> list[tuple[datetime, str]]:
    """Return the times that have a label, and the label: the date where a day begins."""
    step = next((step for step in STEPS if (end - start) / step <= LABELS_X), STEPS[-1])
    at = start + (_midnight(start) - start) % step
    ticks: list[tuple[datetime, str]] = []
    while at < end and len(ticks) <= 2 * LABELS_X:
        is_day = at == _midnight(at)
        ticks.append((at, write_day(at) if is_day else write_clock(at)))
        at += step
    return ticks


def write_ticks(ticks: Sequence[float]) -> list[str]:
    """Return the labels of one axis: all with the same unit and as many digits."""
    top = max((abs(tick) for tick in ticks), default=0.0)
    step = abs(ticks[1] - ticks[0]) if len(ticks) > 1 else top or 1.0
    unit, sign = (1e6, "M") if top >= 1e6 else (1e3, "k") if top >= 1e4 else (1.0, "")
    digits = max(0, min(6, math.ceil(-math.log10(step / unit) - 1e-9)))
    if abs(step / unit * 10**digits - round(step / unit * 10**digits)) > 1e-6:
        digits += 1
    labels = (f"{tick / unit:.{digits}f}".replace("-", "\u2212") + sign for tick in ticks)
    return [
        "0" if abs(tick) < step / 1e6 else label for tick, label in zip(ticks, labels, strict=True)
    ]


def _round_up(size: float) -> float:
    """Return the next of 1, 2, 2.5, 5 and 10 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(size))
    return next(each * power for each in (1, 2, 2.5, 5, 10) if each * power >= size * (1 - 1e-9))


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _find_x(chart: Chart, at: datetime) -> float:
    share = (at - chart.start) / chart.span
    return LEFT + min(max(share, 0.0), 1.0) * (WIDTH - LEFT - RIGHT)


def _draw_shades(chart: Chart) -> Iterator[str]:
    # See-through as one: where two lie over one another it is no darker.
    yield '<g class="shades">'
    for shade in chart.shades:
        x = _find_x(chart, shade.start)
        # What is short must be seen as well.
        width = max(_find_x(chart, shade.end) - x, 2)
        yield (
            f'<rect class="shade {escape(shade.name)}" x="{x:.1f}" y="{TOP}" width="{width:.1f}"'
            f' height="{HEIGHT - TOP - BOTTOM}"/>'
        )
    yield "</g>"


def _draw_grid(chart: Chart, scale: Scale) -> Iterator[str]:
    ticks = scale.list_ticks()
    for tick, label in zip(ticks, write_ticks(ticks), strict=True):
        y = scale.place(tick)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield _write(LEFT - 6, y + 3.5, label, anchor="end")
    for at, label in list_time_ticks(chart.start, chart.end):
        x = _find_x(chart, at)
        yield _write(x, HEIGHT - 6, label, anchor="middle")


def _write(x: float, y: float, label: str, *, anchor: str) -> str:
    return f'<text class="axis" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{label}</text>'


def _draw_lines(chart: Chart, scale: Scale) -> Iterator[str]:
    for line in chart.lines:
        path = " ".join(_list_steps(chart, scale, line))
        yield f'<path class="line {escape(line.name)}" d="{path}"/>'


def _list_steps(chart: Chart, scale: Scale, line: Line) -> Iterator[str]:
    """Yield a path in the middle of what each value tells of, broken at gaps."""
    drawn_at: datetime | None = None
    for at, value in zip(chart.times, line.values, strict=True):
        if value is None:
            drawn_at = None
            continue
        is_next = drawn_at is not None and at - drawn_at <= chart.width
        x, y = _find_x(chart, at + chart.width / 2), scale.place(value)
        # A value alone is a dot: its line has no length, and round ends.
        yield f"L{x:.1f} {y:.1f}" if is_next else f"M{x:.1f} {y:.1f}h0"
        drawn_at = at


def _draw_bars(chart: Chart, scale: Scale) -> Iterator[str]:
    floor = scale.place(0)
    for line in chart.lines:
        for at, value in zip(chart.times, line.values, strict=True):
            if not value:
                continue
            x, y = _find_x(chart, at), scale.place(value)
            width = max(_find_x(chart, at + chart.width) - x - 1, 1)
            yield (
                f'<rect class="bar {escape(line.name)}" x="{x:.1f}" y="{y:.1f}"'
                f' width="{width:.1f}" height="{max(floor - y, 0.5):.1f}"/>'
            )
