"""Processes: what every ``__main__`` of ours does beside its own work.

settings ─► logging ─► metrics ─► the work, until a signal says stop

What is wrong with the settings, or ends the work, is said in one sentence on stderr.
"""

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from prometheus_client import start_http_server

from core.errors import TelemetraError
from core.logging import configure_logging
from core.settings import Settings, load_settings

Work: TypeAlias = Callable[[Settings, asyncio.Event], Awaitable[None]]
"""What a process does until the event is set."""


def begin(name: str, *, quiet: Sequence[str] = ()) -> Settings:
    """Read the settings and set up logging.

    Args:
        name: Of the process, in every line of its log.
        quiet: Libraries that log what they do step by step, among it URLs, which may be secrets.

    Raises:
        SettingsInvalidError: The settings do not fit together.
    """
    settings = load_settings()
    configure_logging(name, level=settings.log_level, as_json=settings.log_as_json)
    for library in quiet:
        logging.getLogger(library).setLevel(logging.WARNING)
    return settings


def run_process(
    name: str, work: Work, *, port: Callable[[Settings], int], quiet: Sequence[str] = ()
) -> None:
    """Do a work until it is done or a signal says stop.

    Args:
        name: Of the process, in every line of its log.
        work: What it does.
        port: Where it serves its metrics; 0 for nowhere.
        quiet: Libraries of which only warnings are logged.
    """
    try:
        settings = begin(name, quiet=quiet)
        asyncio.run(_run(settings, work, port(settings)))
    except TelemetraError as error:
        sys.exit(error.detail)


def serve_metrics(settings: Settings, port: int) -> None:
    """Serve the metrics of this process; port 0 serves none."""
    if port:
        start_http_server(port, addr=settings.api_host)


def listen_for_signals(stop: asyncio.Event, *, once: bool = False) -> None:
    """Set an event when told to stop.

    Args:
        stop: Set by the first signal.
        once: A second signal ends the process as if nobody listened.
    """
    loop = asyncio.get_running_loop()

    def hear(number: signal.Signals) -> None:
        stop.set()
        if once:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, hear, number)


async def _run(settings: Settings, work: Work, port: int) -> None:
    stop = asyncio.Event()
    listen_for_signals(stop)
    serve_metrics(settings, port)
    await work(settings, stop)
