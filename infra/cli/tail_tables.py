"""Tail tables: a followed stream as a picture of a terminal, or as lines for other programs."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from core.figures import (
    MISSING,
    write_count,
    write_measure,
    write_rate,
    write_signed,
)
from infra.cli.followed_streams import FollowedStream
from infra.cli.sparklines import draw_sparkline

CHATS_SHOWN: Final = 8

MEASURES: Final[tuple[tuple[str, str, Callable[[float | None], str], float | None], ...]] = (
    ("chat", "chat_rate", write_rate, 0.0),
    ("chatters", "unique_chatters", write_count, 0.0),
    ("viewers", "avg_viewers", write_count, None),
    ("mood", "avg_sentiment", write_signed, None),
)
"""Name, column, how it is written, and what a sparkline stands on."""

HEADS: Final = {
    "minute": ("messages", "rate_s", "chatters", "viewers", "mood", "z_score", "state"),
    "reading": ("channel", "value", "unit"),
    "moment": ("score", "state", "what"),
    "stream": ("state",),
}
"""What stands behind the time and the kind of a line."""

STATES: Final = {"live": "green", "silent": "yellow", "deleted": "red"}


def show_stream(followed: FollowedStream, *, is_connected: bool, now: datetime) -> RenderableType:
    """Return the picture of a stream."""
    parts: list[RenderableType] = [_show_head(followed, is_connected=is_connected, now=now)]
    parts += [_show_measures(followed), *_list_moments(followed), *_list_chats(followed)]
    return Group(*parts)


def write_heads() -> Iterator[str]:
    """Return what the columns of lines are."""
    for kind, columns in HEADS.items():
        yield "\t".join(("# time", kind, *columns))


def write_line(message: Mapping[str, Any]) -> str | None:
    """Return a message as one line of tabs; None when it has no line."""
    kind, told = message["type"], message.get("data", {})
    if kind == "minute":
        state = "unusual" if told["is_anomaly"] else "usual"
        names = ("chat_count", "chat_rate", "unique_chatters", "avg_viewers", "avg_sentiment")
        values = [_write_plain(told[name]) for name in (*names, "z_score")]
        return _join(told["window_start"], kind, *values, state)
    if kind == "reading":
        value = _write_plain(told["value"])
        return _join(told["timestamp"], kind, told["channel"], value, told["unit"] or "-")
    if kind == "moment":
        score = f"{told['score']:.2f}"
        return _join(told["started_at"], kind, score, told["state"], told["description"])
    if kind == "stream":
        return _join(message["timestamp"], kind, told["state"])
    return None


def _join(*cells: str) -> str:
    """Return cells with tabs between them, whatever a text has in it."""
    return "\t".join(" ".join(cell.split()) for cell in cells)


def _write_plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"


def _show_head(followed: FollowedStream, *, is_connected: bool, now: datetime) -> Text:
    text = Text(followed.stream_id, style="bold")
    if followed.title:
        text.append(f"  {followed.title}", style="dim")
    text.append(f"  {followed.state}", style=STATES.get(followed.state, ""))
    if not is_connected:
        text.append("  disconnected, trying again", style="bold red")
    if followed.dropped:
        text.append(f"  {followed.dropped} messages left out", style="yellow")
    text.append(f"  {now:%H:%M:%S} UTC", style="dim")
    return text


def _show_measures(followed: FollowedStream) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    table.add_column("now", justify="right")
    table.add_column("the last hour", no_wrap=True)
    newest = followed.newest
    for name, column, write, base in MEASURES:
        values = followed.list_values(column)
        if any(value is not None for value in values):
            now = write(newest[column] if newest else None)
            table.add_row(name, now, Text(draw_sparkline(values, base=base), style="cyan"))
    for name, told in followed.channels.items():
        unit = f" {told[-1]['unit']}" if told[-1]["unit"] else ""
        line = draw_sparkline([one["value"] for one in told])
        value = f"{write_measure(told[-1]['value'])}{unit}"
        table.add_row(Text(name), Text(value), Text(line, style="cyan"))
    if not table.row_count:
        table.add_row("", MISSING, "nothing in the last hour")
    return table


def _list_moments(followed: FollowedStream) -> Iterator[Text]:
    if followed.moments:
        yield Text("\nmoments", style="dim")
    for moment in followed.moments.values():
        is_over = moment["ended_at"] is not None
        began = datetime.fromisoformat(moment["started_at"])
        text = Text(f"{began:%H:%M}  {moment['score']:5.2f}  ", style="dim" if is_over else "bold")
        text.append(_clean(moment["description"]))
        text.append("  over" if is_over else f"  {moment['state']}", style="dim")
        yield text


def _list_chats(followed: FollowedStream) -> Iterator[Text]:
    chats = list(followed.chats)[-CHATS_SHOWN:]
    if chats:
        yield Text("\nchat", style="dim")
    for chat in chats:
        said_at = datetime.fromisoformat(chat["at"])
        text = Text(f"{said_at:%H:%M:%S}  ", style="dim", no_wrap=True, overflow="ellipsis")
        text.append(f"{_clean(chat['user'])}  ", style="bold not dim")
        text.append(_clean(chat["text"]), style="not dim")
        yield text


def _clean(text: str) -> str:
    """Return a text of somebody in which nothing steers the terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in text)
