"""Backtests as a process: ``python -m streaming.backtest --help``.

Sends the past through the flow by the rules of now and by others, and says what each finds. Exit
code 1 where something could not be read.
"""

from core.loading import loading

with loading():
    import asyncio
    import sys
    from argparse import Namespace
    from collections.abc import Iterator
    from contextlib import contextmanager
    from datetime import timedelta
    from pathlib import Path
    from typing import Final

    import orjson
    from rich.console import Console

    from core.clock import SystemClock
    from core.errors import DatabaseAwayError, InvalidError, SettingsInvalidError, TelemetraError
    from core.logging import configure_logging
    from core.settings import Settings, load_settings
    from core.tunings import NO_TUNINGS, Tunings
    from core.words import warm_up
    from db.tunings import TuningStore
    from streaming.archive.options import choose_span
    from streaming.archive.recounts import Span
    from streaming.archive.sources import connect
    from streaming.backtest.options import WARM_UP_HOURS, read_options
    from streaming.backtest.overrides import Rules, change_rules
    from streaming.backtest.people import read_labelled
    from streaming.backtest.pictures import draw_picture
    from streaming.backtest.recordings import ArchiveRecording, Recording, open_file
    from streaming.backtest.reports import Report, describe, make_report, show
    from streaming.backtest.runs import run_backtest
    from streaming.backtest.tallies import Ground
    from streaming.backtest.truths import Truth, read_truths
    from streaming.flow.dataflow import build_policy

WIDTH_PIPED: Final = 160
"""Of tables where no terminal says how wide they may be: no name is folded."""


def backtest(settings: Settings, options: Namespace) -> tuple[Report, list[str]]:
    """Do what the options name; return what came of it, and what people should know of it.

    Raises:
        TelemetraError: A rule or a file is wrong, or there is nothing to replay.
    """
    truths = [] if options.labels is None else read_truths(options.labels)
    tunings, notes = NO_TUNINGS, list[str]()
    with _open_recording(settings, options) as (recording, span):
        if options.file is None:
            told, tunings = _ask_people(settings, span, options.stream, notes)
            truths += told
        rules = [Rules(build_policy(settings), tunings)]
        if options.wishes:
            rules.append(change_rules(rules[0], options.wishes))
        outcome = run_backtest(
            recording,
            span,
            rules,
            step=timedelta(seconds=options.step),
            with_curves=options.picture is not None,
        )
    if not outcome.events:
        raise InvalidError(
            f"The archive holds no events from {span.start:%Y-%m-%dT%H:%MZ}"
            f" to {span.end:%Y-%m-%dT%H:%MZ}."
        )
    ground = Ground(
        truths=[each for each in truths if _is_wanted(each, span, options.stream)],
        is_all_known=options.labels is not None,
        series=outcome.series,
        span=span,
    )
    report = make_report(outcome, ground, options.wishes)
    if options.picture is not None:
        _write(options.picture, draw_picture(report))
    return report, notes


@contextmanager
def _open_recording(settings: Settings, options: Namespace) -> Iterator[tuple[Recording, Span]]:
    if options.file is not None:
        with open_file(options.file, options.stream) as recording:
            span = recording.find_span()
            begin = min(span.start + timedelta(hours=options.warm_up or 0), span.end)
            yield recording, Span(begin, span.end)
        return
    span = choose_span(options, SystemClock().now())
    hours = WARM_UP_HOURS if options.warm_up is None else options.warm_up
    early = Span(span.start - timedelta(hours=hours), span.end)
    yield ArchiveRecording(settings.archive_dir, early, options.stream), span


def _ask_people(
    settings: Settings, span: Span, stream_id: str | None, notes: list[str]
) -> tuple[list[Truth], Tunings]:
    """Return what people said of moments, and their tunings; note why, if it cannot be known."""

    async def ask() -> tuple[list[Truth], Tunings]:
        async with connect(settings.require_database_url()) as connection:
            labelled = await read_labelled(connection, span, stream_id)
            return labelled, await TuningStore(connection).load()

    try:
        return asyncio.run(ask())
    except (DatabaseAwayError, SettingsInvalidError) as error:
        notes.append(f"Without the labels and tunings in the database: {error.detail}")
        return [], NO_TUNINGS


def _is_wanted(truth: Truth, span: Span, stream_id: str | None) -> bool:
    is_near = truth.started_at < span.end and truth.felt_until >= span.start
    return is_near and stream_id in {None, truth.stream_id}


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidError(f"{path} cannot be written: {error.strerror or error}.") from error


def main() -> None:
    """Run a backtest and print what came of it."""
    options = read_options(sys.argv[1:])
    try:
        settings = load_settings()
        configure_logging("backtest", level="ERROR", as_json=settings.log_as_json)
        warm_up()
        report, notes = backtest(settings, options)
    except TelemetraError as error:
        sys.exit(f"telemetra backtest: {' '.join(error.detail.split())}")
    except KeyboardInterrupt:
        sys.exit(130)
    if options.json:
        sys.stdout.buffer.write(orjson.dumps(describe(report), option=orjson.OPT_INDENT_2) + b"\n")
    else:
        show(Console(width=None if sys.stdout.isatty() else WIDTH_PIPED), report)
    for note in notes:
        sys.stderr.write(f"telemetra backtest: {note}\n")


if __name__ == "__main__":
    main()
