"""Sparklines: a row of numbers as one line of a terminal, eight heights, gaps where nothing is."""

from collections.abc import Sequence
from typing import Final

HEIGHTS: Final = "▁▂▃▄▅▆▇█"
GAP: Final = " "


def draw_sparkline(values: Sequence[float | None], *, base: float | None = None) -> str:
    """Return numbers as heights, between the lowest, or a base below it, and the highest."""
    known = [value for value in values if value is not None]
    if not known:
        return GAP * len(values)
    least, most = min(known if base is None else [*known, base]), max(known)
    reach = most - least
    return "".join(GAP if value is None else _find_height(value - least, reach) for value in values)


def _find_height(above: float, reach: float) -> str:
    share = above / reach if reach > 0 else 0.5
    return HEIGHTS[min(int(share * len(HEIGHTS)), len(HEIGHTS) - 1)]
