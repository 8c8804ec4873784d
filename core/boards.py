"""Boards: charts of any streams under one name, kept for everybody who may read.

    charts in their order, each with a width and a height -> a grid of 12 columns, filled row by row

Pure. ``db.boards`` keeps boards, ``api.boards`` changes them, the page draws them. Where a chart
stands follows from the order and the sizes: no two can overlap, and a phone shows the same order.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

StreamChartKind: TypeAlias = Literal["chat", "viewers", "sentiment", "transactions"]
"""What is drawn of a stream itself; beside these there is ``channel``."""

BOARDS_MAX: Final = 200
"""More names nobody finds in a list; with full boards they are some 2 MB."""

CHARTS_MAX: Final = 40
"""Of one board: twice what a page draws smoothly at once, as half of them are off screen."""

COLUMNS: Final = 12
WIDTH_MIN: Final = 3
"""Columns; narrower, a chart has no room for its axis on a desktop."""

HEIGHT_MAX: Final = 4
"""Rows of the grid; a chart of four fills a screen."""

RANGE_S_MIN: Final = 300
RANGE_S_MAX: Final = 366 * 86_400
"""From five minutes to a year, a leap year too: what charts can show."""

OffsetS: TypeAlias = Literal[3_600, 86_400, 604_800]
"""Seconds that a chart is compared with: the hour, the day, the week before."""

TEXT_LENGTH_MAX: Final = 100
"""Signs of a name or a title; both stand on one line."""

_SIGN: Final = r"[^\x00-\x1f\x7f-\x9f]"
TEXT_PATTERN: Final = rf"^{_SIGN}*[^\x00-\x20\x7f-\xa0]{_SIGN}*$"
"""One line on which something stands."""

CHART_ID_PATTERN: Final = r"^[A-Za-z0-9_-]{1,32}$"
"""Chosen by whoever pins the chart, so that a request sent twice pins it once."""

HIDDEN: Final = "hidden"
"""The kind of a chart of streams out of the caller's reach."""

Chart: TypeAlias = Mapping[str, Any]


def make_board_id() -> str:
    """Return a new id of a board."""
    return "brd_" + secrets.token_hex(8)


def find_twice(charts: Iterable[Chart]) -> str | None:
    """Return an id that two charts have; None when each has its own."""
    counts = Counter(chart["chart_id"] for chart in charts)
    return next((chart_id for chart_id, count in counts.items() if count > 1), None)


def hide_charts(charts: Sequence[Chart], allows_stream: Callable[[str], bool]) -> list[Chart]:
    """Return charts as a caller may see them: of those out of reach only the place is left."""
    return [
        chart if all(map(allows_stream, list_streams(chart))) else _hide(chart) for chart in charts
    ]


def list_streams(chart: Chart) -> list[str]:
    """Return the streams that a chart draws: its own, and the one beside it."""
    beside = (chart["compare"] or {}).get("stream_id")
    return [chart["stream_id"]] if beside is None else [chart["stream_id"], beside]


def _hide(chart: Chart) -> Chart:
    place = {name: chart[name] for name in ("chart_id", "width", "height")}
    return {**place, "kind": HIDDEN}
