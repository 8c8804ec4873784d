"""Clusters: several processes of the flow on one machine, as one.

    run_cluster ──starts──► process 0 … process N-1, which speak to one another over loopback
         │ one of them ends: the others are ended too, and so is this one
         └ this one dies: its end of their standard input closes, and they end themselves

A cluster restarts as a whole: what a process has not committed is replayed from the snapshots that
all of them share.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import Final

import structlog

from core.errors import SettingsInvalidError

POLL_S: Final = 0.2
STOP_S: Final = 10
"""How long processes may take to stop before they are killed."""

FOLLOW: Final = "TELEMETRA_FLOW_FOLLOWS"
"""Set for processes that end with the one that started them."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Member:
    """One process of a cluster."""

    number: int
    addresses: tuple[str, ...]
    """Of all processes; empty for a process that is alone."""


def run_cluster(processes: int) -> int:
    """Run processes until one of them ends or this one is told to stop; return the exit code."""
    addresses = ";".join(f"127.0.0.1:{port}" for port in _find_free_ports(processes))
    members = [
        subprocess.Popen(
            (sys.executable, "-m", "streaming.flow", "-i", str(number), "-a", addresses),
            stdin=subprocess.PIPE,
            env={**os.environ, FOLLOW: "1"},  # noqa: TID251 - they get what this process got.
        )
        for number in range(processes)
    ]
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    while not stopping.wait(POLL_S):
        if any(member.poll() is not None for member in members):
            log.error("flow_process_ended", codes=[member.poll() for member in members])
            break
    _stop(members)
    return 0 if stopping.is_set() else 1


def follow_parent() -> None:
    """End this process when the one that started it is gone."""
    if FOLLOW in os.environ:  # noqa: TID251 - told by the process that started this one.
        threading.Thread(target=_wait_for_end_of_input, name="follow", daemon=True).start()


def _wait_for_end_of_input() -> None:
    while sys.stdin.buffer.read(1):
        pass
    os.kill(os.getpid(), signal.SIGKILL)


def _stop(members: list[subprocess.Popen[bytes]]) -> None:
    for member in members:
        member.send_signal(signal.SIGINT)
    end_s = time.monotonic() + STOP_S
    for member in members:
        try:
            member.wait(max(0.0, end_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            member.kill()
            member.wait()


def _find_free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    except OSError as error:
        raise SettingsInvalidError(f"No free ports for {count} processes: {error}") from None
    finally:
        for probe in probes:
            probe.close()
