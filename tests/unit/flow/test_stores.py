"""Recovery stores: every partition lies in exactly one folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import SettingsInvalidError
from core.settings import REPOSITORY
from streaming.flow.stores import RECOVERY_PARTITIONS, open_recovery_store, prepare_share

ALL = {f"part-{number}.sqlite3" for number in range(RECOVERY_PARTITIONS)}


def list_partitions(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("part-*.sqlite3"))


def test_a_store_is_made_once_and_left_as_it_is(tmp_path):
    folder = open_recovery_store(tmp_path / "flow")
    assert set(list_partitions(folder)) == ALL
    (folder / "part-0.sqlite3").write_bytes(b"mine")
    assert (open_recovery_store(folder) / "part-0.sqlite3").read_bytes() == b"mine"


def test_what_a_crash_left_half_made_is_made_again(tmp_path):
    (tmp_path / "flow.new").mkdir()
    (tmp_path / "flow.new" / "part-0.sqlite3").write_bytes(b"half")
    folder = open_recovery_store(tmp_path / "flow")
    assert (folder / "part-0.sqlite3").read_bytes() != b"half"


@pytest.mark.parametrize("processes", [1, 2, 3, RECOVERY_PARTITIONS])
def test_shares_hold_every_partition_exactly_once(tmp_path, processes):
    found = []
    for process in range(processes):
        prepare_share(tmp_path / str(process), process, processes)
        prepare_share(tmp_path / str(process), process, processes)
        found += list_partitions(tmp_path / str(process))
    assert sorted(found) == sorted(ALL)


def test_a_share_that_was_cut_differently_is_refused(tmp_path):
    prepare_share(tmp_path / "flow", 0, 2)
    with pytest.raises(SettingsInvalidError, match=r"part-6.*process 0 of 4 keeps part-0.*part-4"):
        prepare_share(tmp_path / "flow", 0, 4)


@pytest.mark.parametrize(
    ("process", "processes"), [(2, 2), (-1, 2), (0, 0), (0, RECOVERY_PARTITIONS + 1)]
)
def test_a_process_that_cannot_be_is_refused(tmp_path, process, processes):
    with pytest.raises(SettingsInvalidError, match="8 at most"):
        prepare_share(tmp_path / "flow", process, processes)
    assert not (tmp_path / "flow").exists()


def test_it_runs_as_a_command(tmp_path):
    def prepare(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "streaming.flow.stores", *words],
            cwd=REPOSITORY,
            env={"TELEMETRA_DATA_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

    assert (prepare("1", "2").returncode, prepare("1", "2").returncode) == (0, 0)
    assert list_partitions(tmp_path / "flow") == [f"part-{odd}.sqlite3" for odd in (1, 3, 5, 7)]
    assert "keeps part-0" in prepare("0", "2").stderr
    assert "For example" in prepare("two").stderr
