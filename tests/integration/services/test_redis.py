"""The private Redis server, really run."""

import asyncio
import socket
import stat
from subprocess import Popen

import psutil
import pytest
from redis.asyncio import Redis as Client
from redis.exceptions import AuthenticationError, RedisError

from infra.services.ports import LOOPBACK
from infra.services.redis import Redis
from tests.integration.services.servers import running

WRITES_BEFORE_KILL = 500


async def append_until_killed(service: Redis, process: Popen[bytes]) -> list[bytes | str]:
    """Append entries one by one while the server is killed; return the acknowledged ids."""
    acknowledged: list[bytes | str] = []
    async with Client.from_url(service.url) as client:
        try:
            while True:
                acknowledged.append(await client.xadd("bus", {"n": len(acknowledged)}))
                if len(acknowledged) == WRITES_BEFORE_KILL:
                    process.kill()
        except (RedisError, OSError):
            return acknowledged


async def test_settings_are_the_ones_that_were_written(redis: Redis):
    assert not await redis.is_ready()
    async with running(redis), Client.from_url(redis.url, decode_responses=True) as client:
        settings = await client.config_get(
            "appendonly", "appendfsync", "save", "maxmemory-policy", "dir", "protected-mode"
        )
    assert settings == {
        "appendonly": "yes",
        "appendfsync": "always",
        "save": "",
        "maxmemory-policy": "volatile-ttl",
        "dir": str(redis.folder),
        "protected-mode": "yes",
    }
    assert not await redis.is_ready()


async def test_it_listens_on_loopback_only_and_asks_for_the_password(redis: Redis):
    async with running(redis) as process:
        listening = [
            connection.laddr.ip
            for connection in psutil.Process(process.pid).net_connections()
            if connection.status == psutil.CONN_LISTEN
        ]
        assert listening == [LOOPBACK]
        _, _, place = redis.url.partition("@")
        async with Client.from_url(f"redis://{place}") as client:
            with pytest.raises(AuthenticationError):
                await client.get("key")


async def test_entries_that_were_acknowledged_survive_kill_9(redis: Redis):
    async with running(redis) as process:
        acknowledged = await asyncio.wait_for(append_until_killed(redis, process), timeout=60)
        process.wait()
        async with running(redis), Client.from_url(redis.url) as client:
            kept = [entry[0] for entry in await client.xrange("bus") or ()]
    assert kept[: len(acknowledged)] == acknowledged
    assert len(acknowledged) >= WRITES_BEFORE_KILL


async def test_a_full_server_evicts_the_cache_and_never_the_bus(redis: Redis):
    async with running(redis), Client.from_url(redis.url) as client:
        used = (await client.info("memory"))["used_memory"]
        await client.config_set("maxmemory", used + 4_000_000)
        await client.xadd("bus", {"batch": b"x" * 100_000})
        for number in range(60):
            await client.set(f"cache:{number}", b"y" * 100_000, ex=60)
        assert await client.xlen("bus") == 1
        assert (await client.info("stats"))["evicted_keys"] > 0


async def test_a_second_prepare_keeps_entries_port_and_password(redis: Redis):
    async with running(redis), Client.from_url(redis.url) as client:
        await client.set("kept", "1")
        url = redis.url
        redis.prepare()
        assert await redis.is_ready()
    async with running(redis), Client.from_url(redis.url) as client:
        assert redis.url == url
        assert await client.get("kept") == b"1"


async def test_a_port_that_was_taken_meanwhile_is_replaced(redis: Redis):
    redis.prepare()
    url = redis.url
    port = int(url.rpartition(":")[2].partition("/")[0])
    with socket.create_server((LOOPBACK, port)):
        async with running(redis):
            assert redis.url != url


async def test_a_damaged_end_of_the_log_is_cut_off(redis: Redis):
    async with running(redis), Client.from_url(redis.url) as client:
        await client.set("kept", "1")
    (log,) = (redis.folder / "appendonlydir").glob("*.incr.aof")
    with log.open("ab") as file:
        file.write(b"*3\r\n$3\r\nSET\r\n$4\r\nha")
    async with running(redis), Client.from_url(redis.url) as client:
        assert await client.get("kept") == b"1"


def test_the_password_is_in_a_private_file_and_not_on_the_command_line(redis: Redis):
    redis.prepare()
    assert stat.S_IMODE((redis.folder / "redis.conf").stat().st_mode) == 0o600
    password = (redis.folder / "password").read_text().strip()
    command = redis.command()
    assert command is not None
    assert password not in " ".join(command)
