"""Curves: how a run went over time, as SVG inside the page, in the page's own colours."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from loadtest.bench.charts import choose_ticks, write_number

WIDTH: Final = 520
HEIGHT: Final = 170
LEFT: Final = 46
RIGHT: Final = 10
TOP: Final = 12
BOTTOM: Final = 24


@dataclass(frozen=True, slots=True)
class Curve:
    """One line; where nothing was measured there is a hole."""

    label: str
    values: Sequence[float | None]


def draw_curves(title: str, unit: str, times: Sequence[float], curves: Sequence[Curve]) -> str:
    """Return a chart with its legend; curves are told apart by colour and by dash."""
    most = max((value for curve in curves for value in curve.values if value), default=0.0)
    ticks = choose_ticks(most)
    span_s = times[-1] if times and times[-1] > 0 else 1.0
    x_scale = (WIDTH - LEFT - RIGHT) / span_s
    y_scale = (HEIGHT - TOP - BOTTOM) / ticks[-1]
    foot = HEIGHT - BOTTOM
    parts = [_draw_grid(foot - tick * y_scale, write_number(tick)) for tick in ticks]
    for number, curve in enumerate(curves):
        points = [
            None if value is None else (LEFT + at * x_scale, foot - value * y_scale)
            for at, value in zip(times, curve.values, strict=True)
        ]
        parts.append(f'<path class="curve c{number}" d="{_draw_path(points)}"/>')
    legend = "".join(
        f'<span class="key k{number}">{escape(curve.label)}</span>'
        for number, curve in enumerate(curves)
    )
    return (
        f"<figure><figcaption><b>{escape(title)}</b> <i>{escape(unit)}</i>{legend}</figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}"
        f'<text x="{LEFT}" y="{HEIGHT - 6}">0 s</text>'
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 6}" text-anchor="end">{span_s:.0f} s</text>'
        "</svg></figure>"
    )


def _draw_grid(y: float, label: str) -> str:
    return (
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(label)}</text>'
    )


def _draw_path(points: Sequence[tuple[float, float] | None]) -> str:
    steps = []
    is_down = False
    for point in points:
        if point is not None:
            steps.append(f"{'L' if is_down else 'M'}{point[0]:.1f} {point[1]:.1f}")
        is_down = point is not None
    return "".join(steps)
