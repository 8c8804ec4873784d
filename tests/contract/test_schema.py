"""The schema: whatever its document allows or forbids, the API does as the document says.

Schemathesis makes up requests, good and bad, for every operation and holds the answers against the
document with all of its checks. ``make fuzz`` does the same for longer.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

import asyncpg
import pytest

from api.ingest.examples import EVENTS
from core.settings import REPOSITORY
from tests.contract.oracles import EVERYWHERE, OWN_KEY
from tests.fixtures.api_keys import make_key, wait_until_known
from tests.fixtures.clients import open_client
from tests.fixtures.flows import Flow

EXAMPLES: Final = 3
"""Made-up requests for each operation in an ordinary run, beside the thousands that the boundaries
of all parameters give."""

WIDENED: Final = "positive_data_acceptance,negative_data_rejection"
"""Replaced in ``oracles`` by checks that know what no document can say."""

ENDLESS: Final = "^/sse/"
"""Event streams go on for as long as somebody listens: a request for one has no end to judge."""


ALL: Final = "examples,coverage,fuzzing,stateful"

Tell: TypeAlias = Callable[[str], None]


async def attack(
    address: str, examples: int, headers: dict[str, str], *, own_key: str = "", phases: str = ALL
) -> tuple[int, str]:
    """Run schemathesis against a server; return its exit code and what it said."""
    program = Path(sys.executable).with_name("schemathesis")
    shown = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    options = ["--checks", "all", "--exclude-checks", WIDENED, "--exclude-path-regex", ENDLESS]
    options += ["--phases", phases]
    bounds = ["-n", str(examples), "--generation-database", "none", "--no-color"]
    told = {"SCHEMATHESIS_HOOKS": "tests.contract.oracles", OWN_KEY: own_key}
    if examples <= EXAMPLES:
        # What is new is looked for on purpose, and not when somebody else's change is tested.
        bounds += ["--seed", "1"]
    else:
        told[EVERYWHERE] = "yes"
    process = await asyncio.create_subprocess_exec(
        *(str(program), "run", f"http://{address}/openapi.json"),
        *(*options, *bounds, *shown),
        cwd=REPOSITORY,
        env=os.environ | told,  # noqa: TID251
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    return process.returncode or 0, said.decode()


@pytest.fixture
def examples(request: pytest.FixtureRequest) -> int:
    """How many requests are made up for one operation."""
    count: int = request.config.getoption("--fuzz-examples")
    return count or EXAMPLES


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str], examples: int) -> Tell:
    """Say how it went to whoever asked for more than what every run does."""

    def tell(said: str) -> None:
        if examples > EXAMPLES:
            with capsys.disabled():
                sys.stdout.write(f"\n{said[said.index('Test cases:') :]}")

    return tell


async def test_who_shows_a_key_gets_what_the_document_says(
    served: str, connection: asyncpg.Connection, flow: Flow, examples: int, tell: Tell
) -> None:
    own_key, headers = await make_key(connection, "admin")
    await asyncio.to_thread(wait_until_known, f"http://{served}", headers["Authorization"][7:])
    async with open_client(f"http://{served}", headers=headers) as client:
        answer = await client.post("/api/v1/ingest", json=EVENTS)
    assert answer.json()["accepted"] == await flow.pump() == len(EVENTS)
    code, said = await attack(served, examples, headers, own_key=own_key)
    assert code == 0, said
    assert "returned only 401" not in said, said
    tell(said)


async def test_who_shows_no_key_gets_what_the_document_says(
    served: str, connection: asyncpg.Connection, examples: int, tell: Tell
) -> None:
    _, headers = await make_key(connection, "admin")
    await asyncio.to_thread(wait_until_known, f"http://{served}", headers["Authorization"][7:])
    # The door looks at no parameter: boundaries and examples would all be answered alike.
    code, said = await attack(served, max(examples // 10, 1), {}, phases="fuzzing")
    assert code == 0, said
    assert "returned only 401" in said, said
    tell(said)
