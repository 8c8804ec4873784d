"""Subscriptions: what keeps Redis told of the shards that are listened to."""

import asyncio

import pytest
from redis.asyncio import Redis

from api.live.subscriptions import Subscriptions
from core.live import channel_of_shard

ROUNDS_MAX = 12
"""Rounds of the event loop in which a command is sent and its sending is over."""


async def ignore(shard: int) -> None:
    """Have nothing to make up for."""


@pytest.mark.parametrize("rounds", range(ROUNDS_MAX))
async def test_they_stop_also_in_the_very_moment_a_command_is_sent(redis_url: str, rounds: int):
    async with Redis.from_url(redis_url, socket_timeout=5) as client:
        subscriptions = Subscriptions(
            client, channel_of_shard, hear=lambda _, __: None, make_up=ignore
        )
        subscriptions.start()
        subscriptions.add([0])
        await subscriptions.wait_until_heard([0])
        subscriptions.remove([0])
        for _ in range(rounds):
            await asyncio.sleep(0)
        async with asyncio.timeout(5):
            await subscriptions.stop()
