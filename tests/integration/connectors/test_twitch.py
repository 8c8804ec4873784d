"""Twitch from the socket to the database: every minute is what was said, whatever happened."""

import asyncio
from collections.abc import AsyncIterator, MutableMapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from api.app import build_app
from core.clock import SystemClock
from core.settings import Settings
from core.tasks import end
from infra.services.ports import choose_port
from streaming.connectors.pauses import BackOffPolicy
from streaming.connectors.twitch.chats import ChatPolicy, ChatSource
from streaming.connectors.twitch.joins import JoinPolicy
from streaming.connectors.twitch.sockets import SocketPolicy
from tests.fixtures.apis import TaskServer
from tests.fixtures.chat_servers import END, ChatServer
from tests.fixtures.conversations import CHANNELS, MINUTES, Conversation, Line
from tests.fixtures.events import Event
from tests.fixtures.expectations import CHAT_EXACT, recompute_chat, recompute_transactions
from tests.fixtures.flows import Flow
from tests.fixtures.outlets import Gate, sending
from tests.fixtures.proxies import Proxy, proxying
from tests.fixtures.waiting import eventually

LINES = 10_000
FRAME_LINES = 40
UNSURE_LINES = 300
"""On their way when a connection is cut; the server says them again, and some more."""


class Api:
    """The API behind a real server, which may end and come back at the same place.

    Its way to Redis may be cut.
    """

    def __init__(self, settings: Settings, redis: Proxy) -> None:
        self._settings = settings
        self.redis = redis
        self._port = choose_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._server: TaskServer | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        app = build_app(self._settings)
        server = TaskServer(app, host="127.0.0.1", port=self._port)
        self._server, self._task = server, asyncio.create_task(server.serve())
        await eventually(lambda: server.started)

    async def stop(self) -> None:
        assert self._server is not None
        assert self._task is not None
        self._server.should_exit = True
        await self._task


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[Api]:
    async with proxying(settings.require_redis_url()) as (proxy, url):
        api = Api(settings.model_copy(update={"redis_url": url}), proxy)
        await api.start()
        yield api
        await api.stop()


@pytest.fixture
def beginning() -> datetime:
    """Half an hour ago, at the start of a minute."""
    return SystemClock().now().replace(second=0, microsecond=0) - timedelta(minutes=30)


@pytest.fixture
def conversation(beginning: datetime) -> list[Line]:
    """What is said, on three channels."""
    return Conversation(beginning, LINES, prefix="tw-").draw()


@asynccontextmanager
async def connected(server: ChatServer, api: Api) -> AsyncIterator[Gate]:
    """Run the connector for the length of a block."""
    soon = BackOffPolicy(first_s=0.05, max_s=0.05)
    policy = ChatPolicy(
        SocketPolicy(server.url, answer_s=5.0),
        JoinPolicy(per_s=0.0),
        soon,
        channels_a_socket_max=2,
    )
    async with sending(api.url) as gate:
        source = ChatSource(CHANNELS, "tw-", SystemClock(), policy)
        task = asyncio.create_task(source.read(gate.outlet, gate.health))
        try:
            await eventually(lambda: gate.health.is_connected)
            yield gate
        finally:
            await end(task)
            await gate.outlet.flush()


async def speak(server: ChatServer, lines: Sequence[Line]) -> None:
    """Say lines in frames, each to who is in its channel; every other frame is cut in two."""
    for first in range(0, len(lines), FRAME_LINES):
        part = lines[first : first + FRAME_LINES]
        for guest in list(server.guests):
            heard = [line.text for line in part if line.channel in guest.channels]
            frame = "".join(text + END for text in heard).encode()
            cut = len(frame) // 2 if first % (2 * FRAME_LINES) else len(frame)
            for piece in (frame[:cut], frame[cut:]):
                if piece:
                    await guest.connection.send(piece)


async def wait_until_blocked(logs: Sequence[MutableMapping[str, Any]], reason: str) -> None:
    """Wait until the connector has been sent away for a reason."""
    await eventually(
        lambda: any(
            line["event"] == "request_blocked" and line["reason"].startswith(reason)
            for line in list(logs)
        )
    )


def list_events(lines: Sequence[Line]) -> list[Event]:
    return [event for line in lines for event in line.events]


