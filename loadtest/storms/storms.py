"""Storms: what happens to the flow while a feed is sent.

sender ──entries──► bus ──► flow, killed and started again ──► database ──► findings
"""

import asyncio
import random
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg
import polars as pl
import psutil

from core.batches import encode_events, split_by_shard
from core.clock import SystemClock
from core.errors import TelemetraError
from core.events import SCHEMA
from loadtest.bench.processes import Process
from loadtest.bench.servers import Servers
from loadtest.storms.feeds import Event, Feed, FeedOptions, cut_feed, draw_feed
from loadtest.storms.findings import is_settled, list_findings
from loadtest.storms.verifications import verify_changed_row, verify_span
from streaming.bus.base import BusWriter, Once
from streaming.bus.redis import RedisBusWriter

REQUEST_EVENTS: Final = 100
LIFE_S_MAX: Final = 8.0
"""The flow is killed at a random moment of so many seconds after its start."""

FEED_MINUTES: Final = 40
SETTLED_S_MAX: Final = 300
STOP_S_MAX: Final = 30
SPARE_S: Final = 10.0
"""How long sending goes on after the last kill, at least."""

FAST: Final = {
    "LIVE_INTERVAL_MS": "100",
    "SILENCE_SECONDS": "5",
    "FLOW_SNAPSHOT_SECONDS": "1",
    "ARCHIVE_INTERVAL_SECONDS": "2",
}


@dataclass(frozen=True, slots=True)
class StormOptions:
    """How hard it blows."""

    kills: int
    pause_s_max: float
    processes: tuple[int, ...]
    events: int
    seed: int
    outage_s: float = 0
    """How long the database is away in the middle of it."""

    restarts_redis: bool = False


@dataclass(slots=True)
class StormReport:
    """What a storm left."""

    options: StormOptions
    sent: int = 0
    minutes: int = 0
    late: int = 0
    seconds: float = 0.0
    kills: list[tuple[float, float]] = field(default_factory=list)
    """Seconds that the flow had lived, and stayed dead."""

    findings: list[str] = field(default_factory=list)
    verified: dict[str, Any] = field(default_factory=dict)
    """What ``telemetra verify`` says afterwards."""

    changed: dict[str, Any] = field(default_factory=dict)
    """What it says when one row was changed by hand."""

    @property
    def is_calm(self) -> bool:
        """Whether nothing is wrong, and verify sees exactly what was changed."""
        return not self.findings and not self.verified["differ"] and self.changed["differ"] > 0

    def describe(self) -> str:
        """Return one paragraph."""
        dead = sum(pause for _, pause in self.kills)
        return (
            f"{len(self.kills)} kills, dead for {dead:.0f} of {self.seconds:.0f} s, processes "
            f"{' -> '.join(map(str, self.options.processes))}, database away for "
            f"{self.options.outage_s:g} s: {self.sent} events acknowledged, "
            f"{self.minutes} minutes compared, {self.late} late ones listed, "
            f"{len(self.findings)} wrong. Verify: {self.verified['compared']} minutes and "
            f"{self.verified['roll_ups_compared']} hours and days compared, "
            f"{self.verified['differ']} differ, {len(self.verified['not_comparable'])} not "
            f"comparable; after one row was changed by hand {self.changed['differ']} differ"
        )


async def weather_storm(servers: Servers, options: StormOptions) -> StormReport:
    """Send a feed while the flow is killed; wait until it is calm; compare."""
    started_at = SystemClock().now().replace(second=0, microsecond=0) - timedelta(minutes=50)
    feed = draw_feed(_choose_feed(started_at, options))
    report = StormReport(options, sent=len(feed.events), minutes=len(feed.minutes), late=feed.late)
    began = time.monotonic()
    sending = asyncio.create_task(send_feed(servers, feed, spread_s=_guess_length(options)))
    taking = asyncio.create_task(_take_servers_away(servers, options))
    flow = Flow(servers)
    archive = ExitStack()
    archive.enter_context(servers.run("streaming.archive", name="archive", **FAST))
    try:
        await _kill_again_and_again(flow, options, report)
        if flow.process is None:
            flow.start(options.processes[-1])
        await taking
        await sending
        flow.stop()
        flow.start(options.processes[-1])
        connection = await asyncpg.connect(servers.database_url)
        try:
            await _wait_until_settled(connection, feed, flow)
            report.findings = await list_findings(connection, feed)
        finally:
            await connection.close()
        report.verified = await asyncio.to_thread(verify_span, servers, started_at, FEED_MINUTES)
        report.changed = await verify_changed_row(servers, started_at, FEED_MINUTES)
    finally:
        sending.cancel()
        taking.cancel()
        flow.stop()
        archive.close()
    report.seconds = time.monotonic() - began
    return report


