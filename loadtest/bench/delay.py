"""Delay: from the acknowledgement of an event until it is committed, and until it is on a socket.

    python -m loadtest.bench.delay --rate 2000 --seconds 60 --door http

    lines at a steady rate -> door -> bus -> flow ─┬─► TimescaleDB, asked every 5 ms
                                                   └─► Redis -> api -> /ws/live

Each body carries one message of each probe stream among those of the others. The database is asked
what the probe streams count, which adds at most the pause between two questions and one answer.
Everything is timed by one clock in one process. What is seen in the first seconds does not count.
"""

import argparse
import asyncio
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
import orjson
from websockets.asyncio.client import ClientConnection, connect

from infra.cli.probes import is_api_ready
from infra.services.ports import LOOPBACK, choose_port
from loadtest.bench.catch_ups import find_start
from loadtest.bench.doors import BusDoor, Door, HttpDoor
from loadtest.bench.folders import RESULTS, find_bench_folder
from loadtest.bench.probes import Sightings
from loadtest.bench.reports import Measurement, save_measurement
from loadtest.bench.senders import Sender
from loadtest.bench.servers import Servers, run_servers
from loadtest.bench.spreads import find_percentile
from loadtest.bench.tables import write_table

PROBES: Final = tuple(f"probe-{number}" for number in range(8))
POLL_S: Final = 0.005
WARM_UP_S: Final = 5.0
START_S_MAX: Final = 60

SETTLE_S_MAX: Final = 60
"""How long the last messages may take to be seen."""

COUNTS: Final = """
    SELECT stream_id, sum(chat_count)::bigint
    FROM chat_summary_minute
    WHERE stream_id = ANY($1)
    GROUP BY stream_id
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent."""

    door: str
    rate: int
    seconds: float
    streams: int


@dataclass(frozen=True, slots=True)
class Delays:
    """One kind of delay, in milliseconds."""

    samples: int
    p50_ms: float
    p99_ms: float
    most_ms: float

    @classmethod
    def of(cls, seconds: list[float]) -> "Delays":
        """Return the percentiles of at least one delay."""
        p50, p99, most = (find_percentile(seconds, percent) * 1000 for percent in (50, 99, 100))
        return cls(len(seconds), p50, p99, most)


@dataclass(frozen=True, slots=True)
class Found:
    """What a run found."""

    load: Load
    rate: float
    """Events a second that were acknowledged."""

    committed: Delays
    live: Delays


def measure_delay(load: Load) -> Found:
    """Start the servers, the API and the flow, and send."""
    port = choose_port()
    api_url = f"http://{LOOPBACK}:{port}"
    with run_servers(find_bench_folder()) as servers, ExitStack() as stack:
        api = stack.enter_context(servers.run("api", API_HOST=LOOPBACK, API_PORT=str(port)))
        flow = stack.enter_context(servers.run("streaming.flow"))
        api.wait_until(lambda: asyncio.run(_is_ready(api_url)), START_S_MAX)
        find_start([flow])
        return asyncio.run(_send_and_watch(servers, api_url, load))


async def _send_and_watch(servers: Servers, api_url: str, load: Load) -> Found:
    door: Door = BusDoor(servers) if load.door == "bus" else HttpDoor(api_url)
    sender = Sender(door, load.rate, load.streams, PROBES)
    committed, live = Sightings(sender.acknowledged), Sightings(sender.acknowledged)
    connection = await asyncpg.connect(servers.database_url)
    async with connect(f"{api_url.replace('http', 'ws', 1)}/ws/live") as socket:
        await socket.send(orjson.dumps({"type": "subscribe", "streams": PROBES}).decode())
        watches = [
            asyncio.create_task(_watch_database(connection, committed)),
            asyncio.create_task(_watch_socket(socket, live)),
        ]
        try:
            await sender.send(WARM_UP_S)
            committed.delays.clear()
            live.delays.clear()
            sent_before, started = sender.sent, time.perf_counter()
            await sender.send(load.seconds)
            rate = (sender.sent - sent_before) / (time.perf_counter() - started)
            await _settle([committed, live], watches)
        finally:
            for watch in watches:
                watch.cancel()
            await asyncio.gather(*watches, return_exceptions=True)
            await connection.close()
            await door.close()
    return Found(load, rate, Delays.of(committed.delays), Delays.of(live.delays))


async def _watch_database(connection: asyncpg.Connection, sightings: Sightings) -> None:
    while True:
        rows = await connection.fetch(COUNTS, list(PROBES))
        at = time.perf_counter()
        for stream_id, total in rows:
            sightings.see_total(stream_id, total, at)
        await asyncio.sleep(POLL_S)


async def _watch_socket(socket: ClientConnection, sightings: Sightings) -> None:
    async for text in socket:
        at = time.perf_counter()
        message = orjson.loads(text)
        if message["type"] in {"metrics", "minute"}:
            row = message["data"]
            sightings.see_minute(message["stream_id"], row["window_start"], row["chat_count"], at)


async def _settle(sightings: list[Sightings], watches: list[asyncio.Task[None]]) -> None:
    """Wait until everything was seen; a watch that failed ends the wait with its error."""
    async with asyncio.timeout(SETTLE_S_MAX):
        while not all(place.has_all() for place in sightings):
            for watch in watches:
                if watch.done():
                    watch.result()
            await asyncio.sleep(POLL_S)


async def _is_ready(api_url: str) -> bool:
    with suppress(OSError):
        return await is_api_ready(api_url)
    return False


def write_delays(found: Found) -> str:
    """Return the table of both kinds of delay."""
    kinds = {"committed in TimescaleDB": found.committed, "on the socket": found.live}
    return write_table(
        ["from acknowledgement to", "p50", "p99", "most", "samples"],
        (
            [
                name,
                f"{delays.p50_ms:.0f} ms",
                f"{delays.p99_ms:.0f} ms",
                f"{delays.most_ms:.0f} ms",
                f"{delays.samples:,}",
            ]
            for name, delays in kinds.items()
        ),
    )


def main() -> None:
    """Measure, save and print."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.bench.delay")
    parser.add_argument("--rate", type=int, default=2000, help="events a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--streams", type=int, default=100, help="beside the probes")
    parser.add_argument("--door", choices=("http", "bus"), default="http")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where results go")
    options = parser.parse_args()
    load = Load(options.door, options.rate, options.seconds, options.streams)
    found = measure_delay(load)
    measurement = Measurement(
        name=f"delay-{load.door}",
        title="Delay",
        text=(
            f"{found.rate:,.0f} of {load.rate:,} events a second for {load.seconds:g} s through"
            f" the door `{load.door}`, {load.streams} streams and {len(PROBES)} probes."
        ),
        table=write_delays(found),
        found=found,
    )
    sys.stdout.write(save_measurement(measurement, options.results))


if __name__ == "__main__":
    main()
