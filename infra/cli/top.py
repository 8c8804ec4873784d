"""``telemetra top``: all streams, the busiest or the oddest first, over and over."""

import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

import orjson
import typer
from rich.console import Console
from rich.live import Live

from core.clock import SystemClock
from core.errors import ServiceMissingError
from core.settings import load_settings
from infra.cli.api_calls import LISTED_MAX, ApiCaller, open_api
from infra.cli.connect import OWN_HELP
from infra.cli.ranked_streams import RankedStream, RankedStreams, SortKey
from infra.cli.top_options import read_options
from infra.cli.top_tables import HEADS, show_streams, write_lines

app = typer.Typer(rich_markup_mode=None)

INTERRUPTED: Final = 130
STREAMS_A_PAGE: Final = 500
PAGES_MAX: Final = 10
"""Of more than 5 000 streams the first by name are ranked: an update must end before the next."""

HEAD_ROWS: Final = 3
"""Lines of the picture that are no stream."""


@app.command(context_settings=OWN_HELP)
def top(context: typer.Context) -> None:
    """Watch all streams, the busiest or oddest first.

    Example: telemetra top --sort score
    """
    options = read_options(context.args)
    ranking = RankedStreams(SortKey(options.sort))
    with open_api(load_settings(), options.url, options.api_key) as api:
        try:
            updates = _repeat(api, ranking, options)
            if sys.stdout.isatty() and not options.json:
                _draw(updates, options.limit)
            else:
                _write(updates, options.limit, as_json=options.json)
        except BrokenPipeError:
            # Who reads has enough, as `head` has; there is nowhere left to say it.
            sys.stderr.close()
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None


def _repeat(
    api: ApiCaller, ranking: RankedStreams, options: Namespace
) -> Iterator[list[RankedStream] | None]:
    """Yield updates; None while the API is away, which it may not be the first time."""
    yield _ask(api, ranking, only_live=options.live)
    while not options.once:
        time.sleep(options.every)
        try:
            ranked = _ask(api, ranking, only_live=options.live)
        except ServiceMissingError:
            yield None
        else:
            yield ranked


def _ask(api: ApiCaller, ranking: RankedStreams, *, only_live: bool) -> list[RankedStream]:
    streams = list(_read_streams(api, {"live": "true"} if only_live else {}))
    moments = api.get("/moments", {"state": "open", "limit": LISTED_MAX})["data"]
    return ranking.rank(streams, moments)


def _read_streams(api: ApiCaller, query: dict[str, str]) -> Iterator[dict[str, Any]]:
    cursor: dict[str, str] = {}
    for _ in range(PAGES_MAX):
        page = api.get("/streams", {**query, **cursor, "limit": STREAMS_A_PAGE})
        yield from page["data"]
        if page["next_cursor"] is None:
            return
        cursor = {"cursor": page["next_cursor"]}


def _draw(updates: Iterator[list[RankedStream] | None], limit: int) -> None:
    clock, console = SystemClock(), Console()
    shown, at = list[RankedStream](), clock.now()
    with Live(console=console, auto_refresh=False) as live:
        for ranked in updates:
            if ranked is not None:
                shown, at = ranked, clock.now()
            away = None if ranked is not None else "The API does not answer; asking on."
            height = min(limit, max(console.height - HEAD_ROWS, 1))
            live.update(show_streams(shown, height=height, now=at, away=away), refresh=True)


def _write(updates: Iterator[list[RankedStream] | None], limit: int, *, as_json: bool) -> None:
    clock = SystemClock()
    head = None if as_json else "# " + "\t".join(HEADS)
    for ranked in updates:
        if head is not None:
            typer.echo(head)
            head = None
        if ranked is None:
            typer.echo("telemetra: The API does not answer. Asking on.", err=True)
            continue
        if as_json:
            streams = [_describe(stream) for stream in ranked[:limit]]
            typer.echo(orjson.dumps({"at": clock.now(), "streams": streams}))
            continue
        for line in write_lines(ranked[:limit], clock.now()):
            typer.echo(line)


def _describe(stream: RankedStream) -> dict[str, Any]:
    facts = asdict(stream)
    del facts["rates"]
    return facts
