"""``telemetra status``: show what runs."""

from typing import Annotated, Final

import orjson
import typer
from rich.console import Console

from core.settings import load_settings
from infra.cli.tables import print_record
from infra.supervisor.states import SupervisorRecord, find_running

app = typer.Typer(rich_markup_mode=None)

NOTHING_RUNS: Final = 3
"""The exit code that init scripts use for a service that is not running."""


@app.command()
def status(
    *,
    json: Annotated[bool, typer.Option("--json", help="For programs; holds passwords.")] = False,
) -> None:
    """Show what runs; exit code 3 when nothing does.

    Example: telemetra status --json
    """
    data_dir = load_settings().data_dir
    record = find_running(data_dir)
    if json:
        typer.echo(orjson.dumps(describe(record, str(data_dir)), option=orjson.OPT_INDENT_2))
    elif record is None:
        typer.echo(f"Nothing runs for {data_dir}. Start it with `telemetra up`.")
    else:
        print_record(Console(), record, stop_hint="`telemetra down` or `make down`")
    if record is None:
        raise typer.Exit(NOTHING_RUNS)


def describe(record: SupervisorRecord | None, data_dir: str) -> dict[str, object]:
    """Return what runs for a data folder, as programs are told."""
    return {
        "api_url": record.api_url if record else None,
        "database_url": record.database_url if record else None,
        "redis_url": record.redis_url if record else None,
        "data_dir": data_dir,
        "processes": [
            {
                "name": process.name,
                "pid": process.pid,
                "state": process.state,
                "restarts": process.restarts,
            }
            for process in (record.processes if record else ())
        ],
    }
