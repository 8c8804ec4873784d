"""Freshness: how long after a commit the next answer of every process shows it.

    python -m loadtest.bench.freshness

    a message ─► door ─► bus ─► flow ─commit─► TimescaleDB, asked all the time
                                  └─ touch ─► api, api    asked until both show the count

Two API processes and the flow, all real. A trial sends one chat message, and begins when the row
in the database is first seen to count it, which is at most ``POLL_S`` and one answer late. Both
processes have the answer at hand from before and are asked all the time. A trial's delay in a
process is from there to the first answer that shows the count; ``BOUND_MS`` is the most allowed.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
import orjson

from core.clock import SystemClock
from loadtest.bench.askable import Askable, start_ours
from loadtest.bench.catch_ups import find_start
from loadtest.bench.delay import Delays
from loadtest.bench.doors import HttpDoor
from loadtest.bench.folders import RESULTS, find_bench_folder
from loadtest.bench.reports import Measurement, save_measurement
from loadtest.bench.servers import Servers, run_servers
from loadtest.bench.tables import write_table

BOUND_MS: Final = 100
POLL_S: Final = 0.002
"""The pause between two questions, so that asking leaves the machine room for the rest."""

PROCESSES: Final = 2
STREAM: Final = "fresh"
PATH: Final = f"/api/v1/streams/{STREAM}/metrics"
READY: Final = "/readyz"
TRIAL_S_MAX: Final = 30
"""A message that takes longer to be committed is a failure of another kind."""

COUNT: Final = """
    SELECT coalesce(sum(chat_count), 0)::bigint FROM chat_summary_minute WHERE stream_id = $1
"""


@dataclass(frozen=True, slots=True)
class Found:
    """What all trials found."""

    trials: int
    late: int
    """Answers that showed a commit later than the bound."""

    delays: Delays
    asked: int
    """Requests while trials ran."""


class Reader:
    """One kept-alive connection to a process, which reads what the answer counts."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.asked = 0

    @classmethod
    async def connect(cls, server: Askable) -> "Reader":
        """Connect to a process."""
        return cls(*await asyncio.open_connection("127.0.0.1", server.port))

    async def read_count(self) -> int:
        """Ask once; a stream that is not there yet counts nothing."""
        self._writer.write(f"GET {PATH} HTTP/1.1\r\nHost: api\r\n\r\n".encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        body = await self._reader.readexactly(int(length))
        self.asked += 1
        rows = orjson.loads(body).get("data", [])
        return sum(row["chat_count"] for row in rows)

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()


def measure_freshness(trials: int) -> Found:
    """Start everything and run all trials."""
    with run_servers(find_bench_folder()) as servers, ExitStack() as stack:
        flow = stack.enter_context(servers.run("streaming.flow"))
        apis = [start_ours(servers, stack, f"api-{n}", None) for n in range(PROCESSES)]
        for api in apis:
            api.wait_until_good(READY)
        find_start([flow])
        return asyncio.run(_run_trials(servers, apis, trials))


async def _run_trials(servers: Servers, apis: list[Askable], trials: int) -> Found:
    door = HttpDoor(apis[0].url)
    connection = await asyncpg.connect(servers.database_url)
    readers = [await Reader.connect(api) for api in apis]
    delays: list[float] = []
    try:
        # The first one makes the stream and everything that is made only once.
        for number in range(trials + 1):
            async with asyncio.timeout(TRIAL_S_MAX):
                found = await _run_trial(door, connection, readers, number + 1)
            delays += found if number else []
    finally:
        for reader in readers:
            reader.close()
        await connection.close()
        await door.close()
    late = sum(delay * 1000 > BOUND_MS for delay in delays)
    return Found(trials, late, Delays.of(delays), sum(reader.asked for reader in readers))


async def _run_trial(
    door: HttpDoor, connection: asyncpg.Connection, readers: list[Reader], count: int
) -> list[float]:
    """Send one message and return how late each process showed it."""
    watching = [asyncio.create_task(_see(reader.read_count, count)) for reader in readers]
    await door.send(_write_message(count))
    committed_at = await _see(lambda: connection.fetchval(COUNT, STREAM), count)
    # Who showed it before the database was asked again waited for nothing.
    return [max(at - committed_at, 0.0) for at in await asyncio.gather(*watching)]


async def _see(read_count: Callable[[], Awaitable[int]], count: int) -> float:
    """Return when a count was first shown."""
    while True:
        if await read_count() >= count:
            return time.perf_counter()
        await asyncio.sleep(POLL_S)


def _write_message(number: int) -> bytes:
    now = SystemClock().now().isoformat()
    line = {"stream_id": STREAM, "type": "chat", "timestamp": now, "user": "probe"}
    return orjson.dumps(line | {"text": f"message {number}"})


def write_found(found: Found) -> str:
    """Return the table."""
    delays = found.delays
    rows = [
        ["commits", f"{found.trials:,}"],
        ["answers that first showed one", f"{delays.samples:,}"],
        ["p50", f"{delays.p50_ms:.1f} ms"],
        ["p99", f"{delays.p99_ms:.1f} ms"],
        ["most", f"{delays.most_ms:.1f} ms"],
        [f"later than {BOUND_MS} ms", f"{found.late:,}"],
    ]
    return write_table(["", "found"], rows)


def main() -> None:
    """Measure, save and print."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.bench.freshness")
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--results", type=Path, default=RESULTS, help="where results go")
    options = parser.parse_args()
    found = measure_freshness(options.trials)
    measurement = Measurement(
        name="freshness",
        title="Freshness",
        text=(
            f"{found.trials:,} commits of the real flow, {PROCESSES} API processes that were asked"
            f" {found.asked:,} times meanwhile: from when the row was first seen in the database to"
            " the first answer that showed it."
        ),
        table=write_found(found),
        found=found,
    )
    sys.stdout.write(save_measurement(measurement, options.results))


if __name__ == "__main__":
    main()
