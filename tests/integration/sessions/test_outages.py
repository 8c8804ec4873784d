"""Outages of Redis: nothing fails, and whoever may have missed something is told to read again."""

import asyncio
from typing import Any

import orjson
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from websockets.asyncio.client import ClientConnection, connect

from api.app import build_app
from core.session_events import SessionEvent, channel_of_session, unpack_event
from core.settings import Settings
from streaming.bus.session_news import SessionNews
from tests.fixtures.apis import serving
from tests.fixtures.clients import open_client
from tests.fixtures.proxies import proxying
from tests.fixtures.waiting import eventually

SID = "sess_0123456789abcdef"


async def test_what_could_not_be_told_is_counted_and_said_when_redis_is_back(
    redis_url: str, redis_client: Redis
):
    async with (
        proxying(redis_url) as (proxy, url),
        Redis.from_url(url, socket_timeout=0.2, retry=Retry(NoBackoff(), 0)) as slow,
        redis_client.pubsub() as heard,
    ):
        news = SessionNews(slow)
        news.start()
        try:
            await heard.subscribe(channel_of_session(SID))
            proxy.hang()
            note = SessionEvent(SID, "note.created", {"id": "note_1"})
            await news.tell(note, note)
            await news.tell(note)
            proxy.go_on()

            async def hear() -> list[SessionEvent]:
                message = await heard.get_message(ignore_subscribe_messages=True, timeout=0.1)
                return [unpack_event(message["data"])] if message else []

            # What was on its way when the connection broke may come after all.
            (told,) = await eventually(hear)
            while told.event == "note.created":
                (told,) = await eventually(hear)
            assert (told.event, told.data["lost"]) == ("error.occurred", 3)
            # From now on everything is told as before.
            await eventually(lambda: _tell_until_heard(news, note, hear))
        finally:
            await news.stop()


async def _tell_until_heard(news: SessionNews, note: SessionEvent, hear: Any) -> bool:
    await news.tell(note)
    return [told.event for told in await hear()] == ["note.created"]


async def test_who_connects_while_redis_is_away_is_told_to_read_again_when_it_is_back(
    settings: Settings, redis_url: str
):
    async with proxying(redis_url) as (proxy, url):
        behind = settings.model_copy(update={"redis_url": url})
        async with serving(build_app(behind)) as address:
            async with open_client(f"http://{address}", timeout=30) as client:
                made = (await client.post("/api/v1/sessions", json={"name": "x"})).json()
            proxy.hang()
            async with connect(f"ws://{address}/ws/sessions/{made['id']}") as socket:
                assert (await _receive(socket))["event"] == "connected"
                proxy.go_on()
                told = await _receive(socket)
                assert told["event"] == "error.occurred"
                assert "Read the session again" in told["data"]["detail"]


async def _receive(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while (told := orjson.loads(await socket.recv()))["event"] == "ping":
            pass
    message: dict[str, Any] = told
    return message
