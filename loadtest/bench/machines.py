"""Machines: what a measurement ran on, without names that lead to its owner."""

import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

CPU_INFO: Final = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Machine:
    """What matters of a machine."""

    processor: str
    cores: int
    memory_gb: int
    kernel: str
    python: str
    load: float
    """Average number of running processes in the minute before this was asked."""


def describe_machine() -> Machine:
    """Return what this machine is."""
    return Machine(
        processor=_find_processor(),
        cores=psutil.cpu_count() or 1,
        memory_gb=round(psutil.virtual_memory().total / 2**30),
        kernel=f"{platform.system()} {platform.release().partition('-')[0]}",
        python=platform.python_version(),
        load=round(psutil.getloadavg()[0], 2),
    )


def _find_processor() -> str:
    lines = CPU_INFO.read_text().splitlines() if CPU_INFO.is_file() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())
