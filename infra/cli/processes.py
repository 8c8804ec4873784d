"""``telemetra serve``, ``flow``, ``archive`` and others of ``COMMANDS``: become one process.

It is told where everything else is: where DATABASE_URL and REDIS_URL are not set, they are those of
the supervisor that runs for the data folder.
"""

import os
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

import typer

from core.settings import Settings, load_settings
from infra.supervisor.environments import extend_environment
from infra.supervisor.states import SupervisorRecord, find_running

app = typer.Typer(rich_markup_mode=None)

PASS_ON: Final = {"allow_extra_args": True, "ignore_unknown_options": True}
"""The process reads its own options; after ``--`` it gets even ``--help``."""


@app.command(context_settings=PASS_ON)
def serve(context: typer.Context) -> None:
    """Run the API alone; more arguments go to `python -m api`.

    Example: telemetra serve
    """
    become("api", context.args)


@app.command(context_settings=PASS_ON)
def flow(context: typer.Context) -> None:
    """Run the flow alone; more arguments go to `python -m streaming.flow`.

    Example: telemetra flow
    """
    become("streaming.flow", context.args)


@app.command(context_settings=PASS_ON)
def archive(context: typer.Context) -> None:
    """Run the archive alone; more arguments go to `python -m streaming.archive`.

    Example: telemetra archive
    """
    become("streaming.archive", context.args)


@app.command(context_settings=PASS_ON)
def jobs(context: typer.Context) -> None:
    """Run the jobs alone, which make text of uploaded speech.

    Example: telemetra jobs
    """
    become("streaming.jobs", context.args)


@app.command(context_settings=PASS_ON)
def verify(context: typer.Context) -> None:
    """Recount minutes from the archive and name every difference; exit code 1 when there is one.

    Without a span it is the last hour that is over. Arguments go to
    `python -m streaming.archive.verify`; after `--` it tells of them all with `--help`.

    Example: telemetra verify --from 2026-01-26T10:00Z --to 2026-01-26T12:00Z
    """
    become("streaming.archive.verify", context.args)


@app.command(context_settings=PASS_ON)
def replay(context: typer.Context) -> None:
    """Send archived events again, count late ones, or try dead letters again.

    Arguments go to `python -m streaming.archive.replay`; after `--` it tells of them all with
    `--help`.

    Example: telemetra replay --from 2026-01-26T10:00Z --to 2026-01-26T11:00Z --speed 10x
    """
    record = find_running(load_settings().data_dir)
    known = [] if record is None else ["--product-url", record.api_url]
    become("streaming.archive.replay", [*context.args, *known])


@app.command(context_settings=PASS_ON)
def ingest(context: typer.Context) -> None:
    """Send files or stdin to the API: NDJSON, CSV or Parquet, also .gz and .zst.

    Interrupted, the same command goes on where it was. Arguments go to
    `python -m streaming.connectors.files`; after `--` it tells of them all with `--help`.

    Example: telemetra ingest prices.csv --map timestamp=Date --map value=Close --stream acme

    Example: telemetra ingest yesterday.parquet --as-recorded --speed 60x --shift-to-now
    """
    record = find_running(load_settings().data_dir)
    known = [] if record is None else ["--product-url", record.api_url]
    become("streaming.connectors.files", [*context.args, *known])


@app.command(context_settings=PASS_ON)
def simulate(context: typer.Context) -> None:
    """Send simulated events, or write them to a file, with the truth about them beside.

    Arguments go to `python -m streaming.simulator`; after `--` it tells of them all with `--help`.

    Example: telemetra simulate --streams 200 --rate 20000/s --scenario outage --seed 7

    Example: telemetra simulate --scenario launch --minutes 60 --out launch.parquet
    """
    record = find_running(load_settings().data_dir)
    has_url = any(argument.split("=")[0] == "--url" for argument in context.args)
    told = [] if has_url or record is None else ["--url", record.api_url]
    become("streaming.simulator", [*context.args, *told])


@app.command(context_settings=PASS_ON)
def backtest(context: typer.Context) -> None:
    """Replay the past under other settings and compare the moments, before and after.

    Arguments go to `python -m streaming.backtest`; after `--` it tells of them all with `--help`.

    Example: telemetra backtest --from 2026-01-26T10:00Z --to 2026-01-27 --set strictness=2
    """
    become("streaming.backtest", context.args)


@app.command(context_settings=PASS_ON)
def score(context: typer.Context) -> None:
    """Score each row of a CSV file by how unusual it is; 1.0 and above is anomalous.

    Arguments go to `python -m streaming.detect.scores`; after `--` it tells of them all with
    `--help`.

    Example: telemetra score taxi.csv --out scores.csv
    """
    become("streaming.detect.scores", context.args)


@app.command(context_settings=PASS_ON)
def migrate(context: typer.Context) -> None:
    """Bring the database's tables up to date; more arguments go to `python -m db.migrate`.

    Example: telemetra migrate
    """
    become("db.migrate", context.args)


def find_urls(settings: Settings, record: SupervisorRecord | None) -> dict[str, str]:
    """Return what the settings leave open and a running supervisor knows."""
    if record is None:
        return {}
    urls = {}
    if settings.external_database_url is None:
        urls["DATABASE_URL"] = record.database_url
    if settings.redis_url is None:
        urls["REDIS_URL"] = record.redis_url
    return {name: url for name, url in urls.items() if url}


def become(module: str, arguments: Sequence[str]) -> NoReturn:
    """Replace this process by a module of ours, which is told where everything is."""
    settings = load_settings()
    env = extend_environment(find_urls(settings, find_running(settings.data_dir)))
    argv = (sys.executable, "-m", module, *arguments)
    os.execve(sys.executable, argv, env)  # noqa: S606 - there is no shell, and none is wanted.
