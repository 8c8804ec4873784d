"""A session of a test bench, from its begin to its export, over HTTP and a socket only.

The API and the flow are processes of their own; the notes of moments are written by the loop that
the jobs run.
"""

import asyncio
import shlex
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import orjson
import pytest
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection, connect

from core.clock import SystemClock
from core.settings import Settings
from core.tasks import end
from db.pool import Pool
from streaming.bus.session_news import SessionNews
from streaming.jobs.moment_notes import keep_moment_notes
from tests.fixtures.api_keys import make_key, wait_until_known
from tests.fixtures.api_processes import ApiProcess
from tests.fixtures.clients import open_client
from tests.fixtures.flows import FlowProcess
from tests.fixtures.pages import list_blocks, read_example
from tests.fixtures.uproars import CALM_MINUTES, UPROAR, chat, send
from tests.fixtures.waiting import eventually

SESSIONS = "/api/sessions"
BENCH = "bench-07"


@pytest.fixture
async def moment_notes(settings: Settings, redis_client: Redis) -> AsyncIterator[None]:
    """The loop that writes notes of moments."""
    pool, stop = Pool(settings, process="jobs"), asyncio.Event()
    news = SessionNews(redis_client)
    news.start()
    url = settings.require_database_url()
    task = asyncio.create_task(keep_moment_notes(url, pool, news, SystemClock(), stop))
    yield
    stop.set()
    await end(task)
    await news.stop()
    await pool.close()


async def hear(socket: ClientConnection, event: str) -> dict[str, Any]:
    """Return the data of the next event of a name, passing over others."""
    return (await hear_all(socket, event))[event]


async def hear_all(socket: ClientConnection, *events: str) -> dict[str, dict[str, Any]]:
    """Return the data of the next event of each name, in whichever order they come."""
    heard: dict[str, dict[str, Any]] = {}
    async with asyncio.timeout(90):
        while len(heard) < len(events):
            told = orjson.loads(await socket.recv())
            assert told["event"] != "error.occurred", told
            if told["event"] in events:
                heard.setdefault(told["event"], told["data"])
    return heard


async def wait_for_flow(url: str) -> None:
    """Wait until the flow takes what comes: at its start it tells that something may be missing."""
    async with open_client(url) as client:
        await send(client, [chat("first", SystemClock().now(), 0)])

        async def is_there() -> bool:
            return (await client.get("/api/v1/streams/first")).is_success

        await eventually(is_there, within_s=90)


async def make_uproar(client: httpx.AsyncClient) -> None:
    """Send a calm quarter of an hour, and now a minute's worth of messages at once."""
    now = SystemClock().now()
    minute = now.replace(second=0, microsecond=0)
    calm = [
        chat(BENCH, minute - timedelta(minutes=back, seconds=-7 * n), n)
        for back in range(CALM_MINUTES, 0, -1)
        for n in range(5 + back % 3)
    ]
    await send(client, calm)
    await send(client, [chat(BENCH, now - timedelta(milliseconds=8 * n), n) for n in range(UPROAR)])


async def test_a_session_from_its_begin_to_its_export(
    api_process: ApiProcess,
    flow_process: FlowProcess,
    moment_notes: None,
    connection: asyncpg.Connection,
):
    del moment_notes
    flow_process.start()
    await api_process.start()
    await wait_for_flow(api_process.url)
    _, headers = await make_key(connection, "read", "operate", "ingest", streams=["bench*"])
    key = headers["Authorization"][7:]
    await asyncio.to_thread(wait_until_known, api_process.url, key)
    async with open_client(api_process.url, headers=headers) as client:
        wish = {"name": "Hot start", "stream_ids": [BENCH]}
        session = (await client.post(f"{SESSIONS}/", json=wish)).json()
        path = f"{SESSIONS}/{session['id']}"
        address = f"{api_process.url.replace('http', 'ws')}/ws/sessions/{session['id']}"
        async with connect(address, additional_headers=headers) as socket:
            await hear(socket, "connected")
            now = SystemClock().now()
            point = {"timestamp": now.isoformat(), "channel": "temp", "value": 20.5, "unit": "°C"}
            assert (await client.post(f"{path}/telemetry", json=point)).status_code == 201
            # Read at once, as front ends do.
            latest = await client.get(f"{path}/telemetry/latest", params={"channel": "temp"})
            assert latest.json()["value"] == 20.5
            assert (await hear(socket, "telemetry.point"))["value"] == 20.5

            note = {"timestamp": SystemClock().now().isoformat(), "content": "Valve | opened"}
            written = (await client.post(f"{path}/notes", json=note)).json()
            assert written["telemetry_snapshot"]["temp"]["value"] == 20.5
            assert (await hear(socket, "note.created"))["id"] == written["id"]

            await make_uproar(client)
            told = await hear_all(socket, "moment.detected", "note.created")
            moment, system = told["moment.detected"], told["note.created"]
            assert (system["moment_id"], system["type"]) == (moment["moment_id"], "system")

            ended = (await client.patch(path, json={"status": "ended"})).json()
            data = await hear(socket, "session.ended")
            assert data["ended_at"] == ended["ended_at"]
            assert data["summary"]["notes"] == {"observation": 1, "system": 1}
            assert data["summary"]["channels"][0]["last"] == 20.5
            assert sum(data["summary"]["moments"].values()) >= 1
        found = (await client.get(f"{path}/notes", params={"q": "valve"})).json()
        assert [each["id"] for each in found] == [written["id"]]
        text = (await client.get(f"{path}/notes/export", params={"format": "markdown"})).text
        assert r"Valve \| opened" in text
        assert moment["description"].partition(":")[0] in text
        whole = (await client.get(f"{path}/notes/export", params={"format": "json"})).json()
        assert whole["moments"][0]["moment_id"] == moment["moment_id"]

        await follow_the_page(client, api_process.url, key, session["id"])


async def follow_the_page(client: httpx.AsyncClient, url: str, key: str, session_id: str) -> None:
    """Send what the page about sessions sends, as it is printed."""
    blocks = [block for block in list_blocks("sessions.md") if block.startswith("curl ")]
    assert len(blocks) == 2
    for block in blocks:
        example = read_example("sessions.md", block, url=url, key=key)
        words = shlex.split(example.replace("sess_0123456789abcdef", session_id))
        where = next(word for word in words if word.startswith(url))
        shown = [words[n + 1] for n, word in enumerate(words) if word == "-H"]
        answer = await client.post(
            where,
            content=words[words.index("-d") + 1],
            headers=dict(each.split(": ", 1) for each in shown),
        )
        assert answer.status_code == 201, answer.text
