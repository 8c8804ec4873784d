"""The image: what it is made of, what gets into it, and as whom it runs."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from typing import Final

import pytest

from core.settings import REPOSITORY, Settings
from tests.unit.deployment.dockerfiles import (
    DOCKERFILE,
    Instruction,
    is_ignored,
    read_instructions,
    read_patterns,
)

INSTRUCTIONS: Final = read_instructions(DOCKERFILE.read_text())
PATTERNS: Final = read_patterns()
LAST_STAGE: Final = INSTRUCTIONS[-1].stage


def _find(name: str, stage: int = LAST_STAGE) -> list[Instruction]:
    return [item for item in INSTRUCTIONS if item.name == name and item.stage == stage]


def _list_copied() -> list[str]:
    return [source for item in INSTRUCTIONS for source in item.sources]


def test_every_base_image_is_pinned_to_a_whole_version_or_is_a_stage():
    stages: set[str] = set()
    pinned = 0
    for item in INSTRUCTIONS:
        if item.name == "FROM":
            image, *alias = item.text.split(" AS ")
            if image not in stages:
                assert re.fullmatch(r"[a-z]+:\d+\.\d+\.\d+(-[a-z]+)+", image)
                pinned += 1
            stages.update(alias)
    assert pinned == 2
    assert stages == {"base", "page", "python"}


def test_the_last_stage_takes_only_what_other_stages_made():
    copies = _find("COPY")
    assert len(copies) == 3
    assert all(item.text.startswith("--from=") for item in copies)
    assert not any("pip" in item.text or "npm" in item.text for item in _find("RUN"))


def test_the_image_runs_as_a_fixed_user_without_rights():
    (user,) = _find("USER")
    assert re.fullmatch(r"[1-9]\d{4}:[1-9]\d{4}", user.text)
    after = INSTRUCTIONS[INSTRUCTIONS.index(user) :]
    assert not any(item.name in {"RUN", "COPY", "ADD"} for item in after)
    uid, gid = user.text.split(":")
    made = " ".join(item.text for item in _find("RUN"))
    assert f"--uid {uid} --gid {gid}" in made
    assert f"--owner={uid} --group={gid} --mode=0750 /data" in made


def test_the_image_can_be_asked_for_its_health_without_another_program():
    (check,) = _find("HEALTHCHECK")
    command = json.loads(check.text[check.text.index("[") :])
    assert command[:2] == ["python", "-c"]
    ast.parse(command[2])
    assert "http://127.0.0.1:8000/livez" in command[2]


def test_a_health_check_fails_where_nobody_answers():
    (check,) = _find("HEALTHCHECK")
    code = json.loads(check.text[check.text.index("[") :])[2]
    nobody = code.replace("127.0.0.1:8000", "127.0.0.1:1")
    assert nobody != code
    done = subprocess.run(
        [sys.executable, "-c", nobody], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Connection refused" in done.stderr


def test_one_image_becomes_any_process_of_ours():
    assert json.loads(_find("ENTRYPOINT")[0].text) == ["python", "-m"]
    assert json.loads(_find("CMD")[0].text) == ["api"]
    assert _find("STOPSIGNAL")[0].text == "SIGTERM"
    assert _find("VOLUME")[0].text == "/data"


def test_every_variable_of_the_image_is_a_setting_or_known_to_a_library():
    (item,) = _find("ENV")
    names = {word.partition("=")[0] for word in item.text.split()}
    known = {field.upper() for field in Settings.model_fields}
    of_libraries = {"PATH", "POLARS_MAX_THREADS", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
    assert names - known == of_libraries
    assert {"TELEMETRA_DATA_DIR=/data", "LOG_FORMAT=json"} <= set(item.text.split())


@pytest.mark.parametrize("source", _list_copied())
def test_what_is_copied_exists_and_the_build_may_see_it(source):
    path = REPOSITORY / source
    assert path.exists()
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    names = [file.relative_to(REPOSITORY).as_posix() for file in files]
    assert any(not is_ignored(name, PATTERNS) for name in names)


def test_every_package_of_the_project_is_copied():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert set(packages) <= set(_list_copied())
    assert project["project"]["readme"] in _list_copied()


def test_every_source_of_the_processes_gets_into_the_build():
    for package in ("api", "core", "db", "streaming"):
        for file in (REPOSITORY / package).rglob("*"):
            if file.suffix in {".py", ".sql"}:
                assert not is_ignored(file.relative_to(REPOSITORY).as_posix(), PATTERNS)


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".git/config",
        ".telemetra/postgres/password",
        ".venv/bin/python",
        "api/.env",
        "api/__pycache__/app.cpython-312.pyc",
        "dashboards/live/.env.local",
        "dashboards/live/dist/index.html",
        "dashboards/live/node_modules/vite/package.json",
        "infra/.env",
        "infra/compose.yaml",
        "notes.txt",
        "tests/unit/test_minutes.py",
    ],
)
def test_secrets_data_and_what_others_built_stay_out(path):
    assert is_ignored(path, PATTERNS)


def test_packages_are_checked_against_hashes_and_nothing_is_compiled():
    runs = [item.text for item in INSTRUCTIONS if item.name == "RUN" and " install" in item.text]
    (lock,) = [text for text in runs if "requirements.lock" in text]
    assert "--require-hashes" in lock
    assert "--only-binary=:all:" in lock
    (project,) = [text for text in runs if "--editable" in text]
    assert all(word in project for word in ("--no-deps", "--no-build-isolation", "--no-index"))
    assert any(
        text.startswith("npm ci --omit=dev") for text in (item.text for item in INSTRUCTIONS)
    )


def test_no_argument_or_variable_of_the_build_looks_like_a_secret():
    assert not any(item.name == "ARG" for item in INSTRUCTIONS)
    variables = " ".join(item.text for item in INSTRUCTIONS if item.name == "ENV")
    assert not re.search("PASSWORD|SECRET|TOKEN|KEY", variables)
