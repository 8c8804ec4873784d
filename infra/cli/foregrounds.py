"""Foregrounds: one process that starts everything, watches over it, and stops it when told to."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Final

from core.clock import SystemClock
from core.settings import Settings
from infra.cli.stacks import Stack, StackOptions
from infra.cli.steps import Steps
from infra.supervisor.specs import Report
from infra.supervisor.states import SupervisorRecord
from infra.supervisor.supervisors import Supervisor

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def watch_over(
    settings: Settings,
    options: StackOptions,
    *,
    steps: Steps,
    announce: Callable[[SupervisorRecord], None],
    say: Report,
) -> bool:
    """Start everything, announce it, and stay until a signal comes.

    Returns whether everything came up; False when the signal was earlier.

    Raises:
        TelemetraError: Something did not come up; everything was stopped again.
    """
    stop = asyncio.Event()
    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Supervisor(settings.data_dir, clock=SystemClock(), report=say) as supervisor:
        stack = Stack(settings, options, supervisor, steps)
        came_up = await _finish_unless(stop, stack.start())
        if came_up:
            announce(supervisor.record)
            await stop.wait()
        say("stopping everything")
    say("everything stopped")
    return came_up


async def _finish_unless(stop: asyncio.Event, work: Coroutine[None, None, None]) -> bool:
    """Do the work, and give it up when the event comes first."""
    working = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if working.done():
        await working
        return True
    working.cancel()
    with suppress(asyncio.CancelledError):
        await working
    return False
