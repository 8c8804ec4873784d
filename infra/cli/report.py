"""``telemetra report STREAM``: write a page about a stream and a period."""

import sys
from argparse import Namespace
from pathlib import Path
from typing import Final
from urllib.parse import quote

import typer

from core.clock import SystemClock
from core.errors import InvalidError
from core.settings import load_settings
from infra.cli.api_calls import open_api
from infra.cli.connect import OWN_HELP
from infra.cli.report_options import read_options
from infra.cli.spans import read_ago

app = typer.Typer(rich_markup_mode=None)

STDOUT: Final = Path("-")


@app.command(context_settings=OWN_HELP)
def report(context: typer.Context) -> None:
    """Write a page about a stream and a period.

    Example: telemetra report northlight_live --from 24h --output yesterday.html
    """
    options = read_options(context.args)
    query = {"format": "json" if options.json else "html", **_read_period(options)}
    with open_api(load_settings(), options.url, options.api_key) as api:
        page = api.get_page(f"/streams/{quote(options.stream, safe='')}/report", query)
    file = options.output or _name_file(options)
    if file == STDOUT:
        sys.stdout.buffer.write(page)
        return
    _write(file, page)
    typer.echo(f"Written: {file}")


def _read_period(options: Namespace) -> dict[str, str]:
    now = SystemClock().now()
    # Both ends are told: a page made again is about the same period.
    end = now if options.end is None else read_ago(options.end, now)
    return {"start": read_ago(options.start, now).isoformat(), "end": end.isoformat()}


def _name_file(options: Namespace) -> Path:
    """Return where the page goes; what is for programs goes into a pipe."""
    if options.json:
        return STDOUT
    safe = "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in options.stream)
    return Path(f"report-{safe}.html")


def _write(file: Path, page: bytes) -> None:
    try:
        file.write_bytes(page)
    except OSError as error:
        raise InvalidError(f"{file} cannot be written: {error.strerror}.") from error
