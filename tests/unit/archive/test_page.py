"""The page about the archive: its examples do what it says."""

import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.settings import REPOSITORY
from streaming.archive import replay, verify
from tests.fixtures.archives import write_archive
from tests.fixtures.events import chat, make_entry, reading

PAGE = (REPOSITORY / "docs" / "archive.md").read_text(encoding="utf-8")
AT = datetime(2026, 1, 26, 10, 30, tzinfo=UTC)


def list_blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


COMMANDS = [
    shlex.split(line, comments=True) for block in list_blocks("sh") for line in block.splitlines()
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_on_the_page_is_understood(words: list[str]):
    program, command, *arguments = words
    assert program == "telemetra"
    modules = {"verify": verify, "replay": replay}
    assert modules[command].read_options(arguments)


def test_the_archive_is_read_as_the_page_says(tmp_path: Path):
    events = [chat(AT), chat(AT), reading(AT)]
    write_archive(tmp_path / ".telemetra" / "archive", [(0, make_entry(AT, events))])
    (code,) = list_blocks("python")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert re.search(r"chat\W+2\b", done.stdout)
    assert re.search(r"reading\W+1\b", done.stdout)
