"""Processes: whether a server still works in a folder.

PostgreSQL and Redis make their folder their working directory, which names them better than a
process id in a file that may be older than the last reboot.
"""

import time
from pathlib import Path

import psutil

POLL_S = 0.05


def find_process_ids(folder: Path, names: tuple[str, ...]) -> list[int]:
    """List the processes of these names that work in a folder."""
    return [
        process.pid
        for process in psutil.process_iter()
        if _works_in(process, folder, names, when_hidden=False)
    ]


def is_working(process_id: int, folder: Path, names: tuple[str, ...]) -> bool:
    """Tell whether a process that a server's own file names works in the folder still.

    Where the system hides other users' working directories (a container without the right to
    trace), the name alone counts.
    """
    try:
        return _works_in(psutil.Process(process_id), folder, names, when_hidden=True)
    except psutil.NoSuchProcess:
        return False


def wait_for_end(folder: Path, names: tuple[str, ...], patience_s: float) -> bool:
    """Wait until no such process works in the folder; False when some still do."""
    deadline = time.monotonic() + patience_s
    while find_process_ids(folder, names):
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_S)
    return True


def _works_in(
    process: psutil.Process, folder: Path, names: tuple[str, ...], *, when_hidden: bool
) -> bool:
    try:
        return process.name() in names and Path(process.cwd()) == folder
    except psutil.AccessDenied:
        return when_hidden
    except (psutil.Error, OSError):
        # It ended meanwhile, or waits only for its parent to notice its end.
        return False
