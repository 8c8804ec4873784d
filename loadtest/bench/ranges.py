"""Ranges: how long a question about days or months takes over HTTP when no answer is at hand.

    python -m loadtest.bench.ranges

    months of minutes -> API -> GET …/metrics?start=…&end=…   each once, so that every cache misses
                      └► the same statements over asyncpg, and orjson, between the requests

The API, TimescaleDB and Redis are processes of their own; requests go one after the other over one
connection. What a statement reads is what ``EXPLAIN (ANALYZE, BUFFERS)`` says of it.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import asyncpg
import orjson

from api.metrics.schemas import MetricsQuery
from infra.cli.probes import is_api_ready
from infra.services.ports import LOOPBACK, choose_port
from loadtest.bench.folders import RESULTS, find_bench_folder
from loadtest.bench.histories import END, History, connecting, write_history
from loadtest.bench.plans import Reading, Statement, explain, list_statements, run_plainly
from loadtest.bench.reports import Measurement, save_measurement
from loadtest.bench.servers import Servers, run_servers
from loadtest.bench.spreads import find_percentile
from loadtest.bench.tables import write_table
from streaming.ingest.clients import ApiClient

STREAMS: Final = 100
DAYS: Final = 90
REQUESTS: Final = 100
START_S_MAX: Final = 60


@dataclass(frozen=True, slots=True)
class Question:
    """A kind of range, asked of one stream after the other at different times."""

    name: str
    span: timedelta
    query: dict[str, str]

    def ask(self, history: History, number: int) -> "Asked":
        """Return what was not asked before; it ends some minutes earlier each time."""
        names = history.names
        end = END - timedelta(minutes=number // len(names))
        query = {"start": (end - self.span).isoformat(), "end": end.isoformat(), **self.query}
        stream_id = names[number % len(names)]
        path = f"/api/v1/streams/{stream_id}/metrics?{urlencode(query)}"
        return Asked(stream_id, path, MetricsQuery.model_validate(query))


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, as a path and as the API reads it."""

    stream_id: str
    path: str
    query: MetricsQuery


QUESTIONS: Final = (
    Question("90 days, auto", timedelta(days=90), {"limit": "1000"}),
    Question("90 days, auto, thinned to 1000", timedelta(days=90), {"points": "1000"}),
    Question("40 days, auto", timedelta(days=40), {"limit": "1000"}),
    Question("10 days, auto", timedelta(days=10), {"limit": "1000"}),
    Question("3 days, auto", timedelta(days=3), {"limit": "1000"}),
    Question("16 hours, auto", timedelta(hours=16), {"limit": "1000"}),
    Question("30 days, auto, thinned to 1000", timedelta(days=30), {"points": "1000"}),
    Question("6 days, auto, thinned to 1000", timedelta(days=6), {"points": "1000"}),
)


@dataclass(frozen=True, slots=True)
class Range:
    """How long one kind of range took."""

    name: str
    resolution: str
    rows: int
    """Of the answer."""

    read: Reading
    requests: int
    p50_ms: float
    p95_ms: float
    most_ms: float
    plain_p50_ms: float
    ratio: float
    """The middle time over HTTP against the same statements over asyncpg and orjson."""


def measure_ranges(history: History, requests: int) -> list[Range]:
    """Fill a database, start the API over it, and ask."""
    with run_history(history) as (servers, client):
        return asyncio.run(_ask_all(servers, client, history, requests))


@contextmanager
def run_history(history: History) -> Iterator[tuple[Servers, ApiClient]]:
    """Run the API over a history for the length of a block."""
    with run_servers(find_bench_folder()) as servers, ExitStack() as stack:
        asyncio.run(_fill(servers, history))
        port = choose_port()
        url = f"http://{LOOPBACK}:{port}"
        api = stack.enter_context(servers.run("api", API_HOST=LOOPBACK, API_PORT=str(port)))
        api.wait_until(lambda: asyncio.run(_is_ready(url)), START_S_MAX)
        client = ApiClient(url)
        stack.callback(client.close)
        yield servers, client


