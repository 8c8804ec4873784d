"""What every command of ``telemetra`` has in common."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from core.settings import REPOSITORY, Settings
from infra.cli.main import COMMANDS, app
from infra.cli.processes import find_urls

HEAVY = ("pydantic", "psutil", "redis", "asyncpg", "rich.markdown", "infra.services")


def test_help_lists_every_command_with_its_summary():
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    for name, entry in COMMANDS.items():
        assert name in result.output
        assert entry.summary in result.output


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_has_an_example(name):
    result = CliRunner().invoke(app, [name, "--help"])
    assert result.exit_code == 0
    assert f"Example: telemetra {name}" in result.output


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from infra.cli.main import app\n"
        "try: app(['--help'], prog_name='telemetra')\n"
        "except SystemExit: pass\n"
        f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("HEAVY []\n")


def test_processes_that_compute_nothing_load_no_columns():
    code = (
        "import sys, core.settings, db.migrate, streaming.alerts.__main__\n"
        "print([name for name in ('numpy', 'polars') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_a_wrong_setting_is_one_line_and_exit_code_1(monkeypatch):
    monkeypatch.setenv("API_PORT", "many")
    monkeypatch.setenv("DEBUG", "false")
    result = CliRunner().invoke(app, ["status"])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("telemetra: API_PORT")
    assert result.stderr.count("\n") == 1


def test_an_unknown_command_is_refused():
    result = CliRunner().invoke(app, ["stauts"])
    assert result.exit_code == 2
    assert "No such command" in result.stderr


def test_status_says_when_nothing_runs(monkeypatch, tmp_path):
    monkeypatch.setenv("TELEMETRA_DATA_DIR", str(tmp_path))
    result = CliRunner().invoke(app, ["status"])
    assert result.exit_code == 3
    assert "Nothing runs" in result.stdout


def test_down_with_nothing_running_is_no_error(monkeypatch, tmp_path):
    monkeypatch.setenv("TELEMETRA_DATA_DIR", str(tmp_path / "never"))
    result = CliRunner().invoke(app, ["down"])
    assert result.exit_code == 0
    assert "Nothing runs" in result.stdout


def test_without_a_running_supervisor_no_urls_are_filled_in():
    assert find_urls(Settings(), None) == {}
