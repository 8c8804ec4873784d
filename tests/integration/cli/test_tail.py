"""``telemetra tail`` and ``top`` as processes: lines, reconnecting, refusals, and Ctrl-C."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import orjson
import pytest

from api.app import build_app
from core.settings import REPOSITORY, Settings
from tests.fixtures.api_keys import make_key
from tests.fixtures.apis import TaskServer, serving
from tests.fixtures.events import STREAM, chat
from tests.fixtures.waiting import eventually
from tests.integration.api.sockets import Post
from tests.integration.cli.conftest import Run

MINUTE = timedelta(minutes=1)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    names = ("PATH", "HOME", "LANG")
    kept = {name: os.environ[name] for name in names if name in os.environ}  # noqa: TID251
    return kept | {"TELEMETRA_DATA_DIR": str(tmp_path), "PYTHONPATH": str(REPOSITORY)}


async def _start(environment: dict[str, str], *words: str) -> asyncio.subprocess.Process:
    """Run a command into a pipe."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "infra.cli", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
        cwd=REPOSITORY,
    )


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()


async def read_line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(60):
        line = await process.stdout.readline()
    if not line:
        assert process.stderr is not None
        raise AssertionError((await process.stderr.read()).decode())
    return line.decode().rstrip("\n")


async def read_until(process: asyncio.subprocess.Process, holds: Callable[[str], bool]) -> str:
    while not holds(line := await read_line(process)):
        pass
    return line


async def interrupt(process: asyncio.subprocess.Process) -> tuple[int, str]:
    """Press Ctrl-C and return the exit code and what was said of it."""
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(30):
        _, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, err.decode()


async def test_minutes_come_as_lines_until_ctrl_c(
    served: str, environment: dict[str, str], post: Post, minute: datetime
):
    await post(chat(minute - 2 * MINUTE))
    process = await _start(environment, "tail", STREAM, "--url", f"http://{served}")
    try:
        heads = [await read_line(process) for _ in range(4)]
        assert heads[0].split("\t")[:3] == ["# time", "minute", "messages"]
        line = await _tell_until_heard(process, lambda: post(chat(minute), chat(minute - MINUTE)))
        starts = [f"{minute - back * MINUTE:%Y-%m-%dT%H:%M:%SZ}" for back in (1, 2)]
        assert line.split("\t")[0] in starts
        assert len(line.split("\t")) == len(heads[0].split("\t"))
        assert await interrupt(process) == (130, "")
    finally:
        await _end(process)


def _is_minute(line: str) -> bool:
    return "\tminute\t" in line or '"type":"minute"' in line


async def _tell_until_heard(
    process: asyncio.subprocess.Process, tell: Callable[[], Awaitable[None]]
) -> str:
    # What is told before the socket is there is missed, so it is told until it is heard.
    reading = asyncio.create_task(read_until(process, _is_minute))
    async with asyncio.timeout(60):
        while not reading.done():
            await tell()
            await asyncio.wait([reading], timeout=0.2)
    return await reading


async def test_it_comes_back_to_an_api_that_was_away_and_misses_nothing(
    settings: Settings, environment: dict[str, str], post: Post, minute: datetime
):
    # Events come in through another API process, which stays; each revises a minute.
    closed, past = minute - 2 * MINUTE, f"{minute - 2 * MINUTE:%Y-%m-%dT%H:%M:%SZ}"
    await post(chat(minute), chat(closed))
    process: asyncio.subprocess.Process | None = None
    try:
        async with serving(build_app(settings)) as address:
            url = f"http://{address}"
            process = await _start(environment, "tail", STREAM, "--json", "--url", url)
            line = await _tell_until_heard(process, lambda: post(chat(closed)))
            assert orjson.loads(line)["data"]["window_start"] == past
        await post(chat(closed, user="who came while it was away"))
        async with _serving_again(settings, address):
            resumed = orjson.loads(await read_until(process, lambda line: '"resumed"' in line))
            assert resumed["complete"] is True
            missed = orjson.loads(await read_until(process, _is_minute))
            while missed["data"]["unique_chatters"] != 2:
                missed = orjson.loads(await read_until(process, _is_minute))
            assert missed["data"]["window_start"] == past
    finally:
        if process is not None:
            await _end(process)


@asynccontextmanager
async def _serving_again(settings: Settings, address: str) -> AsyncIterator[None]:
    host, _, port = address.rpartition(":")
    server = TaskServer(build_app(settings), host=host, port=int(port))
    task = asyncio.create_task(server.serve())
    try:
        await eventually(lambda: server.started or task.done(), within_s=60)
        yield
    finally:
        server.should_exit = True
        await task


async def test_top_writes_streams_as_lines(run: Run, post: Post, minute: datetime):
    await post(*(chat(minute, stream_id=name) for name in ("a", "b", "b")))
    done = await run("top", "--once", "--sort", "rate")
    assert (done.code, done.err) == (0, "")
    head, *lines = done.out.splitlines()
    assert head.startswith("# time\tstream\t")
    assert [line.split("\t")[1] for line in lines] == ["b", "a"]
    told = orjson.loads((await run("top", "--once", "--json", "--limit", "1")).out)
    assert [stream["stream_id"] for stream in told["streams"]] == ["b"]


@pytest.mark.parametrize("words", [("tail", "nobody"), ("report", "nobody")])
async def test_an_unknown_stream_is_one_clear_line(run: Run, words: tuple[str, ...]):
    done = await run(*words)
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "telemetra: There is no stream 'nobody'. Its first event makes it appear.\n"
    )


@pytest.mark.parametrize("words", [("tail", "a"), ("top",), ("report", "a")])
async def test_no_server_is_one_clear_line(run: Run, words: tuple[str, ...]):
    done = await run(*words, "--url", "http://127.0.0.1:1")
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "telemetra: No API answers at http://127.0.0.1:1 (ConnectError). `telemetra status`?\n"
    )


@pytest.fixture
async def locked(connection: asyncpg.Connection) -> None:
    """A key exists before the server starts, so that it asks for one."""
    await make_key(connection, "read")


@pytest.mark.parametrize("words", [("tail", STREAM), ("top", "--once"), ("report", STREAM)])
async def test_a_key_that_is_refused_is_one_clear_line(
    locked: None, run: Run, words: tuple[str, ...]
):
    del locked
    done = await run(*words, "--api-key", "tm_wrong")
    assert (done.code, done.out) == (1, "")
    assert done.err.count("\n") == 1
    assert "--api-key" in done.err
