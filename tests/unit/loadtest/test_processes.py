"""Programs that a measurement starts, as the system sees them."""

import sys
from pathlib import Path

import psutil
import pytest

from loadtest.bench.folders import find_bench_folder
from loadtest.bench.processes import ProcessEndedError, run_process

TALKER = (
    "import sys, time\n"
    # The system counts the processor's time in ticks of ten milliseconds.
    "while time.process_time() < 0.1: pass\n"
    'print(\'{"event": "shard_opened", "shard": 3}\', flush=True)\n'
    'print(\'{"event": "other", "of": "shard_opened"}\', flush=True)\n'
    'print(\'{"event": "shard_opened", "sha\', end="", flush=True)\n'
    "time.sleep(600)\n"
)


def test_a_process_is_heard_measured_and_gone_after_its_block(tmp_path: Path) -> None:
    with run_process("talker", [sys.executable, "-c", TALKER], tmp_path, {}) as process:
        process.wait_until(lambda: process.log.read_bytes().endswith(b'"sha'), within_s=30)
        # A line that is only half written is not read yet.
        assert process.list_events("shard_opened") == [{"event": "shard_opened", "shard": 3}]
        assert process.read_cpu_seconds() > 0
        assert process.read_resident_bytes() > 1_000_000
        assert process.meter.is_running()
    assert not psutil.pid_exists(process.meter.pid)


def test_the_end_of_a_process_ends_the_wait_and_has_its_words(tmp_path: Path) -> None:
    program = [sys.executable, "-c", "raise SystemExit('no such table')"]
    with (
        run_process("flow", program, tmp_path, {}) as process,
        pytest.raises(ProcessEndedError, match="flow ended: no such table"),
    ):
        process.wait_until(lambda: False, within_s=30)


def test_a_wait_has_an_end(tmp_path: Path) -> None:
    with (
        run_process("talker", [sys.executable, "-c", TALKER], tmp_path, {}) as process,
        pytest.raises(ProcessEndedError, match="talker took over 0 s"),
    ):
        process.wait_until(lambda: False, within_s=0)


def test_the_folder_for_files_is_the_one_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELEMETRA_BENCH_DIR", str(tmp_path))
    assert find_bench_folder() == tmp_path
    monkeypatch.delenv("TELEMETRA_BENCH_DIR")
    assert find_bench_folder().name == "telemetra-bench"
