"""The archive as a process: ``python -m streaming.archive``."""

from core.loading import loading

with loading():
    import asyncio

    import structlog

    from core.clock import SystemClock
    from core.settings import Settings
    from streaming.archive.processes import build_process, lock_archive
    from streaming.bus.connections import open_reader
    from streaming.processes import run_process

log = structlog.get_logger()


async def work(settings: Settings, stop: asyncio.Event) -> None:
    """Archive until told to stop."""
    reader = open_reader(settings, "archive")
    try:
        with lock_archive(settings.archive_dir):
            log.info("archive_started", folder=str(settings.archive_dir))
            await build_process(settings, reader, SystemClock()).run(stop)
    finally:
        reader.close()
    log.info("archive_stopped")


if __name__ == "__main__":
    run_process("archive", work, port=lambda settings: settings.archive_metrics_port)
