"""The command line, as it is typed, against the real API."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple, TypeAlias

import pytest
from typer.testing import CliRunner

from infra.cli.main import app as command_line
from tests.integration.api.conftest import minute, post

__all__ = ["minute", "post"]


class Done(NamedTuple):
    """What a command said."""

    code: int
    out: str
    err: str


Run: TypeAlias = Callable[..., Awaitable[Done]]


@pytest.fixture
def run(served: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command beside the server."""
    monkeypatch.setenv("TELEMETRA_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DEBUG", "false")

    async def run(*words: str) -> Done:
        told = [*words] if "--url" in words else [*words, "--url", f"http://{served}"]
        done = await asyncio.to_thread(CliRunner().invoke, command_line, told)
        return Done(done.exit_code, done.stdout, done.stderr)

    return run