async def assert_exact(
    connection: asyncpg.Connection, flow: Flow, events: list[Event], until: datetime
) -> None:
    """Hold all minutes against a recomputation."""
    await flow.pump()
    await flow.close(until)
    rows = await connection.fetch("SELECT * FROM chat_summary_minute")
    expected = recompute_chat(events)
    stored = {(row["stream_id"], row["window_start"]): dict(row) for row in rows}
    assert stored.keys() == expected.keys()
    assert len(stored) == len(CHANNELS) * MINUTES
    for key, row in stored.items():
        row["top_emotes"] = [
            {"emote": emote, "count": row["emote_counts"][emote]} for emote in row["top_emotes"]
        ]
        wanted = {name: expected[key][name] for name in CHAT_EXACT}
        assert {name: row[name] for name in CHAT_EXACT} == wanted, key
    assert await read_transactions(connection) == recompute_transactions(events)
    raw = await connection.fetchval("SELECT count(*) FROM transactions")
    assert raw == sum(event["type"] == "transaction" for event in events)
    assert await connection.fetchval("SELECT coalesce(sum(events), 0) FROM late_events") == 0


async def count(flow: Flow, connection: asyncpg.Connection) -> int:
    """Return how many messages and transactions have been counted."""
    await flow.pump()
    chats = await connection.fetchval("SELECT sum(chat_count) FROM chat_summary_minute")
    return int(chats or 0) + int(await connection.fetchval("SELECT count(*) FROM transactions"))


async def read_transactions(
    connection: asyncpg.Connection,
) -> dict[tuple[str, str, str, datetime], dict[str, Any]]:
    rows = await connection.fetch("SELECT * FROM transaction_summary_minute")
    return {
        (row["stream_id"], row["kind"], row["currency"], row["window_start"]): {
            "count": row["count"],
            "sum": row["sum"],
        }
        for row in rows
    }


async def test_a_conversation_of_ten_thousand_lines_is_counted_exactly(
    chat_server: ChatServer,
    api: Api,
    flow: Flow,
    connection: asyncpg.Connection,
    conversation: list[Line],
    beginning: datetime,
):
    events = list_events(conversation)
    raids = sum(" USERNOTICE " in line.text and "msg-id=raid" in line.text for line in conversation)
    assert raids
    async with connected(chat_server, api) as gate:
        await speak(chat_server, conversation)
        await eventually(lambda: gate.health.accepted, holds=lambda n: n == len(events) + raids)
    assert gate.health.refused == 0
    await assert_exact(connection, flow, events, beginning + timedelta(hours=2))


async def test_cut_asked_to_reconnect_and_without_api_and_redis_it_counts_the_same(
    chat_server: ChatServer,
    api: Api,
    flow: Flow,
    connection: asyncpg.Connection,
    conversation: list[Line],
    beginning: datetime,
):
    events = list_events(conversation)
    async with connected(chat_server, api) as gate:
        await speak(chat_server, conversation[:3000])
        # A new socket takes over, and for a while both are told everything.
        await chat_server.send(f":tmi.twitch.tv RECONNECT{END}")
        await eventually(lambda: chat_server.connections >= 4)
        await speak(chat_server, conversation[3000:4000])
        await eventually(lambda: len(chat_server.guests) == 2)

        # All connections are cut, with lines on their way that may be lost; the server repeats.
        sure = len(list_events(conversation[: 6000 - UNSURE_LINES]))
        await speak(chat_server, conversation[4000:6000])
        await eventually(lambda: gate.health.accepted >= sure)
        chat_server.drop()
        await eventually(lambda: gate.health.failures == 2)
        await eventually(lambda: gate.health.is_connected)
        await speak(chat_server, conversation[6000 - 2 * UNSURE_LINES : 7000])

        # Redis is cut off, perhaps after it took a body and before it could say so.
        with capture_logs() as logs:
            api.redis.cut()
            await speak(chat_server, conversation[7000:8000])
            await wait_until_blocked(logs, "status 503")
            api.redis.mend()

        # The API ends, and comes back when more has been said.
        with capture_logs() as logs:
            await api.stop()
            await speak(chat_server, conversation[8000:9000])
            await wait_until_blocked(logs, "ConnectionRefused")
            await api.start()
        await speak(chat_server, conversation[9000:])
        await eventually(lambda: count(flow, connection), holds=lambda n: n >= len(events))
    assert gate.health.refused == 0
    await assert_exact(connection, flow, events, beginning + timedelta(hours=2))
