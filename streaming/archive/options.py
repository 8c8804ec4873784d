"""Options: spans and names as the command lines of the archive take them."""

from argparse import ArgumentParser, Namespace
from datetime import datetime, timedelta

from core.archives import HOUR, floor_hour
from core.errors import InvalidError
from streaming.archive.recounts import Span
from streaming.ingest.options import read_time

MINUTE = timedelta(minutes=1)


def add_span(parser: ArgumentParser) -> None:
    """Let a command take a span and a stream."""
    parser.add_argument(
        "--from", dest="start", type=read_time, metavar="TIME", help="first minute (an hour ago)"
    )
    parser.add_argument(
        "--to", dest="end", type=read_time, metavar="TIME", help="beyond the last (this hour)"
    )
    parser.add_argument("--stream", metavar="ID", help="only this stream")


def choose_span(options: Namespace, now: datetime) -> Span:
    """Return the whole minutes that are meant; without any, the last hour that is over.

    Raises:
        InvalidError: The end does not lie behind the start.
    """
    start: datetime | None = options.start
    end: datetime | None = options.end
    if end is None:
        end = floor_hour(now) if start is None else now
    if start is None:
        start = end - HOUR
    start, end = _floor(start), -((-(end - _floor(end))) // MINUTE) * MINUTE + _floor(end)
    if start >= end:
        raise InvalidError(f"--to {end:%Y-%m-%dT%H:%MZ} does not lie behind --from.")
    return Span(start, end)


def _floor(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
