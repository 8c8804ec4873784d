"""``telemetra backtest`` over an archive that the product wrote, with labels of its database."""

import asyncio
import subprocess
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import asyncpg
import orjson
import pytest

from core.batches import Entry
from core.errors import InvalidError
from core.moments import Moment
from core.settings import Settings
from db.commits import CommitStore
from streaming.backtest.__main__ import backtest
from streaming.backtest.options import read_options
from streaming.backtest.reports import describe
from streaming.flow.dataflow import build_policy
from streaming.flow.shards import Shard
from tests.fixtures.archives import write_archive
from tests.fixtures.changes import make_changes
from tests.fixtures.clocks import START
from tests.fixtures.commands import run_command
from tests.fixtures.events import STREAM, chat, make_batch, make_entry

MINUTE: Final = timedelta(minutes=1)
SPIKE_AT: Final = START + 20 * MINUTE
END: Final = START + 30 * MINUTE
STEP: Final = MINUTE / 3
SPAN: Final = ("--from", START.isoformat(), "--to", END.isoformat(), "--step", "20")


def list_entries() -> list[Entry]:
    """Return half an hour of a chat that is ten times as busy for three minutes."""
    entries = []
    for number in range(90):
        at = START + number * STEP
        count = 100 if SPIKE_AT <= at < SPIKE_AT + 3 * MINUTE else 10 + number % 2
        events = [chat(at + (n + 0.5) * STEP / count, user=f"user{n}") for n in range(count)]
        entries.append(make_entry(at + STEP, events))
    return entries


@pytest.fixture
async def spike(settings: Settings, connection: asyncpg.Connection) -> Moment:
    """The moment that the flow found and stored of what lies in the archive."""
    entries = list_entries()
    write_archive(settings.archive_dir, [(0, entry) for entry in entries])
    shard, found = Shard(0, build_policy(settings)), dict[str, Moment]()
    for entry in entries:
        for changes in shard.apply(make_batch([entry])):
            found |= {moment.moment_id: moment for moment in changes.moments}
    (moment,) = found.values()
    await CommitStore(connection).commit([make_changes(0, shard.offset, moments=(moment,))])
    return moment


def run_process(settings: Settings, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {
        "DATABASE_URL": settings.require_database_url(),
        "TELEMETRA_DATA_DIR": str(settings.data_dir),
    }
    return run_command("streaming.backtest", *arguments, environment=environment)


async def run(settings: Settings, *arguments: str) -> Any:
    """Return what programs would read."""
    report, notes = await asyncio.to_thread(backtest, settings, read_options([*SPAN, *arguments]))
    assert not notes
    return orjson.loads(orjson.dumps(describe(report)))


def pick(told: Any, course: str, kind: str = "chat_spike") -> dict[str, Any]:
    tallies: Sequence[dict[str, Any]] = told[course]
    return next(tally for tally in tallies if tally["moment_type"] == kind)


async def test_a_backtest_finds_what_the_flow_found_and_holds_it_against_labels(
    settings: Settings, connection: asyncpg.Connection, spike: Moment, tmp_path: Path
):
    bare = await run(settings)
    assert [moment["moment_id"] for moment in bare["moments"]] == [spike.moment_id]
    assert bare["moments"][0]["is_right"] is None
    assert (pick(bare, "before")["precision"], bare["after"]) == (None, None)

    await connection.execute("UPDATE moments SET label = true")
    picture = tmp_path / "picture.svg"
    asked = ("--set", f"{STREAM}/chat_count/strictness=100", "--picture", str(picture))
    told = await run(settings, *asked)
    before, after = pick(told, "before"), pick(told, "after")
    assert (before["moments"], before["precision"], before["recall"]) == (1, 1.0, 1.0)
    assert (after["moments"], after["precision"], after["recall"]) == (0, None, 0.0)
    assert 0 <= before["delay_s"] <= 60
    (row,) = told["moments"]
    assert (row["before"], row["after"], row["is_right"]) == (True, False, True)
    root = ElementTree.fromstring(picture.read_text())  # noqa: S314 - what we drew ourselves.
    assert f"{STREAM}: chat_count" in [text.text for text in root.iter() if text.text]

    again = await asyncio.to_thread(run_process, settings, *SPAN, *asked, "--json")
    assert (again.returncode, again.stderr) == (0, "")
    assert orjson.loads(again.stdout) == told


@pytest.mark.usefixtures("spike")
async def test_for_people_there_is_a_table_and_what_is_missing_is_said(settings: Settings):
    away = settings.model_copy(update={"database_url": "postgresql://x@127.0.0.1:1/x"})
    done = await asyncio.to_thread(run_process, away, *SPAN)
    assert done.returncode == 0
    assert "Without the labels and tunings in the database" in done.stderr
    for part in ("nothing changed", "chat_spike", STREAM, "telemetra moments label", "--labels"):
        assert part in done.stdout


@pytest.mark.usefixtures("spike")
async def test_what_cannot_be_replayed_is_said(settings: Settings):
    before = ("--from", "2026-01-20T10:00Z", "--to", "2026-01-20T11:00Z")
    with pytest.raises(InvalidError, match="holds no events from 2026-01-20T10:00Z"):
        await run(settings, *before)
    wrong = await asyncio.to_thread(run_process, settings, *SPAN, "--set", "spike=1")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr.startswith("telemetra backtest: --set spike=1")
    assert wrong.stderr.count("\n") == 1
