"""The jobs as a process: ``python -m streaming.jobs``."""

from core.loading import loading

with loading():
    import asyncio
    from typing import Final

    import structlog

    from core.clock import SystemClock
    from core.settings import Settings
    from streaming.jobs.processes import building
    from streaming.processes import run_process

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()

TALKATIVE: Final = ("httpx", "httpcore", "procrastinate", "psycopg")


async def work(settings: Settings, stop: asyncio.Event) -> None:
    """Work off jobs until told to stop."""
    async with building(settings, SystemClock()) as process:
        log.info("jobs_started")
        await process.run(stop)
    log.info("jobs_stopped")


if __name__ == "__main__":
    run_process("jobs", work, port=lambda settings: settings.jobs_metrics_port, quiet=TALKATIVE)
