"""``telemetra down``: stop the supervisor of this data folder, and with it all that it started."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import typer

from core.errors import ConflictError
from core.settings import load_settings
from infra.supervisor.leftovers import stop_leftovers
from infra.supervisor.locks import hold_folder
from infra.supervisor.specs import STOP_DEADLINE, ProcessState
from infra.supervisor.states import SupervisorRecord, find_running, read_state

app = typer.Typer(rich_markup_mode=None)

POLL_S: Final = 0.05


@app.command()
def down() -> None:
    """Stop everything that `up` started; nothing running is no error.

    Example: telemetra down
    """
    data_dir = load_settings().data_dir
    if (record := find_running(data_dir)) is not None:
        _stop(record)
        return
    if (data_dir / "run").is_dir():
        with hold_folder(data_dir):
            stop_leftovers(read_state(data_dir), typer.echo)
    typer.echo(f"Nothing runs for {data_dir}.")


def _stop(record: SupervisorRecord) -> None:
    """Ask the supervisor to stop, and say what has stopped until it has.

    Raises:
        ConflictError: It did not end in time.
    """
    with suppress(ProcessLookupError):
        os.kill(record.pid, signal.SIGTERM)
    waiting = [process.name for process in reversed(record.processes) if process.pid is not None]
    # Each process may take its deadline, be killed, and leave its last words.
    end_s = time.monotonic() + (len(waiting) + 1) * 1.5 * STOP_DEADLINE.total_seconds()
    while record.identity.is_alive:
        stopped = _list_stopped(record.data_dir)
        _announce(waiting, stopped)
        if time.monotonic() > end_s:
            raise ConflictError(f"The supervisor (pid {record.pid}) still runs; see its log.")
        time.sleep(POLL_S)
    _announce(waiting, set(waiting))
    typer.echo(f"Telemetra stopped (supervisor pid {record.pid}).")


def _list_stopped(data_dir: Path) -> set[str]:
    state = read_state(data_dir)
    if state is None:
        return set()
    return {process.name for process in state.processes if process.state is ProcessState.STOPPED}


def _announce(waiting: list[str], stopped: set[str]) -> None:
    for name in [name for name in waiting if name in stopped]:
        waiting.remove(name)
        typer.echo(f"{name} stopped")
