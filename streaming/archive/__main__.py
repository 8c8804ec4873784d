"""The archive as a process: ``python -m streaming.archive``."""

import asyncio
import signal
import sys

import structlog
from prometheus_client import start_http_server

from core.clock import SystemClock
from core.errors import TelemetraError
from core.logging import configure_logging
from core.settings import Settings, load_settings
from streaming.archive.processes import build_process, lock_archive
from streaming.bus.connections import open_reader

log = structlog.get_logger()


async def run(settings: Settings) -> None:
    """Archive until a signal says stop."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if settings.archive_metrics_port:
        start_http_server(settings.archive_metrics_port, addr=settings.api_host)
    reader = open_reader(settings, "archive")
    try:
        with lock_archive(settings.archive_dir):
            log.info("archive_started", folder=str(settings.archive_dir))
            await build_process(settings, reader, SystemClock()).run(stop)
    finally:
        reader.close()
    log.info("archive_stopped")


def main() -> None:
    """Read the settings and run."""
    try:
        settings = load_settings()
        configure_logging("archive", level=settings.log_level, as_json=settings.log_as_json)
        asyncio.run(run(settings))
    except TelemetraError as error:
        sys.exit(error.detail)


if __name__ == "__main__":
    main()
