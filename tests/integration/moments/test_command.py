"""``telemetra moments``: as it is typed, against the real API."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple, TypeAlias

import asyncpg
import orjson
import pytest
from fastapi import FastAPI
from typer.testing import CliRunner

from core.settings import REPOSITORY
from infra.cli.main import app as command_line
from tests.fixtures.clocks import START
from tests.fixtures.events import STREAM
from tests.fixtures.flows import Flow
from tests.integration.moments.conftest import MINUTE, MOMENT_ID, find, give_key, make_moment


class Done(NamedTuple):
    """What a command said."""

    code: int
    out: str
    err: str


Run: TypeAlias = Callable[..., Awaitable[Done]]


@pytest.fixture
def run(served: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command beside the server."""
    monkeypatch.setenv("TELEMETRA_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DEBUG", "false")

    async def run(*arguments: str) -> Done:
        words = ["moments", "--url", f"http://{served}", *arguments]
        done = await asyncio.to_thread(CliRunner().invoke, command_line, words)
        return Done(done.exit_code, done.stdout, done.stderr)

    return run


def tell_ids(done: Done) -> list[str]:
    assert (done.code, done.err) == (0, "")
    return [moment["moment_id"] for moment in orjson.loads(done.out)]


async def test_moments_are_listed_newest_first_and_chosen(run: Run, flow: Flow):
    assert (await run()).out == "No moments.\n"
    older = make_moment(1)
    newer = make_moment(2, revision=2, started_at=START + MINUTE, score=7.5)
    other = make_moment(3, revision=3, started_at=START + 2 * MINUTE, stream_id="other")
    await find(flow, older, newer, other)
    table = await run("--stream", STREAM)
    assert (table.code, table.err) == (0, "")
    assert table.out.index(newer.moment_id) < table.out.index(older.moment_id)
    assert other.moment_id not in table.out
    assert all(part in table.out for part in ("chat_spike", "7.50", "102 against 5", "Chat spike:"))
    chosen = ("--json", "--min-score", "7", "--since", START.isoformat(), "--type", "chat_spike")
    assert tell_ids(await run(*chosen)) == [newer.moment_id]
    assert tell_ids(await run("--json", "--limit", "1")) == [other.moment_id]
    assert tell_ids(await run("--json", "--since", (START + 2 * MINUTE).isoformat())) == [
        other.moment_id
    ]


async def test_a_moment_is_acknowledged_shelved_labelled_and_shown(run: Run, flow: Flow):
    await find(flow, make_moment())
    seen = await run("ack", MOMENT_ID, "--comment", "A raid of 900")
    assert (seen.code, seen.err) == (0, "")
    until = (START + timedelta(hours=1)).isoformat()
    shelved = orjson.loads((await run("shelve", MOMENT_ID, "--until", until, "--json")).out)
    assert shelved["state"] == "shelved"
    labelled = orjson.loads((await run("label", MOMENT_ID, "false", "--json")).out)
    assert labelled["label"] is False
    shown = (await run("show", MOMENT_ID)).out
    for part in ("acknowledge: A raid of 900", "shelve", "label false", "may", "reopen"):
        assert part in shown
    for name, state in (("mute", "shelved"), ("resolve", "resolved"), ("reopen", "open")):
        assert orjson.loads((await run(name, MOMENT_ID, "--json")).out)["state"] == state
    bare = orjson.loads((await run("label", MOMENT_ID, "none", "--json")).out)
    assert bare["label"] is None


async def test_what_goes_wrong_is_one_line_and_exit_code_1(
    run: Run, app: FastAPI, connection: asyncpg.Connection, flow: Flow
):
    await find(flow, make_moment())
    _, header = await give_key(app, connection, "read")
    unknown = f"mom_{'f' * 20}"
    key = ("--api-key", header["Authorization"].removeprefix("Bearer "))
    wrong = [
        (await run(), "--api-key"),
        (await run("show", unknown, *key), unknown),
        (await run(*key, "--state", "shut"), "state"),
        (await run("ack", MOMENT_ID, *key), "operate"),
        (await run("shelve", MOMENT_ID, "--until", "later", *key), "'later'"),
        (await run("--url", "http://127.0.0.1:1"), "No API answers"),
    ]
    for done, word in wrong:
        assert (done.code, done.out) == (1, ""), done
        assert word in done.err
        assert done.err.count("\n") == 1
    assert (await run(*key)).code == 0


async def test_following_tells_what_is_there_and_what_comes(
    served: str, tmp_path: Path, flow: Flow
):
    await find(flow, make_moment())
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "infra.cli", "moments", "--url", f"http://{served}"),
        *("--follow", "--json"),
        cwd=REPOSITORY,
        env={"TELEMETRA_DATA_DIR": str(tmp_path)},
        stdout=asyncio.subprocess.PIPE,
    )

    async def read() -> dict[str, object]:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        told: dict[str, object] = orjson.loads(line)
        return told

    try:
        assert (await read())["ended_at"] is None
        await find(flow, make_moment(revision=2, ended_at=START + MINUTE))
        assert (await read())["revision"] == 2
    finally:
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 130
