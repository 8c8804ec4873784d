"""``telemetra connect NAME …``: become the process that reads one source.

Each connector reads its own options, ``--help`` too, and is told where the running API is.
"""

from collections.abc import Callable
from typing import Final

import typer

from core.settings import load_settings
from infra.cli.connectors import CONNECTORS, name_module
from infra.cli.processes import PASS_ON, become
from infra.supervisor.states import find_running

app = typer.Typer(rich_markup_mode=None)
connect = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
app.add_typer(connect, name="connect")

OWN_HELP: Final = {**PASS_ON, "help_option_names": []}
"""The process shows its own help."""


@connect.callback()
def describe() -> None:
    """Read a source for as long as it runs, and send its events to the API.

    Example: telemetra connect twitch --channel northlight,harbour
    """


def _make_command(name: str) -> Callable[[typer.Context], None]:
    def run(context: typer.Context) -> None:
        record = find_running(load_settings().data_dir)
        has_url = any(argument.split("=")[0] == "--url" for argument in context.args)
        told = [] if has_url or record is None else ["--url", record.api_url]
        become(name_module(name), [*context.args, *told])

    return run


for _name, _summary in CONNECTORS.items():
    connect.command(_name, help=_summary, context_settings=OWN_HELP)(_make_command(_name))
