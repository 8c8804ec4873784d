"""Top tables: ranked streams as a picture of a terminal, or as lines for other programs."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from core.figures import MISSING, find_severity, write_count, write_rate, write_signed
from infra.cli.ranked_streams import RankedStream
from infra.cli.sparklines import draw_sparkline

HEADS: Final = ("time", "stream", "state", "rate_s", "viewers", "chatters", "mood", "score")

COLOURS: Final = {"low": "", "medium": "yellow", "high": "dark_orange", "critical": "bold red"}


def show_streams(
    ranked: Sequence[RankedStream], *, height: int, now: datetime, away: str | None
) -> RenderableType:
    """Return the picture of the first streams, and how many there are.

    Args:
        ranked: All of them, in order.
        height: How many there is room for.
        now: When they were read.
        away: Why the picture is older than it should be, if it is.
    """
    live = sum(stream.is_live for stream in ranked)
    head = Text(f"{live} live of {len(ranked)} streams", style="bold")
    head.append(f"  {now:%H:%M:%S} UTC", style="dim")
    if away is not None:
        head.append(f"  {away}", style="bold red")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("stream", "", "rate", "viewers", "chatters", "mood", "score", ""):
        is_number = title not in {"stream", ""}
        table.add_column(title, justify="right" if is_number else "left", no_wrap=True)
    for stream in ranked[:height]:
        table.add_row(*_list_cells(stream))
    return Group(head, table)


def write_lines(ranked: Sequence[RankedStream], now: datetime) -> Iterator[str]:
    """Return each stream as one line of tabs."""
    for stream in ranked:
        numbers = (stream.rate, stream.viewers, stream.chatters, stream.mood, stream.score)
        cells = ["-" if value is None else f"{value:.6g}" for value in numbers]
        state = "live" if stream.is_live else "silent"
        yield "\t".join((f"{now:%Y-%m-%dT%H:%M:%SZ}", stream.stream_id, state, *cells))


def _list_cells(stream: RankedStream) -> tuple[Text, ...]:
    score = Text(MISSING, style="dim")
    if stream.score is not None:
        score = Text(f"{stream.score:.2f}", style=COLOURS[find_severity(stream.score)])
    return (
        Text(stream.stream_id, overflow="ellipsis"),
        Text("live", style="green") if stream.is_live else Text("silent", style="dim"),
        Text(write_rate(stream.rate)),
        Text(write_count(stream.viewers)),
        Text(write_count(stream.chatters)),
        Text(write_signed(stream.mood)),
        score,
        Text(draw_sparkline(stream.rates, base=0.0), style="cyan"),
    )
