"""How much memory the private servers take."""

from pathlib import Path

import psutil
import pytest

from infra.services.memory import MB, PostgresMemory, machine_memory_bytes, redis_memory_mb


def test_a_small_container_gets_a_quarter_for_buffers():
    assert PostgresMemory.for_machine(1024 * MB) == PostgresMemory(
        shared_buffers=256,
        effective_cache_size=512,
        work_mem=4,
        maintenance_work_mem=32,
        max_wal_size=512,
    )
    assert redis_memory_mb(1024 * MB) == 256


def test_a_large_machine_keeps_most_of_its_memory_for_others():
    memory = PostgresMemory.for_machine(256 * 1024 * MB)
    assert (memory.shared_buffers, memory.work_mem, memory.max_wal_size) == (1024, 32, 4096)
    assert redis_memory_mb(256 * 1024 * MB) == 2048


@pytest.mark.parametrize(
    ("membership", "limit_file"),
    [
        ("0::/user/session", "sys/fs/cgroup/memory.max"),
        ("0::/user/session", "sys/fs/cgroup/user/memory.max"),
        ("5:cpu:/\n4:memory:/user/session", "sys/fs/cgroup/memory/user/memory.limit_in_bytes"),
    ],
)
def test_the_limit_of_a_cgroup_above_the_process_counts(
    tmp_path: Path, membership: str, limit_file: str
):
    for file, text in (("proc/self/cgroup", membership), (limit_file, f"{64 * MB}")):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(f"{text}\n")
    assert machine_memory_bytes(tmp_path) == 64 * MB


def test_without_a_limit_the_machine_counts(tmp_path: Path):
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("0::/\n")
    (tmp_path / "sys/fs/cgroup").mkdir(parents=True)
    (tmp_path / "sys/fs/cgroup/memory.max").write_text("max\n")
    assert machine_memory_bytes(tmp_path) == psutil.virtual_memory().total
    assert machine_memory_bytes(tmp_path / "none") == psutil.virtual_memory().total
