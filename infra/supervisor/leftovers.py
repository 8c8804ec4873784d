"""Leftovers: what a killed supervisor left running is stopped before anything starts.

Most children die with their supervisor (``child``). One that changed its user, or that takes its
time to stop, can outlive it; the state file knows it by pid and creation time.
"""

import os
import signal
from contextlib import suppress

from infra.supervisor.identities import ProcessIdentity
from infra.supervisor.specs import STOP_DEADLINE, Report
from infra.supervisor.states import SupervisorRecord


def stop_leftovers(record: SupervisorRecord | None, report: Report) -> None:
    """Stop what still runs of a dead supervisor, in reverse order, and wait until it has gone."""
    if record is None or record.identity.is_alive:
        return
    for process in reversed(record.processes):
        identity = process.identity
        if identity is not None and identity.is_alive:
            report(f"stopping {process.name} (pid {process.pid}), left by a supervisor that died")
            _stop(identity, process.stop_signal)


def _stop(identity: ProcessIdentity, stop_signal: int) -> None:
    deadline_s = STOP_DEADLINE.total_seconds()
    with suppress(ProcessLookupError):
        os.kill(identity.pid, stop_signal)
    if not identity.wait_for_end(deadline_s):
        with suppress(ProcessLookupError):
            os.killpg(identity.pid, signal.SIGKILL)
        identity.wait_for_end(deadline_s)
