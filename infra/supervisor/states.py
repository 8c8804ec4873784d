"""States: the file that says what runs, ``run/state.json`` in the data folder.

Written by the supervisor on each change, read by ``status``, ``down`` and the next supervisor. Its
URLs hold passwords, so only its owner may read it.
"""

import os
import signal
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from infra.supervisor.identities import ProcessIdentity
from infra.supervisor.specs import ProcessState


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """One process in the state file; external services have no pid."""

    name: str
    pid: int | None
    created_s: float | None
    """When the process was created; with the pid it is the process's identity."""

    state: ProcessState
    restarts: int
    since: datetime
    origin: str
    stop_signal: int = signal.SIGTERM

    @property
    def identity(self) -> ProcessIdentity | None:
        """The process itself, if it was started."""
        if self.pid is None or self.created_s is None:
            return None
        return ProcessIdentity(self.pid, self.created_s)

    @property
    def is_alive(self) -> bool:
        """Whether this very process runs."""
        return self.identity is not None and self.identity.is_alive


@dataclass(frozen=True, slots=True)
class SupervisorRecord:
    """All that a supervisor says about itself."""

    pid: int
    created_s: float
    api_url: str
    database_url: str
    redis_url: str
    data_dir: Path
    started_at: datetime
    processes: tuple[ProcessRecord, ...] = ()

    @property
    def identity(self) -> ProcessIdentity:
        """The supervisor itself."""
        return ProcessIdentity(self.pid, self.created_s)


_adapter: Final = TypeAdapter(SupervisorRecord)


def locate_state(data_dir: Path) -> Path:
    """Return where the state of a data folder is written."""
    return data_dir / "run" / "state.json"


def write_state(record: SupervisorRecord) -> None:
    """Replace the state file in one step."""
    path = locate_state(record.data_dir)
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with open(os.open(part, flags, 0o600), "wb") as file:  # noqa: PTH123 - born with its mode.
        file.write(_adapter.dump_json(record, indent=1))
    part.replace(path)


def read_state(data_dir: Path) -> SupervisorRecord | None:
    """Return what the last supervisor wrote, whether or not it still runs."""
    try:
        return _adapter.validate_json(locate_state(data_dir).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None


def find_running(data_dir: Path) -> SupervisorRecord | None:
    """Return the state of the supervisor that runs for a data folder."""
    record = read_state(data_dir)
    return record if record is not None and record.identity.is_alive else None
