"""The jobs as a process: ``python -m streaming.jobs``."""

import asyncio
import logging
import signal
import sys

import structlog
from prometheus_client import start_http_server

from core.clock import SystemClock
from core.errors import TelemetraError
from core.logging import configure_logging
from core.settings import Settings, load_settings
from streaming.jobs.processes import building

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()

TALKATIVE = ("httpx", "httpcore", "procrastinate", "psycopg")
"""Libraries that log what they do step by step, among it URLs, which may be secrets."""


async def run(settings: Settings) -> None:
    """Work off jobs until a signal says stop."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if settings.jobs_metrics_port:
        start_http_server(settings.jobs_metrics_port, addr=settings.api_host)
    async with building(settings, SystemClock()) as process:
        log.info("jobs_started")
        await process.run(stop)
    log.info("jobs_stopped")


def main() -> None:
    """Read the settings and run."""
    try:
        settings = load_settings()
        configure_logging("jobs", level=settings.log_level, as_json=settings.log_as_json)
        for name in TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)
        asyncio.run(run(settings))
    except TelemetraError as error:
        sys.exit(error.detail)


if __name__ == "__main__":
    main()
