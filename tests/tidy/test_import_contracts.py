"""Import contracts: each one breaks when somebody breaks it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.settings import REPOSITORY

PACKAGES = ("api", "core", "db", "infra", "streaming")

VIOLATIONS = {
    "a process imports another": ("streaming/flow/steps.py", "import api.answers"),
    "a connector imports the door": ("streaming/connectors/base.py", "import api.answers"),
    "the core imports an adapter": ("core/ids.py", "import db.queries"),
    "the archive imports the flow": (
        "streaming/archive/recounts.py",
        "import streaming.flow.shards",
    ),
    "the archive imports the engine": ("streaming/archive/readers.py", "import bytewax"),
    "the core does input": ("core/clock.py", "import asyncpg"),
    "an adapter imports a process": ("db/queries.py", "import streaming.flow.shards"),
    "what all MQTT shares imports one of its users": (
        "streaming/mqtt/brokers.py",
        "import streaming.devices.sdk",
    ),
    "what starts processes imports one": ("streaming/processes.py", "import streaming.jobs.base"),
    "the door imports the engine": ("api/paging.py", "import bytewax"),
    "the command line imports a process": ("infra/cli/main.py", "import api.app"),
}


def _lint(tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=tree,
        # An installed copy of the project must not be looked at instead of this tree.
        env={"PYTHONPATH": str(tree), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(
            REPOSITORY / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_tree_as_it_is_keeps_every_contract(tree: Path) -> None:
    result = _lint(tree)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(("file", "line"), VIOLATIONS.values(), ids=VIOLATIONS.keys())
def test_a_contract_breaks_when_it_is_violated(tree: Path, file: str, line: str) -> None:
    module = tree / file
    module.write_text(module.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    result = _lint(tree)
    assert result.returncode == 1
    assert "BROKEN" in result.stdout
