"""Locks: one supervisor a data folder. The kernel drops the lock however its holder dies."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.supervisor.specs import AlreadyRunningError


@contextmanager
def hold_folder(data_dir: Path) -> Iterator[None]:
    """Own a data folder for the length of the block.

    Raises:
        AlreadyRunningError: Another supervisor owns it.
    """
    run = data_dir / "run"
    run.mkdir(parents=True, exist_ok=True)
    with (run / "supervisor.lock").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunningError(f"Telemetra already runs for {data_dir}.") from None
        yield
