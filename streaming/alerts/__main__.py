"""The alerts as a process: ``python -m streaming.alerts``."""

from core.loading import loading

with loading():
    import asyncio
    from typing import Final

    import structlog

    from core.clock import SystemClock
    from core.settings import Settings
    from streaming.alerts.processes import building
    from streaming.processes import run_process

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()

TALKATIVE: Final = ("httpx", "httpcore", "requests", "urllib3")


async def work(settings: Settings, stop: asyncio.Event) -> None:
    """Decide and send until told to stop."""
    async with building(settings, SystemClock()) as process:
        log.info("alerts_started")
        await process.run(stop)
    log.info("alerts_stopped")


if __name__ == "__main__":
    run_process("alerts", work, port=lambda each: each.alerts_metrics_port, quiet=TALKATIVE)
