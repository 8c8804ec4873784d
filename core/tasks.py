"""Tasks: work beside the requests that ends when it is asked to."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

AGAIN_S: Final = 0.1


async def end(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks until each is done, however often that takes.

    On Python 3.11 ``asyncio.wait_for`` loses a cancellation that comes just when what it waits
    for is done, and the Redis client sends every command through it.
    """
    is_cancelled = False
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        try:
            await asyncio.wait(running, timeout=AGAIN_S)
        except asyncio.CancelledError:
            # Also who is in a hurry leaves nothing running behind.
            is_cancelled = True
    if is_cancelled:
        raise asyncio.CancelledError


async def run_together(*works: Coroutine[Any, Any, None]) -> None:
    """Run works until the first is over, end the others, and raise what it raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end(*tasks)
    for task in done:
        task.result()
