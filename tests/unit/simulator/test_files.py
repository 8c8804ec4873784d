"""Files of events and of labels: the same bytes for the same seed, and in both formats the same."""

from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

import orjson
import polars as pl
import pytest

from core.errors import InvalidError
from core.events import TimePolicy, check_events
from core.ndjson import read_ndjson
from core.settings import REPOSITORY
from streaming.simulator.files import Span, write_file
from streaming.simulator.labels import LabelFile
from streaming.simulator.profiles import list_profiles
from streaming.simulator.scenarios import SCENARIOS
from streaming.simulator.tables import COLUMNS
from streaming.simulator.worlds import World
from tests.fixtures.commands import run_command

START = datetime(2026, 3, 4, 18, 0, tzinfo=UTC)
START_MS = 1_772_647_200_000
MINUTE_MS = 60_000
LENGTH_MS = 10 * MINUTE_MS


def make_world(scenario: str = "raid", seed: int = 7) -> World:
    return World(seed, list_profiles(9), 60.0, SCENARIOS[scenario])


def write(path: Path, world: World | None = None) -> int:
    return write_file(path, Span(world or make_world(), START_MS, START_MS + LENGTH_MS))


def run(folder: Path, out: str, *options: str) -> str:
    """Run the command as a process of its own."""
    environment = {"TELEMETRA_DATA_DIR": str(folder)}
    done = run_command("streaming.simulator", "--out", out, *options, environment=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("scenario", "suffix"), [*zip(SCENARIOS, cycle(["ndjson", "parquet"]), strict=False)]
)
def test_the_same_seed_options_and_start_give_the_same_bytes(tmp_path, suffix, scenario):
    options = ("--from", START.isoformat(), "--minutes", "12", "--scenario", scenario)
    first, second = (tmp_path / f"{name}.{suffix}" for name in "ab")
    for path in (first, second):
        said = run(tmp_path, str(path), *options, "--rate", "200/s")
        assert f"events in {path}" in said
    assert first.read_bytes() == second.read_bytes()
    labels = [path.with_suffix(".labels.ndjson").read_bytes() for path in (first, second)]
    assert labels[0] == labels[1]
    assert bool(labels[0]) == (scenario != "calm")


def test_another_seed_gives_other_events_and_other_labels(tmp_path):
    for seed in (7, 8):
        world = make_world(seed=seed)
        write(tmp_path / f"{seed}.ndjson", world)
        with LabelFile(tmp_path / f"{seed}.labels", world) as labels:
            labels.cover(START_MS, START_MS + LENGTH_MS)
    for suffix in ("ndjson", "labels"):
        assert (tmp_path / f"7.{suffix}").read_bytes() != (tmp_path / f"8.{suffix}").read_bytes()


def test_both_formats_hold_the_events_that_the_door_reads(tmp_path):
    lines, columns = tmp_path / "events.ndjson", tmp_path / "events.parquet"
    assert write(lines) == write(columns)
    raw, unreadable = read_ndjson(lines.read_bytes())
    now = datetime.fromtimestamp((START_MS + LENGTH_MS) / 1000, UTC)
    read, rejected = check_events(raw, now=now, policy=TimePolicy())
    assert (unreadable, rejected) == ([], [])
    frame = pl.read_parquet(columns)
    assert frame.columns == COLUMNS
    assert frame.equals(read.select(COLUMNS))


def test_a_file_has_its_name_when_it_is_whole_and_leaves_nothing_when_it_fails(tmp_path):
    (tmp_path / "events.ndjson").mkdir()
    with pytest.raises(InvalidError, match="cannot be written"):
        write(tmp_path / "events.ndjson")
    assert [path.name for path in tmp_path.iterdir()] == ["events.ndjson"]


def test_a_span_without_events_is_an_empty_file(tmp_path):
    world = make_world()
    assert write_file(tmp_path / "none.ndjson", Span(world, START_MS, START_MS)) == 0
    assert (tmp_path / "none.ndjson").read_bytes() == b""
    assert write_file(tmp_path / "none.parquet", Span(world, START_MS, START_MS)) == 0
    assert pl.read_parquet(tmp_path / "none.parquet").is_empty()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_labels_are_the_same_however_the_time_is_cut(tmp_path, scenario):
    with LabelFile(tmp_path / "whole", make_world(scenario)) as whole:
        whole.cover(START_MS, START_MS + 6 * LENGTH_MS)
    with LabelFile(tmp_path / "pieces", make_world(scenario)) as pieces:
        for at_ms in range(START_MS, START_MS + 6 * LENGTH_MS, 17_000):
            pieces.cover(at_ms, min(at_ms + 17_000, START_MS + 6 * LENGTH_MS))
        # Whoever looks while it runs sees all that was sent.
        assert whole.path.read_bytes() == pieces.path.read_bytes()
    assert whole.incidents == pieces.incidents
    assert whole.path.read_bytes() == pieces.path.read_bytes()


def test_a_label_has_the_fields_that_are_described(tmp_path):
    with LabelFile(tmp_path / "labels", make_world("raid")) as labels:
        labels.cover(START_MS, START_MS + LENGTH_MS)
    lines = [orjson.loads(line) for line in labels.path.read_bytes().splitlines()]
    described = (REPOSITORY / "docs/connectors.md").read_text()
    assert all(f"`{name}`" in described for line in lines for name in line)
    assert all(
        line["started_at"] <= line["peak_at"] <= line["ended_at"]
        and (line["scenario"], line["seed"]) == ("raid", 7)
        and (line["channel"] is None) == (line["metric"] != "reading")
        for line in lines
    )
    ids = {line["incident_id"] for line in lines}
    assert len(ids) == labels.incidents > 0


def test_labels_that_cannot_be_written_are_one_clear_line(tmp_path):
    (tmp_path / "file").touch()
    done = run_command(
        "streaming.simulator",
        *("--out", str(tmp_path / "x.ndjson")),
        *("--minutes", "1", "--labels", str(tmp_path / "file" / "labels")),
        environment={"TELEMETRA_DATA_DIR": str(tmp_path)},
    )
    assert done.returncode == 1
    assert done.stderr.startswith("telemetra simulate: ")
    assert done.stderr.count("\n") == 1
