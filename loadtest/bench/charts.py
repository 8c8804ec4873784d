"""Charts: horizontal bars as SVG, readable on a light and on a dark page.

Colours follow the reader's scheme; the line through a bar's end spans all rounds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from typing import Final

WIDTH: Final = 760
LABEL_WIDTH: Final = 250
VALUE_WIDTH: Final = 100
ROW_HEIGHT: Final = 34
BAR_HEIGHT: Final = 18
TOP: Final = 52
BOTTOM: Final = 34

STYLE: Final = """
text { font: 13px system-ui, sans-serif; fill: #1f2430 }
.title { font-size: 15px; font-weight: 600 }
.quiet { font-size: 11px; fill: #667085 }
.grid { stroke: #e4e7ec }
.peer { fill: #98a2b3 }
.ours { fill: #2f6fed }
.span { stroke: #1f2430; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6e9ef }
  .quiet { fill: #98a2b3 }
  .grid { stroke: #333a47 }
  .peer { fill: #667085 }
  .ours { fill: #6ea0ff }
  .span { stroke: #e6e9ef }
}
"""


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a chart."""

    label: str
    value: float
    least: float
    most: float
    is_ours: bool


def draw_bars(title: str, unit: str, bars: Sequence[Bar]) -> str:
    """Return a chart of at least one bar, the order kept."""
    ticks = choose_ticks(max(bar.most for bar in bars))
    scale = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / ticks[-1]
    height = TOP + ROW_HEIGHT * len(bars) + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
        f' width="{WIDTH}" height="{height}" role="img" aria-label="{escape(title)}">',
        f"<style>{STYLE}</style>",
        f'<text class="title" x="16" y="26">{escape(title)}</text>',
        *(_draw_tick(tick, LABEL_WIDTH + tick * scale, height) for tick in ticks),
        f'<text class="quiet" x="{WIDTH - 16}" y="{height - BOTTOM + 16}" text-anchor="end">'
        f"{escape(unit)}</text>",
    ]
    for row, bar in enumerate(bars):
        parts.append(_draw_bar(bar, TOP + ROW_HEIGHT * row + ROW_HEIGHT / 2, scale))
    return "\n".join([*parts, "</svg>", ""])


def choose_ticks(most: float) -> list[float]:
    """Return three to six round numbers from 0 to at least the largest value."""
    if most <= 0:
        return [0.0, 1.0]
    size = 10.0 ** floor(log10(most))
    step = next(size * part for part in (0.2, 0.5, 1, 2, 5) if most / (size * part) <= 5)
    return [step * number for number in range(ceil(round(most / step, 9)) + 1)]


def write_number(value: float) -> str:
    """Return a number as short as a label needs it."""
    for size, letter in ((1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def _draw_tick(tick: float, x: float, height: int) -> str:
    foot = height - BOTTOM
    return (
        f'<line class="grid" x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{foot}"/>'
        f'<text class="quiet" x="{x:.1f}" y="{foot + 16}" text-anchor="middle">'
        f"{write_number(tick)}</text>"
    )


def _draw_bar(bar: Bar, middle: float, scale: float) -> str:
    end = LABEL_WIDTH + bar.value * scale
    least, most = (LABEL_WIDTH + value * scale for value in (bar.least, bar.most))
    kind = "ours" if bar.is_ours else "peer"
    return (
        f'<text x="{LABEL_WIDTH - 10}" y="{middle + 4.5:.1f}" text-anchor="end">'
        f"{escape(bar.label)}</text>"
        f'<rect class="{kind}" x="{LABEL_WIDTH}" y="{middle - BAR_HEIGHT / 2:.1f}"'
        f' width="{end - LABEL_WIDTH:.1f}" height="{BAR_HEIGHT}" rx="3"/>'
        f'<path class="span" d="M{least:.1f} {middle:.1f}H{most:.1f}"/>'
        f'<text x="{max(end, most) + 8:.1f}" y="{middle + 4.5:.1f}">'
        f"{write_number(bar.value)}</text>"
    )
