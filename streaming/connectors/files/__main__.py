"""Files and stdin as a connector: ``telemetra ingest FILE…``."""

from core.loading import loading

with loading():
    import signal
    import sys
    import time
    from datetime import timedelta
    from types import FrameType
    from typing import Final

    import orjson
    from rich.console import Console

    from core.clock import SystemClock
    from core.errors import InvalidError, ServiceMissingError, TelemetraError
    from core.settings import Settings
    from streaming.connectors.files.bodies import Cut, Window
    from streaming.connectors.files.bookmarks import BookmarkStore
    from streaming.connectors.files.couriers import Courier
    from streaming.connectors.files.displays import Display
    from streaming.connectors.files.options import Options, read_options
    from streaming.connectors.files.readers.base import Reader
    from streaming.connectors.files.runs import Plan, Run, Tools, open_reader
    from streaming.connectors.files.sources import Source, find_sources
    from streaming.ingest.clients import ApiAwayError, ApiClient
    from streaming.ingest.senders import BODY_EVENTS_MAX, Sender
    from streaming.processes import begin

TICK: Final = timedelta(milliseconds=250)
"""Of the run's own time, when it keeps to a pace: what falls into one travels together."""

STOPPED: Final = 1
SOME_REJECTED: Final = 3
INTERRUPTED: Final = 130


def main() -> None:
    """Send what the command line names and say what became of it."""
    signal.signal(signal.SIGTERM, _stop)
    options = read_options(sys.argv[1:])
    try:
        settings = begin("ingest")
        code = ingest(settings, options)
    except TelemetraError as error:
        sys.exit(f"telemetra: {error.detail}")
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.exit(code)


def ingest(settings: Settings, options: Options) -> int:
    """Send files; return the exit code.

    Raises:
        TelemetraError: There is nothing to send, or it cannot go on.
    """
    url = options.url or options.product_url or f"http://{settings.api_host}:{settings.api_port}"
    sources = find_sources(options.files, options.format)
    if options.shift_to_now and sources[0].path is None:
        raise InvalidError("--shift-to-now needs files: of stdin the last time is not known.")
    _refuse_own_archive(settings, options, sources)
    readers = [(source, open_reader(source, options.wishes)) for source in sources]
    clock, window = SystemClock(), Window()
    client = ApiClient(url, options.api_key or settings.api_key)
    total = None if sources[0].path is None else sum(source.size or 0 for source in sources)
    began_s = time.monotonic()
    try:
        _refuse_silence(client, url)
        display = Display(Console(stderr=True), total_bytes=total, is_quiet=options.quiet)
        for source, reader in readers:
            if reader.layout is not None:
                display.tell(f"{source.stem}: {reader.layout.tell()}")
        tools = Tools(
            clock,
            Courier(Sender(client, clock, time.sleep), clock, window),
            window,
            BookmarkStore(settings.data_dir / "ingest", _label(options)),
            display,
            options.make_pace(),
        )
        run = Run(_make_plan(settings, options), tools)
        how, code = _send(run, readers, display)
        _print_summary(run, options, time.monotonic() - began_s, how)
        return code
    finally:
        client.close()


def _send(run: Run, sources: list[tuple[Source, Reader]], display: Display) -> tuple[str, int]:
    """Send everything; return how it ended, and the exit code."""
    try:
        with display:
            run.send(sources)
    except KeyboardInterrupt:
        # A second signal must not cut the summary short.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if sources[0][0].path is None:
            return "interrupted", INTERRUPTED
        return "interrupted; the same command goes on from here", INTERRUPTED
    except TelemetraError as error:
        return f"stopped: {error.detail}", STOPPED
    return "", SOME_REJECTED if run.tally.rejected_total else 0


def _print_summary(run: Run, options: Options, seconds: float, how: str) -> None:
    if options.json:
        facts = {
            **run.tally.describe(seconds),
            "rejects_files": [str(path) for path in run.rejects],
            "ended": how or "finished",
        }
        sys.stdout.write(orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode() + "\n")
        return
    lines = run.tally.tell(seconds)
    lines += [f"rejected rows: {path}" for path in run.rejects]
    sys.stdout.write("\n".join(lines) + "\n")
    if how:
        sys.stdout.flush()
        sys.stderr.write(f"telemetra: {how}\n")


def _make_plan(settings: Settings, options: Options) -> Plan:
    cut = Cut()
    if options.rate is not None:
        a_tick = int(options.rate * TICK.total_seconds())
        cut = Cut(events_max=min(BODY_EVENTS_MAX, max(1, a_tick)))
    elif options.speed is not None:
        cut = Cut(tick_us=max(1, TICK * options.speed // timedelta(microseconds=1)))
    return Plan(
        cut,
        restart=options.restart,
        rejects=options.rejects,
        rejects_dir=settings.data_dir / "ingest" / "rejected",
        shifts=options.shift_to_now,
        speed=options.speed,
        lateness=timedelta(minutes=settings.lateness_minutes),
    )


def _label(options: Options) -> str:
    """Return what makes the same file another sending: where to, and how its rows are read."""
    where = options.url or "the product of this data folder"
    return f"{where}|{options.wishes}|{options.format}|{options.shift_to_now}"


def _refuse_silence(client: ApiClient, url: str) -> None:
    """Refuse to begin where nobody answers; later it is waited for.

    Raises:
        ServiceMissingError: Nobody does.
    """
    try:
        client.request("GET", "/api/v1/health", None, {})
    except ApiAwayError as error:
        raise ServiceMissingError(
            f"No API answers at {url} ({error}). Start it with `telemetra up`, or name it by --url."
        ) from None


def _refuse_own_archive(settings: Settings, options: Options, sources: list[Source]) -> None:
    """Refuse to send a product what it has counted already.

    Raises:
        InvalidError: A file is of its own archive.
    """
    archive = settings.archive_dir.resolve()
    for source in sources:
        if options.url is None and source.path is not None and archive in source.path.parents:
            raise InvalidError(
                f"{source.name} is of the archive of this product, which has counted it."
                " `telemetra replay` sends it under other streams' names."
            )


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
