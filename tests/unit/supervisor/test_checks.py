"""What the doctor and the linter decide without running anything."""

import json
import socket
from pathlib import Path

from core.settings import Settings
from infra.cli.checks import Finding, check_disk, check_port, check_python, has_failed
from infra.lint import Check, list_checks, list_page_checks, run_checks


def test_a_warning_is_no_failure():
    assert not has_failed([Finding("ok", "a"), Finding("warn", "b")])
    assert has_failed([Finding("ok", "a"), Finding("fail", "b")])


def test_this_python_and_disk_are_judged():
    assert check_python().level == "ok"
    assert "GB free" in check_disk(Path("/no/such/folder")).text


def test_a_taken_port_fails_only_when_it_was_set():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        chosen = Settings.model_validate({"api_port": port})
        usual = Settings.model_construct(_fields_set=set(), api_port=port)
        assert check_port(chosen, is_ours=False).level == "fail"
        assert check_port(usual, is_ours=False).level == "warn"
        assert check_port(chosen, is_ours=True).level == "ok"


def test_all_checks_run_though_the_first_fails(capfd):
    checks = [Check("one", ("false",)), Check("two", ("echo", "ran")), Check("three", ("/none",))]
    assert [check.name for check in run_checks(checks)] == ["one", "three"]
    assert "ran" in capfd.readouterr().out


def test_fixing_runs_no_check_that_cannot_mend():
    assert [check.name for check in list_checks(fix=True)] == ["ruff check --fix", "ruff format"]


def test_the_page_is_installed_before_its_checks(tmp_path):
    (tmp_path / "package.json").write_text(json.dumps({"scripts": {"check": "x", "test": "y"}}))
    names = [check.name for check in list_page_checks(tmp_path, "npm", fix=False)]
    assert names == ["npm ci", "describe the API", "npm run check", "npm run test"]
    assert list_page_checks(tmp_path, "npm", fix=True) == []


def test_without_node_the_page_is_skipped_and_said_so(tmp_path, capsys):
    (tmp_path / "package.json").write_text("{}")
    assert list_page_checks(tmp_path, None, fix=False) == []
    assert "skipped, Node.js is not installed" in capsys.readouterr().out
