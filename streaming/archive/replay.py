"""Replay as a process: ``python -m streaming.archive.replay --help``.

(nothing)         archived events through the door again, under other streams' names
--recompute       minutes with late events counted anew
--dead-letters    entries that could not be read, on the bus again
"""

import argparse
import asyncio
import secrets
import signal
import socket
import sys
import time
from argparse import Namespace
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from types import FrameType
from typing import Final
from urllib.parse import urlsplit

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from core.clock import SystemClock
from core.errors import InvalidError, TelemetraError
from core.settings import Settings
from streaming.archive.letters import replay_letters
from streaming.archive.options import add_span, choose_span
from streaming.archive.recomputes import recompute
from streaming.archive.replays import (
    Body,
    Recording,
    ReplayPlan,
    cut_bodies,
    find_recording,
    find_shift,
)
from streaming.archive.sources import ArchiveSource
from streaming.bus.connections import open_writer
from streaming.ingest.clients import ApiClient
from streaming.ingest.senders import Sender
from streaming.processes import begin

SPEED_MIN: Final = 0.01
SPEED_MAX: Final = 10_000.0

PREFIX: Final = "replay-"


def read_options(arguments: list[str]) -> Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="telemetra replay",
        description="Send archived events again, count late ones, or try dead letters again.",
        epilog="example: telemetra replay --from 2026-01-26T10:00Z --to 2026-01-26T11:00Z"
        " --speed 10x --shift now",
    )
    add_span(parser)
    add = parser.add_argument
    add("--speed", type=_read_speed, default=1.0, help="10x, 0.5x or max (1x)")
    add("--into", metavar="PREFIX", default=PREFIX, help="before each stream's id (%(default)s)")
    add("--shift", choices=["now"], help="move the times so that the last event comes now")
    add("--url", help="another product than the one that runs here")
    add("--api-key", metavar="KEY", help="key for an API that asks for one")
    add("--product-url", help=argparse.SUPPRESS)
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--recompute", action="store_true", help="count late events of the span")
    kind.add_argument("--dead-letters", action="store_true", help="put unread entries on the bus")
    add("--reason", metavar="TEXT", help="with --dead-letters: only those whose reason has it")
    return parser.parse_args(arguments)


def main() -> None:
    """Do what the command line says; one line says what was done."""
    signal.signal(signal.SIGTERM, _stop)
    options = read_options(sys.argv[1:])
    console = Console()
    try:
        settings = begin("replay")
        if options.dead_letters:
            outcome, code = _replay_letters(settings, options)
        elif options.recompute:
            outcome, code = _recompute(settings, options)
        else:
            outcome, code = replay(settings, options, console)
    except TelemetraError as error:
        sys.exit(f"telemetra: {error.detail}")
    except KeyboardInterrupt:
        sys.exit(130)
    console.print(outcome, markup=False, highlight=False, soft_wrap=True)
    sys.exit(code)


def _replay_letters(settings: Settings, options: Namespace) -> tuple[str, int]:
    async def replay() -> str:
        bus = open_writer(settings)
        try:
            posted = await replay_letters(settings, bus, reason=options.reason)
        finally:
            await bus.close()
        return f"{posted.letters} dead letters replayed, {posted.payload_bytes} bytes"

    return asyncio.run(replay()), 0


def _recompute(settings: Settings, options: Namespace) -> tuple[str, int]:
    clock = SystemClock()
    source = ArchiveSource.open(settings, options.stream)
    done = asyncio.run(recompute(settings, source, choose_span(options, clock.now()), clock))
    text = f"{done.minutes} minutes recomputed, {done.listings} lists of late events applied"
    if done.left:
        text += f", {done.left} left: the archive does not hold all that their minutes count"
    return text, 1 if done.left else 0


def replay(settings: Settings, options: Namespace, console: Console) -> tuple[str, int]:
    """Send what the options name; return what is said of it, and the exit code.

    Raises:
        InvalidError: There is nothing to send, or it would count twice.
    """
    home = options.product_url or f"http://{settings.api_host}:{settings.api_port}"
    url = options.url or home
    refuse_double_counting(url, home, options.into)
    clock = SystemClock()
    plan = ReplayPlan(
        folder=settings.archive_dir,
        span=choose_span(options, clock.now()),
        prefix=options.into,
        stream_id=options.stream,
        speed=options.speed,
    )
    if (recording := find_recording(plan)) is None:
        raise InvalidError(
            f"The archive holds no events from {plan.span.start:%Y-%m-%dT%H:%MZ}"
            f" to {plan.span.end:%Y-%m-%dT%H:%MZ}."
        )
    shift = find_shift(recording, plan, clock.now()) if options.shift else timedelta(0)
    client = ApiClient(url, options.api_key or settings.api_key)
    sender = Sender(client, clock, time.sleep)
    started = time.monotonic()
    try:
        with _show_progress(console) as progress:
            task = progress.add_task("replay", total=recording.events)
            for body in _pace(cut_bodies(plan, recording, shift=shift), recording, plan.speed):
                # A key of this replay: another one sends the same events anew.
                sender.send_body(body.ndjson, body.count, key=f"replay-{secrets.token_hex(16)}")
                progress.advance(task, body.count)
    finally:
        client.close()
    took = time.monotonic() - started
    text = f"{recording.events - sender.events_rejected} of {recording.events} events replayed"
    text += f" to {url} as {options.into}… in {took:.1f} s"
    if sender.events_rejected:
        text += f"; {sender.events_rejected} were refused, the log says why"
    return text, 1 if sender.events_rejected else 0


def refuse_double_counting(url: str, home: str, prefix: str) -> None:
    """Refuse to send a product its own events under their own names.

    Raises:
        InvalidError: Every event would count twice.
    """
    if not prefix and _is_same_place(url, home):
        raise InvalidError(
            "Without a prefix every replayed event would count twice in the product that recorded"
            " it. Name one with --into, or another product with --url."
        )


def _pace(bodies: Iterable[Body], recording: Recording, speed: float | None) -> Iterable[Body]:
    """Hand on each body when it is due."""
    started = time.monotonic()
    for body in bodies:
        if speed is not None:
            due_s = (body.arrived_at - recording.first_at).total_seconds() / speed
            time.sleep(max(0.0, started + due_s - time.monotonic()))
        yield body


def _show_progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )


def _is_same_place(one: str, other: str) -> bool:
    first, second = urlsplit(one), urlsplit(other)
    ports = [parts.port or {"https": 443}.get(parts.scheme, 80) for parts in (first, second)]
    return ports[0] == ports[1] and bool(_resolve(first.hostname) & _resolve(second.hostname))


def _resolve(host: str | None) -> set[str]:
    """Return the addresses of a host; of one that nobody knows, its name."""
    found = {host or ""}
    with suppress(OSError):
        found |= {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    # The wildcards and every loopback address lead to this machine.
    return {"loopback" if _is_loopback(each) else each for each in found}


def _is_loopback(address: str) -> bool:
    return address.startswith("127.") or address in {"::1", "::", "0.0.0.0"}  # noqa: S104


def _read_speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text.removesuffix("x"))
    except ValueError:
        speed = float("nan")
    if not SPEED_MIN <= speed <= SPEED_MAX:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not max, and not {SPEED_MIN:g}x to {SPEED_MAX:g}x"
        )
    return speed


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
