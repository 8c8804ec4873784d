"""Moment tables: moments and their lives, for people."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table

COLUMNS: Final = ("began (UTC)", "stream", "type", "score", "value", "state", "what", "id")

WIDTH_PIPED: Final = 200
"""Where no terminal says how wide it may be: no name is folded."""


def open_console() -> Console:
    """Return where tables are printed."""
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH_PIPED)


def print_moments(console: Console, moments: Iterable[Mapping[str, Any]]) -> None:
    """Print moments as a table."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in COLUMNS:
        # An id that is folded cannot be copied.
        table.add_column(title, overflow="fold", no_wrap=title == "id")
    for moment in moments:
        table.add_row(*(_quote(text) for text in list_cells(moment)))
    console.print(table)


def print_line(console: Console, moment: Mapping[str, Any]) -> None:
    """Print one moment as a line."""
    console.print("  ".join(list_cells(moment)), markup=False, highlight=False, soft_wrap=True)


def print_life(console: Console, moment: Mapping[str, Any]) -> None:
    """Print everything about a moment."""
    facts = {
        "id": moment["moment_id"],
        "stream": moment["stream_id"],
        "type": f"{moment['moment_type']} of {moment['metric_name']}, {moment['direction']}",
        "began": _write_time(moment["started_at"]),
        "peak": _write_time(moment["peak_at"]),
        "ended": _write_time(moment["ended_at"]) if moment["ended_at"] else "not yet",
        "score": f"{moment['score']:.2f}",
        "value": _write_value(moment),
        "state": _write_state(moment),
        "label": {None: "none", True: "true", False: "false"}[moment["label"]],
        "what": moment["description"],
    }
    lines = [f"{name:<8}{text}" for name, text in facts.items()]
    lines += [f"{'because':<8}{_write_reason(reason)}" for reason in moment["reasons"]]
    lines += [f"{'life':<8}{_write_entry(entry)}" for entry in moment["life"]]
    lines.append(f"{'may':<8}{', '.join(moment['legal'])}")
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def list_cells(moment: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the texts of a moment, in the order of the columns."""
    return (
        _write_time(moment["started_at"]),
        moment["stream_id"],
        moment["moment_type"],
        f"{moment['score']:.2f}",
        _write_value(moment),
        _write_state(moment),
        moment["description"],
        moment["moment_id"],
    )


def _write_value(moment: Mapping[str, Any]) -> str:
    return f"{moment['metric_value']:.4g} against {moment['expected']:.4g}"


def _write_state(moment: Mapping[str, Any]) -> str:
    state = str(moment["state"])
    if moment["shelved_until"]:
        state += f" until {_write_time(moment['shelved_until'])}"
    if (moment.get("metadata") or {}).get("withdrawn"):
        return f"{state}, withdrawn"
    return state if moment["ended_at"] is None else f"{state}, over"


def _write_reason(reason: object) -> str:
    """Return a reason as one line: its text, and of a message whose it is."""
    if not isinstance(reason, Mapping) or not reason.get("text"):
        return str(reason)
    said_by = f"{reason.get('name')}: " if reason.get("kind") == "message" else ""
    return f"{said_by}{reason['text']}"


def _write_entry(entry: Mapping[str, Any]) -> str:
    did = [entry["action"]] if entry["action"] else []
    if entry["is_labelled"]:
        did.append(f"label {'none' if entry['label'] is None else str(entry['label']).lower()}")
    said = f": {entry['comment']}" if entry["comment"] else ""
    return f"{_write_time(entry['at'])} {entry['actor_name']} {', '.join(did) or 'said'}{said}"


def _write_time(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M}"


def _quote(text: str) -> str:
    """Return a text in which brackets mean nothing."""
    return text.replace("[", r"\[")
