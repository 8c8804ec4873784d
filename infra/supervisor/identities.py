"""Identities: whether a process is still the one it was.

Pids are used again; together with the creation time they are not. Used by the state file, by
``down`` and for what a dead supervisor left.
"""

import time
from dataclasses import dataclass
from typing import Final

import psutil

CREATION_TOLERANCE_S: Final = 1.0
"""Creation times that differ by less are the same: they move when the clock is set."""

POLL_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process, for ever."""

    pid: int
    created_s: float
    """Seconds since 1970."""

    @property
    def is_alive(self) -> bool:
        """Whether it runs; a zombie does not."""
        try:
            process = psutil.Process(self.pid)
            same = abs(float(process.create_time()) - self.created_s) < CREATION_TOLERANCE_S
            return same and bool(process.status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False

    def wait_for_end(self, deadline_s: float) -> bool:
        """Wait until it has ended, and return whether it has; it need not be our child."""
        end_s = time.monotonic() + deadline_s
        while self.is_alive:
            if time.monotonic() > end_s:
                return False
            time.sleep(POLL_S)
        return True


def find_created_s(pid: int) -> float | None:
    """Return when the process that has this pid now was created, if there is one."""
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None