async def _fill(servers: Servers, history: History) -> None:
    async with connecting(servers.database_url) as connection:
        started = time.perf_counter()
        await write_history(connection, history)
        sys.stderr.write(f"{history.minutes:,} minutes in {time.perf_counter() - started:.0f} s\n")


async def _is_ready(url: str) -> bool:
    with suppress(OSError):
        return await is_api_ready(url)
    return False


async def _ask_all(
    servers: Servers, client: ApiClient, history: History, requests: int
) -> list[Range]:
    async with connecting(servers.database_url) as connection:
        asker = Asker(client, connection, history)
        return [await asker.ask(question, requests) for question in QUESTIONS]


class Asker:
    """Asks the same over HTTP and plainly, in turn."""

    def __init__(self, client: ApiClient, connection: asyncpg.Connection, history: History) -> None:
        self._client = client
        self._connection = connection
        self._history = history

    async def ask(self, question: Question, requests: int) -> Range:
        """Return how long a kind of range took."""
        served: list[float] = []
        plain: list[float] = []
        page: dict[str, Any] = {}
        statements: list[Statement] = []
        for number in range(requests):
            asked = question.ask(self._history, number)
            # First over HTTP: what it had to fetch from disk is at hand for the other.
            started = time.perf_counter()
            body = read_page(self._client, asked.path)
            served.append(time.perf_counter() - started)
            statements = await list_statements(self._connection, asked.stream_id, asked.query, END)
            started = time.perf_counter()
            await run_plainly(self._connection, statements)
            plain.append(time.perf_counter() - started)
            page = orjson.loads(body)
        return Range(
            name=question.name,
            resolution=page["resolution"],
            rows=len(page["data"]),
            read=await explain(self._connection, statements),
            requests=requests,
            p50_ms=find_percentile(served, 50) * 1000,
            p95_ms=find_percentile(served, 95) * 1000,
            most_ms=max(served) * 1000,
            plain_p50_ms=find_percentile(plain, 50) * 1000,
            ratio=find_percentile(served, 50) / find_percentile(plain, 50),
        )


def read_page(client: ApiClient, path: str) -> bytes:
    """Return the body of an answer.

    Raises:
        RuntimeError: It is none of 200.
    """
    answer = client.request("GET", path, None, {})
    if answer.status != 200:
        message = f"{answer.status}: {answer.excerpt}"
        raise RuntimeError(message)
    return answer.body


def write_ranges(found: Sequence[Range]) -> str:
    """Return the table of all kinds of ranges."""
    head = ["range", "rows of", "rows", "p50", "p95", "most", "÷ plain", "read", "chunks", "pages"]
    return write_table(
        head,
        (
            [
                each.name,
                each.resolution,
                f"{each.rows:,}",
                f"{each.p50_ms:.1f} ms",
                f"{each.p95_ms:.1f} ms",
                f"{each.most_ms:.1f} ms",
                f"{each.ratio:.2f}",
                f"{each.read.rows:,}",
                f"{each.read.chunks}",
                f"{each.read.buffers:,}",
            ]
            for each in found
        ),
    )


def main() -> None:
    """Measure, save and print."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.bench.ranges")
    parser.add_argument("--streams", type=int, default=STREAMS)
    parser.add_argument("--days", type=int, default=DAYS, help="of minutes, each stream")
    parser.add_argument("--requests", type=int, default=REQUESTS, help="of each kind")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where results go")
    options = parser.parse_args()
    history = History(options.streams, options.days)
    found = measure_ranges(history, options.requests)
    measurement = Measurement(
        name="ranges",
        title="Ranges",
        text=(
            f"{history.minutes:,} chat minutes of {history.streams} streams over {history.days}"
            f" days, with their hours and days; {options.requests} requests of each kind over HTTP,"
            " none asked before. *÷ plain*: the middle time against the same statements over"
            " asyncpg and orjson, in turn. *Read*: rows of the last request by EXPLAIN ANALYZE,"
            " from so many chunks and pages of 8 kB."
        ),
        table=write_ranges(found),
        found=found,
    )
    sys.stdout.write(save_measurement(measurement, options.results))


if __name__ == "__main__":
    main()
