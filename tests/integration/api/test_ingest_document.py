"""What docs/doors.md shows of the door for HTTP works as it stands there."""

import asyncio
import json
import shlex
import sys
from typing import Final

import httpx

from core.settings import REPOSITORY
from tests.fixtures.flows import Flow
from tests.integration.api.paths import INGEST

PAGE: Final = (REPOSITORY / "docs" / "doors.md").read_text(encoding="utf-8")
SECTION: Final = PAGE.split("\n## HTTP\n")[1].split("\n## ")[0]


def find_block(language: str) -> str:
    return SECTION.split(f"```{language}\n")[1].split("```")[0]


async def test_the_command_is_answered_as_the_page_says(client: httpx.AsyncClient, flow: Flow):
    _, _, _, header, _, body = shlex.split(find_block("sh").replace("\\\n", ""))
    name, _, value = header.partition(": ")
    answer = await client.post(INGEST, content=body, headers={name: value})
    assert answer.status_code == 202, answer.text
    assert answer.json() == json.loads(find_block("json"))
    assert await flow.pump() == 2


async def test_the_program_sends_what_the_page_says(served: str, flow: Flow):
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        find_block("python"),
        env={"URL": f"http://{served}"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await program.communicate()
    assert "'accepted': 3" in printed.decode(), printed.decode()
    assert await flow.pump() == 3
