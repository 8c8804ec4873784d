"""A simulated span, sent through the real door: the minutes are those of the file of the span."""

import asyncio
import sys
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import polars as pl

from core.clock import SystemClock
from core.settings import REPOSITORY
from tests.fixtures.flows import Flow

MINUTES = 12


async def simulate(data_dir: Path, start: datetime, *arguments: str) -> None:
    span = ("--from", start.isoformat(), "--minutes", str(MINUTES), "--scenario", "outage")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "streaming.simulator", *span, "--rate", "100/s", *arguments),
        cwd=REPOSITORY,
        env={"TELEMETRA_DATA_DIR": str(data_dir)},
        stderr=asyncio.subprocess.PIPE,
    )
    _, stderr = await process.communicate()
    assert process.returncode == 0, stderr.decode()


async def test_a_span_that_is_sent_makes_the_minutes_that_its_file_holds(
    tmp_path: Path, served: str, flow: Flow, connection: asyncpg.Connection
):
    now = SystemClock().now().replace(second=0, microsecond=0)
    start = now - timedelta(minutes=MINUTES)
    await simulate(tmp_path, start, "--url", f"http://{served}")
    await simulate(tmp_path, start, "--out", str(tmp_path / "events.parquet"))
    events = pl.read_parquet(tmp_path / "events.parquet")
    # Sent again, every event is known by its id.
    await simulate(tmp_path, start, "--url", f"http://{served}")
    await flow.pump()
    minute = pl.col("timestamp").dt.truncate("1m")
    chats = events.filter(type="chat").group_by("stream_id", minute).len().sort("*")
    rows = await connection.fetch(
        "SELECT stream_id, window_start, chat_count FROM chat_summary_minute"
        " WHERE chat_count > 0 ORDER BY stream_id, window_start"
    )
    assert [tuple(row) for row in rows] == chats.rows()
    readings = await connection.fetchval("SELECT sum(count) FROM reading_summary_minute")
    assert readings == events.filter(type="reading").height
