"""Processes: what every connector's ``__main__`` does beside naming its source.

parser = begin_options("twitch", "Read chats of Twitch.", "example: …")
parser.add_argument(…)
run_process("twitch", parser.parse_args(), build)
"""

import argparse
import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeAlias

import structlog

from core.clock import Clock, SystemClock
from core.errors import TelemetraError
from core.settings import Settings
from streaming.connectors.base import Connector, Source
from streaming.connectors.deliveries import Delivery
from streaming.connectors.health import Health
from streaming.connectors.outlets import Outlet
from streaming.connectors.pauses import BackOff
from streaming.connectors.refusals import Refusals
from streaming.ingest.clients import ApiClient
from streaming.ingest.options import read_url
from streaming.processes import begin, listen_for_signals, serve_metrics

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()

Build: TypeAlias = Callable[[Namespace, Settings, Clock], AbstractContextManager[Source]]
"""Makes the source that the options name, and lets go of what it holds at the end."""


def begin_options(name: str, description: str, example: str) -> ArgumentParser:
    """Return a parser with the options that all connectors have."""
    parser = ArgumentParser(
        prog=f"telemetra connect {name}", description=description, epilog=f"example: {example}"
    )
    add = parser.add_argument
    add("--url", type=read_url, default="http://127.0.0.1:8000", help="the API (%(default)s)")
    add("--api-key", metavar="KEY", help="key for an API that asks for one (API_KEY)")
    add("--rejected", type=Path, metavar="FILE", help="append rows that the API refuses, as NDJSON")
    add(
        "--metrics-port",
        type=read_port,
        metavar="PORT",
        help="serve /metrics there (CONNECTOR_METRICS_PORT); 0 serves none",
    )
    return parser


def run_process(name: str, options: Namespace, build: Build) -> None:
    """Run a connector until its source has no more or a signal says stop."""
    try:
        settings = begin(f"connect-{name}")
        asyncio.run(_run(name, options, settings, build))
    except TelemetraError as error:
        sys.exit(f"telemetra: {error.detail}")


async def _run(name: str, options: Namespace, settings: Settings, build: Build) -> None:
    stop = asyncio.Event()
    # Who asks a second time does not want to wait for what is still to be sent.
    listen_for_signals(stop, once=True)
    port = options.metrics_port
    serve_metrics(settings, settings.connector_metrics_port if port is None else port)
    clock = SystemClock()
    health = Health(name, clock)
    client = ApiClient(options.url, options.api_key or settings.api_key)
    outlet = Outlet(Delivery(client, clock, Refusals(options.rejected)), health)
    try:
        with build(options, settings, clock) as source:
            log.info("connector_started", connector=name, url=options.url)
            await Connector(source, outlet, health, BackOff(clock)).run(stop)
    finally:
        client.close()


def read_port(text: str) -> int:
    """Read a port from the command line."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port")
    return int(text)
