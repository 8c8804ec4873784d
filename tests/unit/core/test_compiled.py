"""Compiled code: where it is kept, and that nothing old is taken for new."""

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.compiled import CACHE, making

CORE = Path(__file__).parents[3] / "core"
WHERE = "import core.compiled, numba; print(numba.config.CACHE_DIR)"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(CORE, tmp_path / "core", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def find_cache(copy: Path, temporary: Path) -> Path:
    env = {"PYTHONPATH": str(copy), "TMPDIR": str(temporary)}
    found = subprocess.run(
        [sys.executable, "-c", WHERE],
        env=env,
        capture_output=True,
        text=True,
        check=True,
        cwd=temporary,
    )
    return Path(found.stdout.strip())


def test_it_is_kept_beside_the_modules_and_made_anew_after_any_change(copy: Path, tmp_path: Path):
    before = find_cache(copy, tmp_path)
    assert before.parent == copy / "core" / "__pycache__"
    assert find_cache(copy, tmp_path) == before
    with (copy / "core" / "times.py").open("a") as file:
        file.write("\n")
    assert find_cache(copy, tmp_path) != before


def test_it_is_kept_for_this_start_where_the_modules_cannot_be_written(copy: Path, tmp_path: Path):
    # A file where the folder would be: also root cannot write there.
    (copy / "core" / "__pycache__").write_text("")
    assert find_cache(copy, tmp_path).parent == tmp_path


def test_one_process_at_a_time_makes_the_same():
    maker = "import sys\nfrom core.compiled import making\nwith making('a'):\n  print(flush=True)\n"
    begin = [sys.executable, "-c", f"{maker}  sys.stdin.read()"]
    with subprocess.Popen(begin, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdout.readline()
        with (CACHE / "a.lock").open() as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with making("b"):
            pass
        other.stdin.close()
    with making("a"):
        pass