class Flow:
    """The flow, as one process or several."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._stack = ExitStack()
        self.process: Process | None = None

    def start(self, processes: int) -> None:
        """Start it with so many processes."""
        self.process = self._stack.enter_context(
            self._servers.run("streaming.flow", "--processes", str(processes), name="flow", **FAST)
        )

    def kill(self, rng: random.Random) -> None:
        """End one of its processes as a crash would, and wait until all of them have ended."""
        if self.process is not None:
            meter = self.process.meter
            victims = [meter, *meter.children()]
            rng.choice(victims).kill()
            psutil.wait_procs(victims, timeout=STOP_S_MAX)
            self.stop()

    def stop(self) -> None:
        """End it."""
        self._stack.close()
        self.process = None


async def send_feed(servers: Servers, feed: Feed, *, spread_s: float) -> None:
    """Append a feed to the bus, spread over a time, each request until it is acknowledged."""
    settings = servers.settings
    writer = RedisBusWriter(servers.redis_url, max_entries=settings.bus_max_entries)
    requests = list(cut_feed(feed.events, REQUEST_EVENTS))
    began = time.monotonic()
    try:
        for number, request in enumerate(requests):
            await asyncio.sleep(began + spread_s * number / len(requests) - time.monotonic())
            parts = split_by_shard(_to_frame(request), settings.bus_shards)
            entries = {shard: encode_events(part) for shard, part in parts.items()}
            once = Once(f"storm-{number}", str(number))
            await _append_until_done(writer, entries, once)
    finally:
        await writer.close()


async def _kill_again_and_again(flow: Flow, options: StormOptions, report: StormReport) -> None:
    """Let the flow live and be dead for random times; with another number of processes in turn."""
    rng = random.Random(options.seed)  # noqa: S311 - the same storm every time.
    turns = len(options.processes)
    for kill in range(options.kills):
        flow.start(options.processes[kill * turns // options.kills])
        life_s, pause_s = rng.uniform(0, LIFE_S_MAX), rng.uniform(0, options.pause_s_max)
        await asyncio.sleep(life_s)
        await asyncio.to_thread(flow.kill, rng)
        await asyncio.sleep(pause_s)
        report.kills.append((life_s, pause_s))


async def _take_servers_away(servers: Servers, options: StormOptions) -> None:
    """Let the database be away for a while, and Redis crash, while events flow."""
    await asyncio.sleep(_guess_length(options) / 3)
    if options.outage_s:
        await asyncio.to_thread(servers.postgres.kill)
        await asyncio.sleep(options.outage_s)
        await asyncio.to_thread(servers.postgres.start)
    if options.restarts_redis:
        await asyncio.to_thread(servers.redis.kill)
        await asyncio.to_thread(servers.redis.start)


def _choose_feed(started_at: datetime, options: StormOptions) -> FeedOptions:
    return FeedOptions(started_at, minutes=FEED_MINUTES, events=options.events, seed=options.seed)


def _guess_length(options: StormOptions) -> float:
    """Return about how long the kills will take, so that events flow through all of them."""
    kills_s = options.kills * (LIFE_S_MAX + options.pause_s_max) / 2
    return kills_s + options.outage_s + SPARE_S


async def _wait_until_settled(connection: asyncpg.Connection, feed: Feed, flow: Flow) -> None:
    """Return when everything is complete, or after so long that something must be wrong."""
    deadline = time.monotonic() + SETTLED_S_MAX
    while time.monotonic() < deadline:
        if await is_settled(connection, feed):
            return
        if flow.process is not None:
            flow.process.wait_until(lambda: True, 1)
        await asyncio.sleep(1)


async def _append_until_done(writer: BusWriter, entries: Mapping[int, bytes], once: Once) -> None:
    """Send the same entries again until they are acknowledged."""
    while True:
        try:
            await writer.append(entries, once=once)
        except TelemetraError as error:
            await asyncio.sleep(error.retry_after_s or 1)
        else:
            return


def _to_frame(events: list[Event]) -> pl.DataFrame:
    names = {name for event in events for name in event}
    return pl.DataFrame(events, schema={name: SCHEMA[name] for name in SCHEMA if name in names})
