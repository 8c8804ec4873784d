"""The command as people run it, against the real API, and what the flow makes of what it sent."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
import orjson
import pytest
import redis.asyncio

from core.clock import SystemClock
from core.settings import Settings
from streaming.bus.redis import name_shard
from tests.fixtures.commands import RunningCommand
from tests.fixtures.events import Event, chat, reading, transaction, viewers
from tests.fixtures.expectations import CHAT_EXACT, recompute_chat, recompute_readings
from tests.fixtures.flows import Flow
from tests.fixtures.waiting import eventually

STREAMS: Final = ("north", "south", "west")


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    code: int
    said: str
    told: str
    """What it wrote to stderr."""

    @property
    def summary(self) -> dict[str, Any]:
        """What it said with ``--json``."""
        summary: dict[str, Any] = orjson.loads(self.said)
        return summary


@dataclass(slots=True)
class Command:
    """``telemetra ingest`` in a data folder of its own."""

    address: str
    data_dir: Path
    running: list[RunningCommand] = field(default_factory=list)

    def start(self, *arguments: str | Path, stdin: bytes = b"") -> RunningCommand:
        """Start it."""
        process = RunningCommand(
            "streaming.connectors.files",
            *map(str, arguments),
            *("--url", f"http://{self.address}"),
            environment={"TELEMETRA_DATA_DIR": str(self.data_dir), "LOG_FORMAT": "json"},
            stdin=stdin,
        )
        self.running.append(process)
        return process

    async def run(self, *arguments: str | Path, stdin: bytes = b"") -> Done:
        """Run it to its end."""
        return await self.finish(self.start(*arguments, stdin=stdin))

    async def finish(self, process: RunningCommand) -> Done:
        """Wait for the end of what was started."""
        done = await asyncio.to_thread(process.finish)
        return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
async def ingest(served: str, tmp_path: Path) -> AsyncIterator[Command]:
    """The command, aimed at the test's API."""
    command = Command(served, tmp_path / "data")
    yield command
    for process in command.running:
        process.kill()


@pytest.fixture
def beginning() -> datetime:
    """An hour ago: believable, and over."""
    return SystemClock().now().replace(second=0, microsecond=0) - timedelta(hours=1)


def make_rows(beginning: datetime, count: int) -> list[Event]:
    """Return events of every type over ten minutes, in the order of their times."""
    events: list[Event] = []
    for number in range(count):
        at = beginning + timedelta(milliseconds=600_000 * number // count)
        stream_id = STREAMS[number % 3]
        match number % 7:
            case 0:
                events.append(reading(at, number / 8, stream_id=stream_id, unit="V"))
            case 1:
                events.append(viewers(at, number % 900, stream_id=stream_id))
            case 2:
                events.append(transaction(at, float(number % 50), stream_id=stream_id))
            case _:
                text = ("great Kappa", "LUL LUL", "lag again", "\U0001f602 nice")[number % 4]
                events.append(chat(at, f"user{number % 97}", text, stream_id=stream_id))
    return events


@dataclass(slots=True)
class Ledger:
    """Holds what is stored against what was sent."""

    settings: Settings
    connection: asyncpg.Connection
    redis: redis.asyncio.Redis
    flow: Flow

    async def wait_for_entries(self, count: int) -> None:
        """Wait until the bus holds so many entries."""

        async def ask() -> int:
            shards = range(self.settings.bus_shards)
            return sum([int(await self.redis.xlen(name_shard(shard))) for shard in shards])

        await eventually(ask, holds=count.__le__, within_s=60)

    async def assert_exact(self, events: Sequence[Event]) -> None:
        """Commit what is on the bus, and hold every minute and raw point against all events."""
        await self.flow.pump()
        await self.flow.close(SystemClock().now())
        await self._assert_chat(events)
        await self._assert_readings(events)
        tables = {"viewer_timeseries": "viewers", "readings": "reading"}
        for table, kind in {**tables, "transactions": "transaction"}.items():
            stored = await self.connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608
            assert stored == sum(event["type"] == kind for event in events), table
        assert (
            await self.connection.fetchval("SELECT coalesce(sum(events), 0) FROM late_events") == 0
        )

    async def _assert_chat(self, events: Sequence[Event]) -> None:
        rows = await self.connection.fetch("SELECT * FROM chat_summary_minute")
        stored = {(row["stream_id"], row["window_start"]): dict(row) for row in rows}
        expected = recompute_chat(events)
        assert stored.keys() == expected.keys()
        for key, row in stored.items():
            row["top_emotes"] = [
                {"emote": emote, "count": row["emote_counts"][emote]} for emote in row["top_emotes"]
            ]
            wanted = {name: expected[key][name] for name in CHAT_EXACT}
            assert {name: row[name] for name in CHAT_EXACT} == wanted, key

    async def _assert_readings(self, events: Sequence[Event]) -> None:
        rows = await self.connection.fetch("SELECT * FROM reading_summary_minute")
        stored = {(row["stream_id"], row["channel"], row["window_start"]): row for row in rows}
        expected = recompute_readings(events)
        assert stored.keys() == expected.keys()
        for key, wanted in expected.items():
            for name in ("count", "min", "max", "last", "last_at"):
                assert stored[key][name] == wanted[name], (key, name)


@pytest.fixture
def ledger(
    settings: Settings,
    connection: asyncpg.Connection,
    redis_client: redis.asyncio.Redis,
    flow: Flow,
) -> Ledger:
    """What is stored, held against what was sent."""
    return Ledger(settings, connection, redis_client, flow)
