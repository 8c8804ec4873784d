"""Servers: the API and the peer, and what the API says of itself."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import orjson

from infra.cli.probes import get, is_api_ready
from infra.services.ports import LOOPBACK, choose_port
from loadtest.bench.processes import Process, run_process
from loadtest.bench.push.audiences import Door
from loadtest.bench.servers import Servers

START_S_MAX: Final = 60


@dataclass(frozen=True, slots=True)
class LiveServer:
    """A process that pushes, and where."""

    process: Process
    door: Door

    def read_health(self) -> dict[str, Any]:
        """Return what the API counts."""
        _, body = asyncio.run(get(f"http://{self.door.host}:{self.door.port}/ws/live/health"))
        counts: dict[str, Any] = orjson.loads(body)
        return counts


@contextmanager
def run_api(servers: Servers, name: str = "api", host: str = LOOPBACK) -> Iterator[LiveServer]:
    """Run an API process for the length of a block."""
    door = Door(choose_port(), host)
    # Beyond loopback only as far as a cable on this machine.
    more = {"API_HOST": host, "API_PORT": str(door.port), "API_OPEN": str(host != LOOPBACK)}
    with servers.run("api", name=name, **more) as process:
        process.wait_until(
            lambda: asyncio.run(_is_ready(f"http://{host}:{door.port}")), START_S_MAX
        )
        yield LiveServer(process, door)


@contextmanager
def run_peer(servers: Servers) -> Iterator[LiveServer]:
    """Run the peer for the length of a block."""
    door = Door(choose_port(), is_plain=True)
    argv = [sys.executable, "-m", "loadtest.peers.fan_out", "--port", str(door.port)]
    argv += ["--redis-url", servers.redis_url]
    with run_process("peer", argv, servers.folder, {}) as process:
        url = f"http://{LOOPBACK}:{door.port}/"
        process.wait_until(lambda: asyncio.run(_answers(url)), START_S_MAX)
        yield LiveServer(process, door)


async def _is_ready(url: str) -> bool:
    with suppress(OSError):
        return await is_api_ready(url)
    return False


async def _answers(url: str) -> bool:
    with suppress(OSError):
        return (await get(url))[0] == 404
    return False
