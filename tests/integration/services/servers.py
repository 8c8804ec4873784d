"""Servers: private servers that run for the length of a test."""

# Servers outlive the coroutine that starts them, which asyncio's own processes would not.
# ruff: noqa: ASYNC220

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from infra.services.base import Service

START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 30
POLL_S = 0.01


async def start(service: Service) -> subprocess.Popen[bytes]:
    """Prepare and start a server; return once it answers."""
    await asyncio.to_thread(service.prepare)
    command = service.command()
    assert command is not None
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    async with asyncio.timeout(START_TIMEOUT_S):
        while not await service.is_ready():
            assert process.poll() is None, f"{service.name} ended with {process.returncode}"
            await asyncio.sleep(POLL_S)
    return process


def stop(service: Service, process: subprocess.Popen[bytes]) -> int:
    """Stop a server the way the supervisor does; return its exit code."""
    if process.poll() is None:
        process.send_signal(service.stop_signal)
    return process.wait(STOP_TIMEOUT_S)


@asynccontextmanager
async def running(service: Service) -> AsyncIterator[subprocess.Popen[bytes]]:
    """Run a server for the length of a block."""
    process = await start(service)
    try:
        yield process
    finally:
        stop(service, process)
