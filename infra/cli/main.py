"""The command line: ``telemetra COMMAND``.

A command's module is imported when it is run, so that ``telemetra --help`` answers at once. An
error of ours becomes one line on stderr and exit code 1; with ``DEBUG=true`` its trace is shown.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import typer
from typer.core import TyperGroup

from core.errors import TelemetraError
from core.loading import loading

if TYPE_CHECKING:
    from typer._click import Command, Context, HelpFormatter


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """Where a command is written, and the line that ``--help`` shows of it."""

    module: str
    summary: str


COMMANDS: Final = {
    "up": CommandEntry("infra.cli.up", "Start everything and say where to look."),
    "down": CommandEntry("infra.cli.down", "Stop everything that `up` started."),
    "status": CommandEntry("infra.cli.status", "Show what runs."),
    "doctor": CommandEntry("infra.cli.doctor", "Check this machine and say what to mend."),
    "serve": CommandEntry("infra.cli.processes", "Run the API alone."),
    "flow": CommandEntry("infra.cli.processes", "Run the flow alone."),
    "archive": CommandEntry("infra.cli.processes", "Run the archive alone."),
    "jobs": CommandEntry("infra.cli.processes", "Run the jobs alone: speech to text."),
    "verify": CommandEntry("infra.cli.processes", "Hold stored minutes against the archive."),
    "replay": CommandEntry("infra.cli.processes", "Send archived events again; count late ones."),
    "ingest": CommandEntry("infra.cli.processes", "Send files or stdin to the API."),
    "connect": CommandEntry("infra.cli.connect", "Read a source: the chats of Twitch, and others."),
    "simulate": CommandEntry("infra.cli.processes", "Send simulated events, or write them down."),
    "device": CommandEntry("infra.cli.device", "See devices, command them, be one."),
    "moments": CommandEntry(
        "infra.cli.moments", "List what is unusual; see it, shelve it, label it."
    ),
    "tail": CommandEntry("infra.cli.tail", "Watch a stream: rate, viewers, mood, moments, chat."),
    "top": CommandEntry("infra.cli.top", "Watch all streams, the busiest or oddest first."),
    "report": CommandEntry("infra.cli.report", "Write a page about a stream and a period."),
    "session": CommandEntry(
        "infra.cli.session", "Begin, note, end and export sessions of a test bench."
    ),
    "backtest": CommandEntry(
        "infra.cli.processes", "Replay the past under other settings; compare the moments."
    ),
    "score": CommandEntry("infra.cli.processes", "Score rows of a file by how unusual they are."),
    "keys": CommandEntry("infra.cli.keys", "Make, list, replace and revoke API keys."),
    "migrate": CommandEntry("infra.cli.processes", "Bring the database's tables up to date."),
}


class LazyGroup(TyperGroup):
    """Imports a command when it is asked for."""

    def list_commands(self, ctx: Context) -> list[str]:
        """List the names in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        """Import a command."""
        del ctx
        if (entry := COMMANDS.get(cmd_name)) is None:
            return None
        with loading():
            module = importlib.import_module(entry.module)
        group: Any = typer.main.get_group(module.app)
        command: Command = group.commands[cmd_name]
        return command

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    def invoke(self, ctx: Context) -> object:
        """Run a command; our errors end it with one line."""
        try:
            return super().invoke(ctx)
        except TelemetraError as error:
            # Imported by now, unless the settings themselves are wrong.
            if importlib.import_module("infra.cli.failures").wants_traceback():
                raise
            typer.echo(f"telemetra: {' '.join(error.detail.split())}", err=True)
            raise typer.Exit(1) from None


app = typer.Typer(
    cls=LazyGroup,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def telemetra() -> None:
    """Stream analytics with a time-series database.

    Example: telemetra up
    """
