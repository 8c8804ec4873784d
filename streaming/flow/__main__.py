"""The flow as a process: ``python -m streaming.flow``."""

import shutil
import sys
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main
from prometheus_client import start_http_server

from core.clock import SystemClock
from core.errors import TelemetraError
from core.logging import configure_logging
from core.settings import Settings, load_settings
from streaming.bus.redis import RedisBusReader
from streaming.flow.dataflow import build_dataflow
from streaming.flow.news import NewsRoom
from streaming.flow.sinks import Committer

RECOVERY_PARTITIONS: Final = 8
"""Fixed for ever when the store is made: the most processes the flow will ever have."""

SNAPSHOT_EVERY: Final = timedelta(seconds=1)

log = structlog.get_logger()


def run(settings: Settings) -> None:
    """Run the flow until it is told to stop."""
    clock = SystemClock()
    reader = RedisBusReader(settings.require_redis_url(), "flow")
    news = NewsRoom(settings.require_redis_url(), clock, process=0)
    committer = Committer(settings.require_database_url())
    store = open_recovery_store(settings.data_dir / "flow")
    if settings.flow_metrics_port:
        start_http_server(settings.flow_metrics_port, addr=settings.api_host)
    news.start()
    try:
        cli_main(
            build_dataflow(settings, reader, committer, news, clock),
            epoch_interval=SNAPSHOT_EVERY,
            recovery_config=RecoveryConfig(str(store)),
        )
    finally:
        news.stop()
        reader.close()


def open_recovery_store(folder: Path) -> Path:
    """Return the folder of the recovery store, made when it is not there.

    Made under another name first: a store that a crash left half made would never open again.
    """
    if not folder.is_dir():
        half_made = folder.with_name(f"{folder.name}.new")
        shutil.rmtree(half_made, ignore_errors=True)
        half_made.mkdir(parents=True)
        init_db_dir(half_made, RECOVERY_PARTITIONS)
        half_made.rename(folder)
    return folder


def main() -> None:
    """Read the settings and run."""
    try:
        settings = load_settings()
        configure_logging("flow", level=settings.log_level, as_json=settings.log_as_json)
        run(settings)
    except TelemetraError as error:
        sys.exit(error.detail)
    except KeyboardInterrupt:
        log.info("flow_stopped")


if __name__ == "__main__":
    main()
