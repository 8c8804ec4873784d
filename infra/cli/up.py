"""``telemetra up``: start everything, say where to look, stay until Ctrl-C or go on detached."""

import asyncio
from contextlib import suppress
from typing import Annotated

import typer
from rich.console import Console

from core.clock import SystemClock
from core.settings import Settings, load_settings
from infra.cli.detached import run_detached, start_detached
from infra.cli.foregrounds import watch_over
from infra.cli.stacks import StackOptions
from infra.cli.steps import Steps, open_renderer
from infra.cli.tables import print_record
from infra.supervisor.specs import AlreadyRunningError, ProcessFailedError
from infra.supervisor.states import SupervisorRecord, find_running

app = typer.Typer(rich_markup_mode=None)

DOWN_HINT = "`telemetra down` or `make down`"


@app.command()
def up(
    *,
    detach: Annotated[bool, typer.Option("--detach", help="Go on in the background.")] = False,
    no_demo: Annotated[bool, typer.Option("--no-demo", help="Without what is simulated.")] = False,
    no_page: Annotated[bool, typer.Option("--no-page", help="Do not build the page.")] = False,
    foreground_child: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Start everything and say where to look.

    Example: telemetra up --detach --no-demo
    """
    settings = load_settings()
    options = StackOptions(demo=not no_demo, page=not no_page)
    if foreground_child is not None:
        raise typer.Exit(0 if run_detached(settings, options, foreground_child) else 1)
    console = Console()
    if (record := find_running(settings.data_dir)) is not None:
        _print_running(console, record)
        return
    try:
        if detach:
            _run_in_background(settings, options, console)
        else:
            _run_in_foreground(settings, options, console)
    except AlreadyRunningError as error:
        console.print(error.detail, markup=False, highlight=False)
    except ProcessFailedError as error:
        for line in error.last_lines:
            typer.echo(f"  {line}", err=True)
        raise


def _run_in_background(settings: Settings, options: StackOptions, console: Console) -> None:
    switches = {"--no-demo": not options.demo, "--no-page": not options.page}
    with open_renderer(console) as renderer:
        start_detached(settings, [name for name, is_on in switches.items() if is_on], renderer)
    if (record := find_running(settings.data_dir)) is not None:
        print_record(console, record, stop_hint=DOWN_HINT)


def _run_in_foreground(settings: Settings, options: StackOptions, console: Console) -> None:
    clock = SystemClock()

    def say(line: str) -> None:
        moment = clock.now().astimezone().strftime("%H:%M:%S")
        # When the terminal has gone, what runs is still stopped in order.
        with suppress(OSError, SystemExit):
            console.print(f"{moment} {line}", markup=False, highlight=False, soft_wrap=True)

    with open_renderer(console) as renderer:

        def announce(record: SupervisorRecord) -> None:
            renderer.close()
            print_record(console, record, stop_hint=f"Ctrl-C here, or {DOWN_HINT}")

        came_up = asyncio.run(
            watch_over(settings, options, steps=Steps(renderer), announce=announce, say=say)
        )
    if not came_up:
        raise typer.Exit(130)


def _print_running(console: Console, record: SupervisorRecord) -> None:
    console.print(f"Telemetra already runs (pid {record.pid}).", markup=False, highlight=False)
    print_record(console, record, stop_hint=DOWN_HINT)
