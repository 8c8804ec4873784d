"""Device tables: devices, what they tell, and steps of scripts, as lines for people."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import orjson
from rich import box
from rich.console import Console
from rich.table import Table

from core.script_runs import Outcome

Row = Mapping[str, Any]

_TIME: Final = slice(11, 23)
"""Of a time, as far as it matters to who watches."""


def print_devices(console: Console, rows: Iterable[Row]) -> None:
    """Print devices and whether they are there."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("id", "title", "kind", "link", "last heard", "types", "commands"):
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(
            row["device_id"],
            row["title"] or "",
            row["kind"] or "",
            row["link"],
            row["last_seen_at"][:19],
            str(row["telemetry_types"]),
            str(row["command_templates"]),
        )
    console.print(table)


def write_show(told: Row) -> Iterator[str]:
    """Write what a device measures and what it can do."""
    yield f"{told['device_id']}  {told['title'] or ''}  {told['link']}".rstrip()
    yield "measures"
    for name, kind in told["telemetry_types"].items():
        yield f"  {name}  {_describe(kind, kind['data_type'])}".rstrip()
    yield "can do"
    for name, template in told["command_templates"].items():
        mark = " (dangerous)" if template["dangerous"] else ""
        yield f"  {name}{mark}  {template['description'] or ''}".rstrip()
        for parameter, about in template["parameters"].items():
            is_needed = "" if about["required"] else "may be left out"
            yield f"      {parameter}  {_describe(about, about['type'])} {is_needed}".rstrip()


def write_line(row: Row) -> str | None:
    """Write one line of a log, or one live message; None for what says nothing to people."""
    at = str(row.get("timestamp", ""))[_TIME]
    value: Any = row.get("value")
    match row["type"]:
        case "data":
            return f"{at}\t{row['id']}\t{orjson.dumps(value).decode()}"
        case "command_result":
            said = f"\t{value['message']}" if value.get("message") else ""
            return f"{at}\t{value['command']}\t{value['state']}{said}"
        case "device_message":
            details = orjson.dumps(value["details"]).decode() if value.get("details") else ""
            return f"{at}\tsays\t{value['message']}\t{details}".rstrip()
        case "device_link":
            return f"{at}\tlink\t{row['state']}\t{row['reason']}"
    return f"{at}\tskipped\t{row['count']}" if row["type"] == "dropped" else None


def write_step(step: Row, total: int, *, as_json: bool) -> str:
    """Write how a step of a script ended that the server did."""
    seconds = (step["took_ms"] or 0) / 1000
    if as_json:
        told = {
            "step": step["number"],
            "of": total,
            "line": step["line"],
            "what": step["text"],
            "state": step["state"],
            "message": step["message"],
            "seconds": seconds,
        }
        return orjson.dumps(told).decode()
    said = f": {step['message']}" if step["message"] else ""
    return f"{step['number']}/{total}  {step['text']}  {step['state']}{said}  ({seconds:.1f} s)"


def write_run(run: Row) -> str:
    """Write a run of a script in one line."""
    done = f"{run['steps_done']}/{run['steps_total']}"
    said = f": {run['message']}" if run["message"] else ""
    name = run["name"] or "(no name)"
    start = run["created_at"][:19]
    return f"{run['run_id']}  {start}  {name}  {run['asker']}  {done}  {run['state']}{said}"


def write_outcome(outcome: Outcome, total: int, *, as_json: bool) -> str:
    """Write how a step of a script ended."""
    seconds = outcome.took_ms / 1000
    if as_json:
        told = {
            "step": outcome.number,
            "of": total,
            "line": outcome.step.line,
            "what": outcome.step.describe(),
            "state": outcome.state,
            "message": outcome.message,
            "seconds": seconds,
        }
        return orjson.dumps(told).decode()
    said = f": {outcome.message}" if outcome.message else ""
    what = outcome.step.describe()
    return f"{outcome.number}/{total}  {what}  {outcome.state} after {seconds:.1f} s{said}"


def _describe(about: Row, kind: str) -> str:
    limits = about.get("range") or about
    least, most = limits.get("min"), limits.get("max")
    span = "" if least is None and most is None else f"{_show(least)} to {_show(most)}"
    choices = ", ".join(map(str, about["enum"])) if about.get("enum") else ""
    parts = (kind, span, about.get("unit") or "", choices, about.get("description") or "")
    return "  ".join(part for part in parts if part)


def _show(limit: float | None) -> str:
    return "…" if limit is None else f"{limit:g}"
