"""The connector of Twitch as a process of its own: its command line, its signals, its metrics."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from core.settings import REPOSITORY
from infra.services.ports import choose_port
from tests.fixtures.chat_lines import say
from tests.fixtures.chat_servers import ChatServer
from tests.fixtures.clients import open_client
from tests.fixtures.helix_servers import CLIENT_ID, SECRET, HelixServer, make_stream
from tests.fixtures.servers import follow_us
from tests.fixtures.waiting import eventually
from tests.unit.simulator.scripted_apis import Reply, ScriptedApi

WANTED = {
    'telemetra_connector_connected{connector="twitch"} 1.0',
    'telemetra_connector_events_accepted_total{connector="twitch"} 1.0',
    'telemetra_connector_messages_ignored_total{connector="twitch",kind="ping"} 1.0',
}


@pytest.fixture
def api() -> Iterator[ScriptedApi]:
    with ScriptedApi() as api:
        yield api


@asynccontextmanager
async def running(
    folder: Path, *arguments: str, **env: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *follow_us(signal.SIGKILL),
        *(sys.executable, "-m", "streaming.connectors.twitch", *arguments),
        cwd=REPOSITORY,
        env={"LOG_FORMAT": "json", "TELEMETRA_DATA_DIR": str(folder), "PATH": os.defpath} | env,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def stop(process: asyncio.subprocess.Process, number: int = signal.SIGTERM) -> list[Any]:
    """Stop it as the supervisor does, and return its log."""
    process.send_signal(number)
    _, stderr = await process.communicate()
    assert process.returncode == 0, stderr.decode()
    return [orjson.loads(line) for line in stderr.splitlines()]


def list_events(api: ScriptedApi) -> list[dict[str, Any]]:
    return [orjson.loads(line) for body in api.bodies for line in body.splitlines()]


async def read_metrics(port: int) -> list[str]:
    async with open_client() as client:
        return (await client.get(f"http://127.0.0.1:{port}/metrics")).text.splitlines()


def point_at(api: ScriptedApi, server: ChatServer) -> list[str]:
    return ["--channel", "#North", "--as", "tw-", "--url", api.url, "--chat-url", server.url]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_after_it_has_sent_what_was_said(
    api: ScriptedApi, chat_server: ChatServer, tmp_path: Path, number: int
):
    port = choose_port()
    async with running(tmp_path, *point_at(api, chat_server), f"--metrics-port={port}") as process:
        await eventually(lambda: chat_server.list_hearing("north"))
        await chat_server.say("north", [say("north", "ada", "last words", id="1")])
        # Its pong says that it has read what was said before.
        (guest,) = chat_server.guests
        await chat_server.send("PING :now\r\n")
        await eventually(lambda: "PONG :now" in guest.heard)
        await eventually(lambda: read_metrics(port), holds=lambda page: set(page) >= WANTED)
        # Those of this moment are held, to be read together with others.
        await chat_server.say("north", [say("north", "ada", "and one more", id="2")])
        await chat_server.send("PING :again\r\n")
        await eventually(lambda: "PONG :again" in guest.heard)
        lines = await stop(process, number)
    assert [event["text"] for event in list_events(api)] == ["last words", "and one more"]
    assert list_events(api)[0]["stream_id"] == "tw-north"
    assert lines[-1]["event"] == "connector_stopped"
    assert (lines[-1]["accepted"], lines[-1]["refused"]) == (2, 0)


async def test_viewers_are_told_beside_the_chat_when_there_is_a_key(
    api: ScriptedApi, chat_server: ChatServer, helix_server: HelixServer, tmp_path: Path
):
    helix_server.go_live(make_stream("north", id="7", viewers=48_200))
    urls = f"--helix-url={helix_server.url}/helix", f"--token-url={helix_server.url}/oauth2/token"
    env = {"TWITCH_CLIENT_ID": CLIENT_ID, "TWITCH_CLIENT_SECRET": SECRET}
    async with running(tmp_path, *point_at(api, chat_server), *urls, **env) as process:
        await eventually(lambda: chat_server.list_hearing("north"))
        await eventually(lambda: list_events(api))
        log = await stop(process)
    events = {event["type"]: event for event in list_events(api)}
    assert events["viewers"]["value"] == 48_200
    assert events["meta"]["event"] == "stream_start"
    assert events["viewers"]["stream_id"] == events["meta"]["stream_id"] == "tw-north"
    assert SECRET not in str(log)


async def test_a_wrong_key_leaves_the_chat_alone(
    api: ScriptedApi, chat_server: ChatServer, helix_server: HelixServer, tmp_path: Path
):
    urls = f"--helix-url={helix_server.url}/helix", f"--token-url={helix_server.url}/oauth2/token"
    env = {"TWITCH_CLIENT_ID": CLIENT_ID, "TWITCH_CLIENT_SECRET": "wrong"}
    async with running(tmp_path, *point_at(api, chat_server), *urls, **env) as process:
        await eventually(lambda: chat_server.list_hearing("north"))
        await chat_server.say("north", [say("north", "ada", "hello", id="1")])
        await eventually(lambda: list_events(api))
        log = await stop(process)
    (reason,) = {line["reason"] for line in log if line["event"] == "source_lost"}
    assert "TWITCH_CLIENT_SECRET" in reason


async def test_what_the_api_refuses_is_kept_in_a_file(chat_server: ChatServer, tmp_path: Path):
    errors = [{"index": 0, "reason": "user is missing"}]
    refused = orjson.dumps({"accepted": 0, "rejected": 1, "errors": errors})
    with ScriptedApi([Reply(202, body=refused)]) as api:
        path = tmp_path / "refused.ndjson"
        arguments = (*point_at(api, chat_server), "--rejected", str(path))
        async with running(tmp_path, *arguments) as process:
            await eventually(lambda: chat_server.list_hearing("north"))
            await chat_server.say("north", ["PRIVMSG #north :by nobody"])
            await eventually(lambda: path.exists() and path.read_bytes())
            await stop(process)
    assert orjson.loads(path.read_bytes())["reason"] == "user is missing"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--channel"),
        (["--channel", "no spaces"], "no channel"),
        (["--channel", ","], "no channel"),
        (["--channel", "a" * 26], "no channel"),
        (["--channel", "a", "--as", "ä"], "--as"),
        (["--channel", "a", "--chat-url", "http://x"], "--chat-url"),
        (["--channel", "a", "--url", "nowhere"], "--url"),
        (["--channel", ",".join(f"c{n}" for n in range(1001))], "1000"),
    ],
)
async def test_a_wrong_command_line_is_refused_with_a_word(
    tmp_path: Path, arguments: list[str], words: str
):
    async with running(tmp_path, *arguments) as process:
        _, stderr = await process.communicate()
    assert process.returncode == 2
    assert words in stderr.decode().splitlines()[-1]


async def test_half_a_key_stops_the_start(tmp_path: Path):
    async with running(tmp_path, "--channel", "a", TWITCH_CLIENT_ID="x") as process:
        _, stderr = await process.communicate()
    assert process.returncode == 1
    assert "belong together" in stderr.decode().splitlines()[-1]
