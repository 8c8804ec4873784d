"""Heartbeats: what every process says of itself, beside how far it has come.

The flow and the archive put it into Redis once a second, ``api.system`` reads it and says the same
of its own process.
"""

from typing import Final, TypedDict

from prometheus_client import PROCESS_COLLECTOR

from core.settings import VERSION

_NAMES: Final = {
    "process_start_time_seconds": "started_s",
    "process_cpu_seconds": "cpu_seconds",
    "process_resident_memory_bytes": "memory_bytes",
}


class Vitals(TypedDict):
    """What a process is, since when, and what it uses; None where the system does not tell."""

    version: str
    started_s: float | None
    """Seconds since 1970."""

    cpu_seconds: float | None
    """Processor time since its start."""

    memory_bytes: float | None


def describe_process() -> Vitals:
    """Return the vitals of this process."""
    found = {
        _NAMES[metric.name]: metric.samples[0].value
        for metric in PROCESS_COLLECTOR.collect()
        if metric.name in _NAMES
    }
    return Vitals(
        version=VERSION,
        started_s=found.get("started_s"),
        cpu_seconds=found.get("cpu_seconds"),
        memory_bytes=found.get("memory_bytes"),
    )
