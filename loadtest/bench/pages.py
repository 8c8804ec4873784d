"""Pages: is every minute told once when somebody pages through all of them while new ones arrive?

    python -m loadtest.bench.pages

    100 800 minutes ─► page, page, … page over HTTP      between two: new minutes, and old ones
                                                          that late events revise

Ends with 1 when a minute is missed or told twice.
"""

import argparse
import asyncio
import random
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import asyncpg
import orjson

from loadtest.bench.folders import RESULTS
from loadtest.bench.histories import END, History, connecting, write_minutes
from loadtest.bench.ranges import read_page, run_history
from loadtest.bench.reports import Measurement, save_measurement
from loadtest.bench.servers import Servers
from loadtest.bench.tables import write_table
from streaming.ingest.clients import ApiClient

DAYS: Final = 70
PAGE: Final = 1000
ARRIVING: Final = 5
"""Minutes that arrive, and as many that are revised, between two pages."""

REVISE: Final = """
    UPDATE chat_summary_minute SET chat_count = chat_count + 1, revision = revision + 1
    WHERE stream_id = $1 AND window_start = ANY($2::timestamptz[])
"""


@dataclass(frozen=True, slots=True)
class Paged:
    """What paging through a stream told."""

    minutes: int
    """That were there at first."""

    pages: int
    arrived: int
    revised: int
    missed: int
    twice: int
    seconds: float
    """Of the requests."""


class Writer:
    """Adds minutes to a stream and revises some of those before."""

    def __init__(self, connection: asyncpg.Connection, history: History) -> None:
        self._connection = connection
        self._history = history
        self._choose = random.Random(history.days)  # noqa: S311 (no secret)
        self._newest = END
        self.arrived = 0
        self.revised = 0

    async def write(self) -> None:
        """Write some of both."""
        (name,) = self._history.names
        await write_minutes(self._connection, name, self._newest, ARRIVING)
        self._newest += timedelta(minutes=ARRIVING)
        numbers = self._choose.sample(range(self._history.minutes), ARRIVING)
        times = [self._history.start + timedelta(minutes=number) for number in numbers]
        await self._connection.execute(REVISE, name, times)
        self.arrived += ARRIVING
        self.revised += ARRIVING


def measure_pages(history: History) -> Paged:
    """Page through a history."""
    with run_history(history) as (servers, client):
        return asyncio.run(_page(servers, client, history))


async def _page(servers: Servers, client: ApiClient, history: History) -> Paged:
    told: list[str] = []
    pages, seconds, cursor = 0, 0.0, None
    async with connecting(servers.database_url) as connection:
        writer = Writer(connection, history)
        while cursor is not None or not pages:
            query = {"resolution": "1m", "limit": PAGE} | ({"cursor": cursor} if cursor else {})
            started = time.perf_counter()
            path = f"/api/v1/streams/{history.names[0]}/metrics?{urlencode(query)}"
            page = orjson.loads(read_page(client, path))
            seconds += time.perf_counter() - started
            told += [row["window_start"] for row in page["data"]]
            pages, cursor = pages + 1, page["next_cursor"]
            await writer.write()
    return compare(told, history, pages, seconds, writer)


def compare(told: list[str], history: History, pages: int, seconds: float, writer: Writer) -> Paged:
    """Return what was told against what was there at first."""
    starts = [datetime.fromisoformat(text) for text in told]
    there = {history.start + timedelta(minutes=number) for number in range(history.minutes)}
    return Paged(
        minutes=history.minutes,
        pages=pages,
        arrived=writer.arrived,
        revised=writer.revised,
        missed=len(there - set(starts)),
        twice=len(starts) - len(set(starts)),
        seconds=seconds,
    )


def write_paged(paged: Paged) -> str:
    """Return the table of what was found."""
    rows = [
        ["minutes that were there at first", f"{paged.minutes:,}"],
        ["pages", f"{paged.pages:,}"],
        ["minutes that arrived meanwhile", f"{paged.arrived:,}"],
        ["minutes that were revised meanwhile", f"{paged.revised:,}"],
        ["missed", f"{paged.missed:,}"],
        ["told twice", f"{paged.twice:,}"],
        ["a page over HTTP, mean", f"{paged.seconds / paged.pages * 1000:.1f} ms"],
    ]
    return write_table(["", "found"], rows)


def main() -> None:
    """Measure, save and print; fail when a minute is missed or told twice."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.bench.pages")
    parser.add_argument("--days", type=int, default=DAYS, help="of minutes")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where results go")
    options = parser.parse_args()
    paged = measure_pages(History(1, options.days))
    measurement = Measurement(
        name="pages",
        title="Pages",
        text=f"One stream, page after page of {PAGE} minutes over HTTP, newest first.",
        table=write_paged(paged),
        found=paged,
    )
    sys.stdout.write(save_measurement(measurement, options.results))
    sys.exit(bool(paged.missed or paged.twice))


if __name__ == "__main__":
    main()
