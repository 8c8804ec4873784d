"""The simulator as a process: ``python -m streaming.simulator --help``."""

from core.loading import loading

with loading():
    import math
    import signal
    import sys
    import time
    from contextlib import AbstractContextManager, nullcontext
    from pathlib import Path
    from types import FrameType
    from typing import Final

    import structlog

    from core.clock import Clock, SystemClock
    from core.errors import InvalidError, SettingsInvalidError, TelemetraError
    from core.settings import Settings
    from streaming.ingest.clients import ApiClient
    from streaming.ingest.senders import Sender
    from streaming.processes import begin
    from streaming.simulator.files import Span, write_file
    from streaming.simulator.labels import LabelFile
    from streaming.simulator.options import (
        BACKFILL_MINUTES_USUAL,
        Options,
        choose_span,
        read_options,
    )
    from streaming.simulator.profiles import list_profiles
    from streaming.simulator.runs import Run
    from streaming.simulator.scenarios import SCENARIOS
    from streaming.simulator.worlds import World

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()

LABELS_SUFFIX: Final = ".labels.ndjson"

_STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def main() -> None:
    """Run the simulator until its time is over or it is told to stop."""
    for number in _STOP_SIGNALS:
        signal.signal(number, _stop)
    options = None
    try:
        options = read_options(sys.argv[1:])
        _simulate(options, _begin())
    except KeyboardInterrupt:
        # A demo ends like that; a file is not there then.
        sys.exit(130 if options and options.out else 0)
    except TelemetraError as error:
        sys.exit(f"telemetra simulate: {error.detail}")


def _simulate(options: Options, settings: Settings) -> None:
    world = World(
        options.seed,
        list_profiles(options.streams),
        options.chat_rate,
        SCENARIOS[options.scenario],
    )
    clock = SystemClock()
    span = choose_span(options, clock.now()) if options.is_span else None
    with _open_labels(options, settings, world) as labels:
        if options.out and span:
            _write(options.out, Span(world, *span), labels, clock)
        else:
            _send(options, settings, world, span, labels)


def _send(
    options: Options,
    settings: Settings,
    world: World,
    span: tuple[int, int] | None,
    labels: LabelFile | None,
) -> None:
    """Send the span, or what happens now, and log how many events that were."""
    clock = SystemClock()
    client = ApiClient(options.url, options.api_key or settings.api_key)
    sender = Sender(client, clock, time.sleep)
    run = Run(world, sender, clock, time.sleep, labels)
    log.info(
        "simulator_started",
        url=options.url,
        streams=options.streams,
        scenario=options.scenario,
        messages_a_second=world.chat_rate,
        labels=str(labels.path) if labels else None,
    )
    try:
        if span:
            run.send_span(*span, speed=math.inf if options.speed is None else options.speed)
        else:
            backfill = options.backfill_minutes
            run.start(BACKFILL_MINUTES_USUAL if backfill is None else backfill)
            run.send_live(options.duration_s)
    finally:
        client.close()
        log.info("simulator_stopped", events=sender.events_sent)


def _write(path: Path, span: Span, labels: LabelFile | None, clock: Clock) -> None:
    """Write a file, and say in one line what is in it."""
    began_ms = clock.now_ms()
    if labels:
        labels.cover(span.start_ms, span.end_ms)
    events = write_file(path, span)
    seconds = max(clock.now_ms() - began_ms, 1) / 1000
    truth = f"; {labels.incidents} incidents in {labels.path}" if labels else ""
    sys.stdout.write(f"{events} events in {path}, {events / seconds:.0f} a second{truth}\n")


def _open_labels(
    options: Options, settings: Settings, world: World
) -> AbstractContextManager[LabelFile | None]:
    """Open the file of labels; a demo goes on without one where nothing can be written.

    Raises:
        InvalidError: The one that was asked for cannot be written.
    """
    path = options.labels or (options.out and options.out.with_suffix(LABELS_SUFFIX))
    if path:
        return LabelFile(path, world)
    name = f"{options.scenario}-seed-{options.seed}{LABELS_SUFFIX}"
    try:
        return LabelFile(settings.data_dir / "labels" / name, world)
    except InvalidError as error:
        log.warning("labels_not_written", reason=error.detail)
        return nullcontext()


def _begin() -> Settings:
    try:
        return begin("simulator")
    except SettingsInvalidError as error:
        sys.exit(error.detail)


def _stop(_number: int, _frame: FrameType | None) -> None:
    """End whatever is under way, a pause or a request; a second signal changes nothing."""
    for number in _STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
