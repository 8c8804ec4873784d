"""``telemetra keys``: as it is typed, against a real database."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import asyncpg
import orjson
import pytest

from core.keys import find_prefix, is_secret_of
from tests.fixtures.api_keys import list_audit
from tests.fixtures.commands import run_command

Run: TypeAlias = Callable[..., "subprocess.CompletedProcess[str]"]


def run_keys(database_url: str, data_dir: Path, *arguments: str):
    environment = {"DATABASE_URL": database_url, "TELEMETRA_DATA_DIR": str(data_dir)}
    return run_command("infra.cli", "keys", *arguments, environment=environment)


@pytest.fixture
def run(database_url: str, tmp_path: Path) -> Run:
    """Run the command."""
    return lambda *arguments: run_keys(database_url, tmp_path, *arguments)


async def test_a_key_is_made_rotated_listed_and_revoked(run: Run, connection: asyncpg.Connection):
    made = run("create", "bench 7", "--scope", "ingest", "--stream", "bench-07*", "--days", "90")
    assert made.returncode == 0, made.stderr
    first = made.stdout.strip()
    (row,) = await connection.fetch("SELECT * FROM api_keys")
    assert row["prefix"] == find_prefix(first)
    assert is_secret_of(first, row["digest"])
    assert (row["scopes"], row["streams"], row["name"]) == (["ingest"], ["bench-07*"], "bench 7")
    assert row["expires_at"] is not None
    assert row["created_by"] == "command line"

    rotated = orjson.loads(run("rotate", row["key_id"], "--json").stdout)
    assert rotated["key"] != first
    listed = run("list", "--json").stdout
    assert [key["key_id"] for key in orjson.loads(listed)] == [row["key_id"]]
    assert rotated["key"] not in listed
    assert "bench 7" in run("list").stdout
    revoked = run("revoke", row["key_id"])
    assert (revoked.returncode, "revoked" in revoked.stdout) == (0, True)
    assert "revoked" in run("list").stdout
    entries = await list_audit(connection)
    assert [entry["action"] for entry in entries] == ["key.create", "key.rotate", "key.revoke"]
    assert {entry["actor_name"] for entry in entries} == {"command line"}


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("create", " ", "--scope", "read"), "name"),
        (("create", "a", "--scope", "admin", "--stream", "x"), "admin"),
        (("create", "a", "--scope", "read", "--stream", "a b"), "'a b'"),
        (("rotate", "key_0"), "no key"),
        (("revoke", "key_0"), "no key"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(run: Run, arguments: tuple[str, ...], word: str):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert word in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_database_that_cannot_be_used_is_one_line_too(
    dead_database_url: str, empty_database_url: str, tmp_path: Path
):
    away = run_keys(dead_database_url, tmp_path, "list")
    assert (away.returncode, away.stderr.count("\n")) == (1, 1)
    assert "secret-word" not in away.stderr
    empty = run_keys(empty_database_url, tmp_path, "list")
    assert "telemetra migrate" in empty.stderr
