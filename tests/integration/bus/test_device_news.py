"""Device news beside the API: heard by who listens, told to the hubs, and honest about gaps."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import redis.asyncio

from core.device_news import CHANNEL, LINK, pack_payload, tell_device, unpack_payload
from core.live import LiveMessage
from streaming.bus.device_news import DeviceNews
from tests.fixtures.proxies import proxying
from tests.fixtures.waiting import eventually


def tell_link(device_id: str, state: str = "gone") -> LiveMessage:
    return tell_device(device_id, LINK, device_id, {"state": state})


@asynccontextmanager
async def hearing(url: str) -> AsyncIterator[DeviceNews]:
    async with redis.asyncio.Redis.from_url(url) as client:
        news = DeviceNews(client)
        news.start()
        try:
            await eventually(lambda: news.is_hearing)
            yield news
        finally:
            await news.stop()


async def test_who_listens_hears_its_device_and_no_junk_ends_that(
    redis_client: redis.asyncio.Redis, redis_url: str
) -> None:
    heard: list[LiveMessage | None] = []

    def listen(message: LiveMessage | None) -> None:
        heard.append(message)
        if message is not None and message.key == "odd":
            raise ValueError

    async with hearing(redis_url) as news:
        news.listen("oven_1", listen)
        other = [tell_link("oven_2"), tell_link("oven_1")]
        odd = LiveMessage("oven_1", LINK, "odd", b"{")
        for payload in (b"junk", b"me\nhalf", pack_payload("me", [odd]), pack_payload("me", other)):
            await redis_client.publish(CHANNEL, payload)
        await eventually(lambda: len(heard) == 2)
        assert heard == [odd, other[1]]
        # What it tells itself it does not hear; what comes later it does.
        news.tell([tell_link("oven_1", "mine")])
        await redis_client.publish(CHANNEL, pack_payload("me", [tell_link("oven_1", "last")]))
        await eventually(lambda: len(heard) == 3)
        assert heard[2] == tell_link("oven_1", "last")
        news.forget("oven_1", listen)
        await redis_client.publish(CHANNEL, pack_payload("me", [tell_link("oven_1")]))
        news.listen("oven_3", heard.append)
        await redis_client.publish(CHANNEL, pack_payload("me", [tell_link("oven_3")]))
        await eventually(lambda: len(heard) == 4)
        assert heard[3] == tell_link("oven_3")


async def test_what_is_told_last_is_sent_before_the_end(
    redis_client: redis.asyncio.Redis, redis_url: str
) -> None:
    async with redis_client.pubsub() as listening:
        await listening.subscribe(CHANNEL)
        async with hearing(redis_url) as news:
            news.tell([tell_link("oven_1")])
        message = await eventually(
            lambda: listening.get_message(ignore_subscribe_messages=True, timeout=1)
        )
    assert message is not None
    assert unpack_payload(message["data"]).messages == [tell_link("oven_1")]


async def test_a_gap_is_told_to_who_listens(redis_client: redis.asyncio.Redis, redis_url: str):
    async with proxying(redis_url) as (proxy, url), hearing(url) as news:
        heard: list[LiveMessage | None] = []
        news.listen("oven_1", heard.append)
        proxy.cut()
        await eventually(lambda: heard == [None] and not news.is_hearing)
        # Lost, and not waited for.
        news.tell([tell_link("oven_1", "lost")])
        proxy.mend()
        await eventually(lambda: news.is_hearing)
        assert set(heard) == {None}
        assert len(heard) > 1
        await redis_client.publish(CHANNEL, pack_payload("me", [tell_link("oven_1")]))
        await eventually(lambda: heard[-1] == tell_link("oven_1"))
