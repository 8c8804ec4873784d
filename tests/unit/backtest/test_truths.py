"""The labels of the simulator, read back."""

from datetime import timedelta
from pathlib import Path

import pytest

from core.errors import InvalidError
from streaming.backtest.truths import TYPES, read_truths
from streaming.simulator.labels import LabelFile
from streaming.simulator.profiles import list_profiles
from streaming.simulator.scenarios import SCENARIOS
from streaming.simulator.worlds import World
from tests.fixtures.clocks import START

START_MS = int(START.timestamp() * 1000)
HOUR_MS = 3_600_000


@pytest.mark.parametrize("scenario", ["raid", "launch", "outage"])
def test_every_label_that_the_simulator_writes_is_understood(scenario: str, tmp_path: Path):
    world = World(7, list_profiles(8), 60.0, SCENARIOS[scenario])
    path = tmp_path / "truth.ndjson"
    with LabelFile(path, world) as labels:
        labels.cover(START_MS, START_MS + 3 * HOUR_MS)
    truths = read_truths(path)
    assert len(truths) == len(path.read_bytes().splitlines()) > 0
    assert {each.incident_id for each in truths} == {
        line.split('"')[3] for line in path.read_text().splitlines()
    }
    for truth in truths:
        fade = truth.felt_until - truth.ended_at
        assert timedelta(minutes=1) <= fade <= timedelta(minutes=7)
        expected = TYPES.get((truth.metric, truth.direction))
        assert truth.types == expected if expected else "reading_anomaly" in truth.types


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("{", "Line 2"),
        ('{"kind": "raid"}', "metric"),
        ('{"metric": "x", "channel": null, "direction": "up", "kind": "quake"}', "ended_at"),
    ],
)
def test_a_line_that_is_no_label_is_named(line: str, word: str, tmp_path: Path):
    path = tmp_path / "truth.ndjson"
    path.write_text(f"\n{line}\n")
    with pytest.raises(InvalidError, match=word) as caught:
        read_truths(path)
    assert "Line 2 of" in caught.value.detail


def test_a_file_that_is_not_there_is_said(tmp_path: Path):
    with pytest.raises(InvalidError, match="cannot be read"):
        read_truths(tmp_path / "none.ndjson")
