"""The simulator as a process: ``python -m streaming.simulator --help``."""

import signal
import sys
import time
from contextlib import suppress
from types import FrameType

import structlog

from core.clock import SystemClock
from core.errors import SettingsInvalidError
from core.logging import configure_logging
from core.settings import Settings, load_settings
from streaming.ingest.clients import ApiClient
from streaming.ingest.senders import Sender
from streaming.simulator.options import Options, read_options
from streaming.simulator.profiles import list_profiles
from streaming.simulator.runs import Run
from streaming.simulator.worlds import World

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def main() -> None:
    """Run the simulator until its time is over or it is told to stop."""
    for number in _STOP_SIGNALS:
        signal.signal(number, _stop)
    with suppress(KeyboardInterrupt):
        options = read_options(sys.argv[1:])
        _simulate(options, _configure_logging())


def _simulate(options: Options, settings: Settings) -> None:
    clock = SystemClock()
    client = ApiClient(options.url, options.api_key or settings.api_key)
    sender = Sender(client, clock, time.sleep)
    world = World(options.seed, list_profiles(options.streams), options.rate)
    run = Run(world, sender, clock, time.sleep)
    log.info("simulator_started", url=options.url, streams=options.streams, rate=options.rate)
    try:
        run.start(options.backfill_minutes)
        run.send_live(options.duration_s)
    finally:
        client.close()
        log.info("simulator_stopped", events=sender.events_sent)


def _configure_logging() -> Settings:
    try:
        settings = load_settings()
    except SettingsInvalidError as error:
        sys.exit(error.detail)
    as_json = settings.log_as_json
    if as_json is None:
        as_json = not sys.stderr.isatty()
    configure_logging("simulator", level=settings.log_level, as_json=as_json)
    return settings


def _stop(_number: int, _frame: FrameType | None) -> None:
    """End whatever is under way, a pause or a request; a second signal changes nothing."""
    for number in _STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
