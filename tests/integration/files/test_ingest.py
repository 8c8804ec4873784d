"""Files against the real API and flow: the same minutes from every format, and whatever happens."""

import gzip
import io
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import orjson
import polars as pl
import pytest

from core.clock import SystemClock
from tests.fixtures.events import Event, reading, write_event
from tests.fixtures.flows import Flow
from tests.integration.files.conftest import Command, Ledger, make_rows


def write_ndjson(path: Path, events: Sequence[Event]) -> Path:
    path.write_bytes(b"".join(orjson.dumps(write_event(each)) + b"\n" for each in events))
    return path


def write_table(path: Path, events: Sequence[Event]) -> Path:
    """Write events as CSV or Parquet, as the end of the name says."""
    table = pl.DataFrame(events, infer_schema_length=None)
    if path.suffix == ".parquet":
        table.write_parquet(path, row_group_size=1000)
        return path
    text = io.BytesIO()
    table.with_columns(pl.col("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")).write_csv(text)
    path.write_bytes(gzip.compress(text.getvalue()) if path.suffix == ".gz" else text.getvalue())
    return path


@pytest.mark.parametrize("name", ["a.ndjson", "a.csv", "a.csv.gz", "a.parquet"])
async def test_every_format_gives_the_same_minutes(
    ingest: Command, ledger: Ledger, beginning: datetime, tmp_path: Path, name: str
):
    events = make_rows(beginning, 3000)
    write = write_ndjson if name.endswith("ndjson") else write_table
    done = await ingest.run(write(tmp_path / name, events), "--json")
    assert done.code == 0, done.told
    facts = {name: done.summary[name] for name in ("rows", "accepted", "rejected", "late", "ended")}
    assert facts == {
        "rows": 3000,
        "accepted": 3000,
        "rejected": 0,
        "late": 0,
        "ended": "finished",
    }
    await ledger.assert_exact(events)


@pytest.mark.parametrize(("name", "seed"), [("a.ndjson", 1), ("a.csv.gz", 2), ("a.parquet", 3)])
async def test_killed_at_any_moment_and_run_again_it_counts_every_row_once(
    ingest: Command,
    ledger: Ledger,
    beginning: datetime,
    tmp_path: Path,
    name: str,
    seed: int,
):
    events = make_rows(beginning, 12_000)
    write = write_ndjson if name.endswith("ndjson") else write_table
    command = (write(tmp_path / name, events), "--json", "--rate", "2000/s")
    rng, entries = random.Random(seed), 0
    for _ in range(3):
        process = ingest.start(*command)
        # Three streams: a body is up to three entries.
        entries += rng.randint(1, 15)
        await ledger.wait_for_entries(entries)
        assert process.kill() == -9
    done = await ingest.run(*command[:2])
    assert done.code == 0, done.told
    assert 0 < done.summary["accepted"] < 12_000
    assert done.summary["accepted_before"] + done.summary["accepted"] == 12_000
    await ledger.assert_exact(events)
    again = await ingest.run(*command[:2])
    assert (again.code, again.summary["accepted"], again.summary["rows"]) == (0, 0, 0)


async def test_an_interrupt_ends_with_a_summary_and_the_same_command_goes_on(
    ingest: Command,
    ledger: Ledger,
    beginning: datetime,
    tmp_path: Path,
):
    events = make_rows(beginning, 5000)
    path = write_ndjson(tmp_path / "a.ndjson", events)
    process = ingest.start(path, "--rate", "1000/s")
    await ledger.wait_for_entries(4)
    process.terminate()
    done = await ingest.finish(process)
    assert done.code == 130
    assert "events accepted" in done.said
    assert "interrupted; the same command goes on" in done.told
    assert (await ingest.run(path)).code == 0
    await ledger.assert_exact(events)


async def test_bad_rows_are_named_in_a_file_and_the_good_ones_counted(
    ingest: Command, ledger: Ledger, beginning: datetime, tmp_path: Path
):
    events = make_rows(beginning, 700)
    lines = [orjson.dumps(write_event(event)) for event in events]
    lines.insert(10, b'{"cut off')
    lines.insert(400, orjson.dumps({**write_event(events[3]), "type": "nonsense"}))
    path = tmp_path / "a.ndjson"
    path.write_bytes(b"\n".join(lines))
    rejects = tmp_path / "rejects.ndjson"
    done = await ingest.run(path, "--rejects", rejects)
    assert done.code == 3
    assert "702 rows read, 700 events accepted, 2 rejected" in done.said
    named = [orjson.loads(line) for line in rejects.read_bytes().splitlines()]
    assert [(row["row"], row["reason"][:11]) for row in named] == [
        (11, "not JSON: u"),
        (401, "type is not"),
    ]
    assert str(rejects) in done.said
    await ledger.assert_exact(events)


