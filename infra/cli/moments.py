"""``telemetra moments [show|ack|shelve|mute|resolve|reopen|label] …``: what is unusual.

It asks the API that runs here, or the one of ``--url``, as any other client would: a key, where one
is needed, decides what is seen and what may be done.
"""

import time
from argparse import Namespace
from collections.abc import Iterator, Mapping
from typing import Any, Final, NoReturn
from urllib.parse import quote

import orjson
import typer
from rich.console import Console

from core.clock import SystemClock
from core.errors import ServiceMissingError
from core.settings import load_settings
from infra.cli.api_calls import LISTED_MAX, ApiCaller, open_api
from infra.cli.connect import OWN_HELP
from infra.cli.moment_options import ACTIONS, LABELS, read_options
from infra.cli.moment_tables import open_console, print_life, print_line, print_moments
from infra.cli.spans import read_ago, read_ahead

app = typer.Typer(rich_markup_mode=None)

FOLLOW_S: Final = 2.0
"""Between two questions of ``--follow``; an answer that did not change costs the API little."""

INTERRUPTED: Final = 130


@app.command(context_settings=OWN_HELP)
def moments(context: typer.Context) -> None:
    """List what is unusual; see it, shelve it, label it.

    Example: telemetra moments --state open --since 2h
    """
    options = read_options(context.args)
    with open_api(load_settings(), options.url, options.api_key) as api:
        try:
            _answer(api, options)
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None


def _answer(api: ApiCaller, options: Namespace) -> None:
    if options.does is None:
        _list(api, options)
        return
    path = f"/moments/{quote(options.moment_id, safe='')}"
    wish = None if options.does == "show" else _make_wish(options)
    moment = api.get(path, {}) if wish is None else api.patch(path, wish)
    if options.json:
        _write_json(moment)
    else:
        print_life(open_console(), moment)


def _make_wish(options: Namespace) -> dict[str, object]:
    wish: dict[str, object] = {}
    if options.does == "label":
        wish["label"] = LABELS[options.label]
    else:
        wish["action"] = ACTIONS[options.does][0]
    if options.does == "shelve":
        wish["until"] = read_ahead(options.until, SystemClock().now()).isoformat()
    if options.comment is not None:
        wish["comment"] = options.comment
    return wish


def _list(api: ApiCaller, options: Namespace) -> None:
    asked = {"type": options.type, "state": options.state, "min_score": options.min_score}
    query: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    if options.since is not None:
        query["start"] = read_ago(options.since, SystemClock().now()).isoformat()
    stream = options.stream
    path = "/moments" if stream is None else f"/streams/{quote(stream, safe='')}/moments"
    console = open_console()
    if options.follow:
        _follow(api, path, query, console, json=options.json)
    found = list(_read_pages(api, path, query, options.limit))
    if options.json:
        _write_json(found)
    elif found:
        print_moments(console, found)
    else:
        typer.echo("No moments.")


def _read_pages(
    api: ApiCaller, path: str, query: Mapping[str, Any], limit: int
) -> Iterator[dict[str, Any]]:
    """Return the newest moments, page by page."""
    cursor: str | None = None
    left = limit
    while left > 0:
        more = {} if cursor is None else {"cursor": cursor}
        page = api.get(path, {**query, **more, "limit": min(left, LISTED_MAX)})
        yield from page["data"]
        cursor, left = page["next_cursor"], left - len(page["data"])
        if cursor is None:
            return


def _follow(
    api: ApiCaller, path: str, query: Mapping[str, Any], console: Console, *, json: bool
) -> NoReturn:
    """Print moments, oldest first, and each again when something about it changed."""
    shown: dict[str, object] = {}
    is_away = False
    while True:
        try:
            page = api.get(path, {**query, "limit": LISTED_MAX})["data"]
        except ServiceMissingError as error:
            if not is_away:
                typer.echo(f"telemetra: {error.detail} Asking on.", err=True)
            is_away = True
        else:
            is_away = False
            for moment in reversed(page):
                if shown.get(moment["moment_id"]) != moment:
                    _write_line(moment, console, json=json)
            # What is no longer on the page does not come back to it.
            shown = {moment["moment_id"]: moment for moment in page}
        time.sleep(FOLLOW_S)


def _write_line(moment: dict[str, Any], console: Console, *, json: bool) -> None:
    if json:
        typer.echo(orjson.dumps(moment))
    else:
        print_line(console, moment)


def _write_json(told: object) -> None:
    typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2))
