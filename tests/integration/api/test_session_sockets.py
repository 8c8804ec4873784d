"""Sockets of sessions: what is told, in which words, and what when something fails."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest
import websockets
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection, connect

from core.clock import SystemClock
from core.session_events import SessionEvent, channel_of_session, pack_event
from streaming.bus.session_news import SessionNews
from tests.fixtures.api_keys import make_key
from tests.fixtures.clients import open_client
from tests.fixtures.events import reading
from tests.fixtures.flows import Flow
from tests.fixtures.waiting import eventually
from tests.integration.api.sockets import Post, receive

SESSIONS = "/api/v1/sessions"
UNKNOWN = "sess_0123456789abcdef"


@pytest.fixture
async def api(served: str) -> AsyncIterator[httpx.AsyncClient]:
    async with open_client(f"http://{served}") as client:
        yield client


async def create(api: httpx.AsyncClient, *streams: str) -> str:
    made = await api.post(SESSIONS, json={"name": "x", "stream_ids": [*streams]})
    session_id: str = made.json()["id"]
    return session_id


@asynccontextmanager
async def following(address: str, session_id: str) -> AsyncIterator[ClientConnection]:
    async with connect(f"ws://{address}/ws/sessions/{session_id}") as socket:
        greeting = await receive(socket)
        assert (greeting["event"], greeting["session_id"]) == ("connected", session_id)
        yield socket


async def hear(socket: ClientConnection, event: str) -> dict[str, Any]:
    """Return the data of the next event of a name, passing over others."""
    while (told := await receive(socket))["event"] != event:
        pass
    data: dict[str, Any] = told["data"]
    return data


async def test_notes_the_end_and_changes_are_told_as_they_are_stored(
    served: str, api: httpx.AsyncClient
):
    session_id = await create(api)
    path = f"{SESSIONS}/{session_id}"
    async with following(served, session_id) as socket:
        wish = {"timestamp": "2026-01-26T10:00:00Z", "content": "seen"}
        note = (await api.post(f"{path}/notes", json=wish)).json()
        assert await hear(socket, "note.created") == note
        where = f"{path}/notes/{note['id']}"
        changed = (await api.put(where, json={"content": "heard"})).json()
        assert await hear(socket, "note.updated") == changed
        # What changes nothing is no news.
        await api.put(where, json={"content": "heard"})
        deleted = (await api.delete(where)).json()
        assert await hear(socket, "note.deleted") == deleted
        restored = (await api.post(f"{where}/restore")).json()
        assert await hear(socket, "note.created") == restored
        named = (await api.patch(path, json={"name": "y"})).json()
        assert await hear(socket, "session.updated") == named
        ended = (await api.patch(path, json={"status": "ended"})).json()
        data = await hear(socket, "session.ended")
        summary = data.pop("summary")
        assert (data, summary["notes"]) == (ended, {"observation": 1})


async def test_points_of_its_own_and_of_streams_that_it_looks_at_are_told_by_their_names(
    served: str, api: httpx.AsyncClient, flow: Flow, post: Post
):
    session_id = await create(api, "bench")
    now = SystemClock().now()
    async with following(served, session_id) as socket:
        point = {"timestamp": now.isoformat(), "channel": "temp", "value": 1.5, "unit": "V"}
        await api.post(f"{SESSIONS}/{session_id}/telemetry", json=point)
        await flow.pump()
        data = await hear(socket, "telemetry.point")
        assert (data["channel"], data["value"], data["unit"]) == ("temp", 1.5, "V")
        await post(reading(now, 2.5, "load", stream_id="bench"))
        data = await hear(socket, "telemetry.point")
        assert (data["channel"], data["value"]) == ("bench/load", 2.5)
        # A stream that is looked at from now on is heard without another connection.
        await api.patch(f"{SESSIONS}/{session_id}", json={"stream_ids": ["other"]})
        await hear(socket, "session.updated")
        heard = asyncio.create_task(hear(socket, "telemetry.point"))
        number = 0
        while not heard.done():
            number += 1
            later = now + timedelta(seconds=number)
            await post(reading(later, 4.5, "load", stream_id="other"))
            await asyncio.wait([heard], timeout=0.2)
        assert heard.result()["channel"] == "other/load"


async def test_who_pings_gets_an_answer_and_who_says_something_else_a_word(
    served: str, api: httpx.AsyncClient
):
    session_id = await create(api)
    async with following(served, session_id) as socket:
        for text in ("ping", '{"event":"ping"}', '{"type": "ping"}'):
            await socket.send(text)
            assert (await receive(socket))["event"] == "pong"
        for text in ("{", "[]", '{"event":"sing"}', "7", ""):
            await socket.send(text)
            assert (await receive(socket))["event"] == "error.occurred"


@pytest.mark.parametrize("session_id", [UNKNOWN, "x", "sess_%00", "%27;%20DROP%20TABLE%20sessions"])
async def test_an_unknown_session_is_accepted_and_closed_with_its_code(
    served: str, session_id: str
):
    async with connect(f"ws://{served}/ws/sessions/{session_id}") as socket:
        with pytest.raises(websockets.ConnectionClosed):
            await socket.recv()
        assert socket.close_code == 4004


async def test_a_socket_without_a_good_key_or_out_of_reach_is_closed_with_its_code(
    served: str, api: httpx.AsyncClient, connection: asyncpg.Connection
):
    session_id = await create(api, "bench")
    _, good = await make_key(connection, "read", streams=["bench"])
    _, other = await make_key(connection, "read", streams=["else"])
    for headers, code in ((good, 0), (other, 4004), ({"X-API-Key": "tk_no"}, 4401), ({}, 4401)):

        async def knock(headers: dict[str, str] = headers) -> int:
            path = f"ws://{served}/ws/sessions/{session_id}"
            async with connect(path, additional_headers=headers) as socket:
                try:
                    await socket.recv()
                except websockets.ConnectionClosed:
                    return socket.close_code or 0
            return 0

        await eventually(knock, holds=code.__eq__)


async def test_the_sockets_of_a_deleted_session_are_closed(served: str, api: httpx.AsyncClient):
    session_id = await create(api)
    async with following(served, session_id) as socket:
        assert (await api.delete(f"{SESSIONS}/{session_id}")).status_code == 200
        await hear(socket, "session.deleted")
        await socket.wait_closed()
        assert socket.close_code == 4004


async def test_tasks_of_other_processes_are_told(
    served: str, api: httpx.AsyncClient, redis_client: Redis
):
    session_id = await create(api)
    news = SessionNews(redis_client)
    async with following(served, session_id) as socket:
        task = {"id": "stt_1", "status": "done", "transcript": "hello"}
        await redis_client.publish(channel_of_session(session_id), b"no event")
        await news.tell(
            SessionEvent(session_id, "stt.task.updated", {**task, "status": "running"}),
            SessionEvent(session_id, "stt.task.done", task),
        )
        assert (await hear(socket, "stt.task.updated"))["status"] == "running"
        assert await hear(socket, "stt.task.done") == task


async def test_clients_are_told_to_read_again_when_the_connection_to_redis_broke(
    served: str, api: httpx.AsyncClient, redis_client: Redis
):
    session_id = await create(api)
    async with following(served, session_id) as socket:
        await redis_client.client_kill_filter(_type="pubsub")
        assert "Read the session again" in (await hear(socket, "error.occurred"))["detail"]
        await api.patch(f"{SESSIONS}/{session_id}", json={"name": "y"})
        assert (await hear(socket, "session.updated"))["name"] == "y"


async def test_a_client_that_is_slow_hears_how_many_notes_it_lost_and_the_newest_of_each_channel(
    served: str, api: httpx.AsyncClient, redis_client: Redis
):
    session_id = await create(api)
    async with following(served, session_id) as socket:
        # More than fits into the buffers between the two, while nothing is read.
        text = "x" * 100_000
        events = [
            SessionEvent(session_id, "note.created", {"id": f"note_{number}", "content": text})
            for number in range(1500)
        ]
        for event in events:
            await redis_client.publish(channel_of_session(session_id), pack_event(event))
        got = lost = 0
        while got + lost < len(events):
            told = await receive(socket)
            got += told["event"] == "note.created"
            lost += told["data"].get("lost", 0) if told["event"] == "error.occurred" else 0
        assert (got + lost, lost > 0) == (len(events), True)
