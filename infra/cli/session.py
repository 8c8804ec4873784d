"""``telemetra session list|create|note|end|export``: recordings on a test bench.

It asks the API that runs here, or the one of ``--url``, as any other client would.
"""

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import orjson
import typer
from rich import box
from rich.table import Table

from core.clock import SystemClock
from core.errors import InvalidError
from core.settings import load_settings
from infra.cli.api_calls import ApiCaller, open_api
from infra.cli.connect import OWN_HELP
from infra.cli.moment_tables import open_console
from infra.cli.session_options import SUFFIXES, read_options
from infra.cli.spans import read_ago

app = typer.Typer(rich_markup_mode=None)

STDOUT: Final = Path("-")
PATH: Final = "/sessions"


@app.command(context_settings=OWN_HELP)
def session(context: typer.Context) -> None:
    """Begin, note, end and export sessions of a test bench.

    Example: telemetra session create "Hot start" --stream bench-07
    """
    options = read_options(context.args)
    with open_api(load_settings(), options.url, options.api_key) as api:
        _DOES[options.does](api, options)


def _list(api: ApiCaller, options: Namespace) -> None:
    query: dict[str, str | int | float] = {"limit": options.limit}
    if options.status is not None:
        query["status"] = options.status
    found = api.get(PATH, query)["data"]
    if options.json:
        _write_json(found)
    elif found:
        _print_sessions(found)
    else:
        typer.echo("No sessions.")


def _create(api: ApiCaller, options: Namespace) -> None:
    wish: dict[str, object] = {"name": options.name, "stream_ids": options.stream}
    if options.description is not None:
        wish["description"] = options.description
    _show(api.post(PATH, wish), options)


def _note(api: ApiCaller, options: Namespace) -> None:
    at = read_ago(options.at, SystemClock().now()) if options.at else SystemClock().now()
    wish: dict[str, object] = {
        "timestamp": at.isoformat(),
        "content": options.content,
        "type": options.type,
        "tags": options.tag,
    }
    if options.speaker is not None:
        wish["speaker"] = options.speaker
    _show(api.post(f"{_name_path(options)}/notes", wish), options)


def _end(api: ApiCaller, options: Namespace) -> None:
    ended = api.patch(_name_path(options), {"status": "ended"})
    summary = api.get(f"{_name_path(options)}/summary", {})
    if options.json:
        _write_json(summary)
        return
    notes, moments = (sum(summary[name].values()) for name in ("notes", "moments"))
    typer.echo(
        f"{ended['id']} ended after {summary['duration_s']:g} s:"
        f" {notes} notes, {moments} moments, {len(summary['channels'])} channels"
    )


def _export(api: ApiCaller, options: Namespace) -> None:
    document = api.get_page(f"{_name_path(options)}/notes/export", {"format": options.format})
    file = options.output or Path(f"{options.session}.{SUFFIXES[options.format]}")
    if file == STDOUT:
        sys.stdout.buffer.write(document)
        return
    try:
        file.write_bytes(document)
    except OSError as error:
        raise InvalidError(f"{file} cannot be written: {error.strerror}.") from error
    typer.echo(f"Written: {file}")


_DOES: Final = {
    "list": _list,
    "create": _create,
    "note": _note,
    "end": _end,
    "export": _export,
}


def _name_path(options: Namespace) -> str:
    return f"{PATH}/{quote(options.session, safe='')}"


def _show(made: dict[str, Any], options: Namespace) -> None:
    if options.json:
        _write_json(made)
    else:
        typer.echo(made["id"])


def _print_sessions(found: list[dict[str, Any]]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("id", "name", "status", "started", "notes", "streams"):
        table.add_column(title, overflow="fold")
    for each in found:
        table.add_row(
            each["id"],
            # Whatever stands in a name is no markup of the table's.
            each["name"].replace("[", r"\["),
            each["status"],
            each["started_at"],
            str(each["note_count"]),
            ", ".join(each["stream_ids"]),
        )
    open_console().print(table)


def _write_json(told: object) -> None:
    typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2))
