"""Memory: how much of it the private servers may take.

The machine is somebody's laptop or a small container: the servers share it with the flow, the API
and a browser, so that each takes a bounded part and nobody has to tune anything.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class PostgresMemory:
    """Memory settings of the private PostgreSQL, in MB."""

    shared_buffers: int
    effective_cache_size: int
    work_mem: int
    maintenance_work_mem: int
    max_wal_size: int

    @classmethod
    def for_machine(cls, memory_bytes: int) -> "PostgresMemory":
        """Choose the settings for this much memory."""
        total = memory_bytes // MB
        return cls(
            shared_buffers=_clamp(total // 4, 32, 1024),
            effective_cache_size=_clamp(total // 2, 64, 64 * 1024),
            work_mem=_clamp(total // 512, 4, 32),
            maintenance_work_mem=_clamp(total // 32, 32, 512),
            max_wal_size=_clamp(total // 4, 512, 4096),
        )


def redis_memory_mb(memory_bytes: int) -> int:
    """Choose how much Redis may hold before cache entries go."""
    return _clamp(memory_bytes // MB // 4, 64, 2048)


def machine_memory_bytes(root: Path = Path("/")) -> int:
    """Return the memory that this process may use: the machine's, or what its cgroup allows."""
    return min([psutil.virtual_memory().total, *_cgroup_limits(root)])


def _cgroup_limits(root: Path) -> Iterator[int]:
    """Read the limits of the process's cgroup and of those above it, in both versions."""
    membership = root / "proc/self/cgroup"
    if not membership.is_file():
        return
    for line in membership.read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            mount, name = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            mount, name = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        own = mount / path.strip("/")
        for folder in (own, *own.parents):
            if (folder / name).is_file() and (
                text := (folder / name).read_text().strip()
            ).isdigit():
                yield int(text)
            if folder == mount:
                break


def _clamp(value: int, low: int, high: int) -> int:
    return max(low, min(value, high))