async def test_a_file_that_grew_goes_on_with_what_is_new(
    ingest: Command, ledger: Ledger, beginning: datetime, tmp_path: Path
):
    events = make_rows(beginning, 900)
    path = write_ndjson(tmp_path / "a.ndjson", events[:500])
    assert (await ingest.run(path)).code == 0
    with path.open("ab") as file:
        file.writelines(orjson.dumps(write_event(event)) + b"\n" for event in events[500:])
    done = await ingest.run(path, "--json")
    assert (done.summary["accepted"], done.summary["accepted_before"]) == (400, 500)
    await ledger.assert_exact(events)


async def test_begun_again_it_counts_no_event_twice(
    ingest: Command, ledger: Ledger, beginning: datetime, tmp_path: Path
):
    # Within the allowed lateness, where ids are known.
    events = make_rows(SystemClock().now() - timedelta(minutes=11), 900)[-300:]
    del beginning
    path = write_ndjson(tmp_path / "a.ndjson", events)
    assert (await ingest.run(path)).code == 0
    assert (await ingest.run(path, "--restart")).code == 0
    await ledger.assert_exact(events)


async def test_stdin_is_sent_as_it_comes(ingest: Command, ledger: Ledger, beginning: datetime):
    events = [reading(beginning + timedelta(seconds=n), float(n), "volts") for n in range(50)]
    rows = "".join(f"{each['timestamp']:%Y-%m-%dT%H:%M:%SZ};{each['value']}\n" for each in events)
    text = f"time;volts\n{rows}".encode()
    done = await ingest.run("-", "--stream", events[0]["stream_id"], "--json", stdin=text)
    assert (done.code, done.summary["accepted"]) == (0, 50), done.told
    await ledger.assert_exact(events)


async def test_several_files_are_one_sending(
    ingest: Command, ledger: Ledger, beginning: datetime, tmp_path: Path
):
    events = make_rows(beginning, 900)
    (tmp_path / "in").mkdir()
    write_ndjson(tmp_path / "in" / "a.ndjson", events[:300])
    write_table(tmp_path / "in" / "b.csv", events[300:600])
    write_table(tmp_path / "in" / "c.parquet", events[600:])
    done = await ingest.run(tmp_path / "in", "--json")
    assert (done.code, done.summary["accepted"]) == (0, 900), done.told
    await ledger.assert_exact(events)


async def test_recorded_times_are_kept_and_moved_to_now(
    ingest: Command, connection: asyncpg.Connection, flow: Flow, tmp_path: Path
):
    old = datetime.fromisoformat("2001-01-01T00:00:00+00:00")
    events = [reading(old + timedelta(seconds=n), n) for n in range(600)]
    path = write_ndjson(tmp_path / "a.ndjson", events)
    began_at = SystemClock().now()
    done = await ingest.run(path, "--as-recorded", "--speed", "600x", "--shift-to-now", "--json")
    assert (done.code, done.summary["accepted"], done.summary["late"]) == (0, 600, 0), done.told
    await flow.pump()
    times = [row["timestamp"] for row in await connection.fetch("SELECT timestamp FROM readings")]
    assert len(times) == 600
    assert max(times) - min(times) == timedelta(seconds=599)
    assert began_at < max(times) <= SystemClock().now()


async def test_what_is_too_old_is_told_with_the_setting_that_decides(
    ingest: Command, tmp_path: Path
):
    old = datetime.fromisoformat("2001-01-01T00:00:00+00:00")
    events = [reading(old + timedelta(seconds=n), n) for n in range(12_000)]
    done = await ingest.run(write_ndjson(tmp_path / "a.ndjson", events))
    assert done.code == 3
    assert "12,000: timestamp lies more than 365 days in the past" in done.said
    assert "INGEST_PAST_DAYS" in done.said
    (rejects,) = (ingest.data_dir / "ingest" / "rejected").iterdir()
    assert [orjson.loads(line)["row"] for line in rejects.read_bytes().splitlines()] == list(
        range(1, 12_001)
    )


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["missing.csv"], "There is no file missing.csv"),
        (["{folder}/odd.csv"], "Columns found: when, what"),
        (["{folder}/odd.csv", "--rate", "fast"], "no rate like 5000/s"),
        (["-", "--shift-to-now", "--type", "chat"], "of stdin the last time is not known"),
    ],
)
async def test_what_cannot_be_sent_is_one_clear_line(
    ingest: Command, tmp_path: Path, arguments: list[str], what: str
):
    (tmp_path / "odd.csv").write_text("when,what\nnow,that\n")
    done = await ingest.run(*(each.format(folder=tmp_path) for each in arguments))
    assert done.code in {1, 2}
    assert what in done.told.splitlines()[-1]
    assert "Traceback" not in done.told


async def test_where_no_api_is_nothing_is_begun(dead_port: int, tmp_path: Path):
    path = write_ndjson(tmp_path / "a.ndjson", make_rows(SystemClock().now(), 3))
    done = await Command(f"127.0.0.1:{dead_port}", tmp_path / "data").run(path)
    assert done.code == 1
    assert done.told.splitlines()[-1].startswith("telemetra: No API answers at")
