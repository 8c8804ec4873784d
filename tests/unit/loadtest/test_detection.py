"""The score of the labelled benchmark, and the anomalies that are put into ordinary series."""

from pathlib import Path

import numpy as np
import orjson
import pytest

from core.rows import Ints
from loadtest.bench.detection.injections import BASES, CHANGES, ROWS, draw_injected, draw_ordinary
from loadtest.bench.detection.labelled import PROFILES, Labelled, load_labelled, score_all
from loadtest.bench.detection.peers import roll, score_with_itself

STANDARD, LOW_FP, LOW_FN = PROFILES
SERIES = Labelled("a", np.arange(1000), np.zeros(1000), ((200, 300), (600, 699)))


def score(*rows: int, profile=STANDARD) -> float:
    return score_all([SERIES], [np.array(rows, np.int64)], profile)


def test_who_finds_each_window_at_once_is_perfect_and_who_says_nothing_scores_0():
    assert score(200, 600) == pytest.approx(100)
    assert [score(profile=profile) for profile in PROFILES] == [0, 0, 0]


def test_only_the_first_detection_in_a_window_counts_and_the_earlier_the_more():
    assert score(200, 250, 300) == pytest.approx(score(200)) == pytest.approx(50)
    assert score(200) > score(240) > score(290) > score(300) > 0


def test_what_lies_outside_costs_and_the_more_the_further_behind_a_window():
    assert score(200, 600, 160) == pytest.approx(100 - 100 * 0.11 / 4)
    near, far, farthest = (score(200, 600, row) for row in (705, 760, 999))
    assert 100 > near > far > farthest
    assert score(200, 600, 160, profile=LOW_FP) == pytest.approx(100 - 100 * 0.22 / 4)


def test_a_miss_costs_by_its_profile():
    assert score(200, profile=LOW_FN) == pytest.approx(100 * (1 - 2 + 4) / (2 + 4))


def test_nothing_counts_in_the_beginning():
    assert SERIES.probation == 150
    assert score(200, 600, 149) == pytest.approx(100)


def test_labelled_series_are_read_from_their_folder(tmp_path: Path):
    (tmp_path / "data" / "real").mkdir(parents=True)
    rows = [f"2026-01-01 00:{minute:02d}:00,{minute}" for minute in range(10)]
    (tmp_path / "data" / "real" / "x.csv").write_text("\n".join(["timestamp,value", *rows]))
    windows = {"real/x.csv": [["2026-01-01 00:02:00.000000", "2026-01-01 00:04:00.000000"]]}
    (tmp_path / "windows.json").write_bytes(orjson.dumps(windows))
    (series,) = load_labelled(tmp_path)
    assert (series.name, series.windows) == ("real/x.csv", ((2, 4),))
    assert series.values.tolist() == list(range(10))
    assert set(np.diff(series.times)) == {60}


def test_injected_anomalies_are_of_all_kinds_and_the_same_for_the_same_seed():
    drawn = list(draw_injected(1, 1))
    assert {each.base for each in drawn} == set(BASES)
    assert {each.change for each in drawn} == set(CHANGES)
    assert all(ROWS // 2 <= each.begin < each.end <= ROWS for each in drawn)
    assert all(np.isfinite(each.values).all() for each in drawn)
    again = next(iter(draw_injected(1, 1)))
    assert np.array_equal(drawn[0].values, again.values)


def test_a_detection_before_an_anomaly_is_a_false_alarm():
    drawn = next(iter(draw_injected(1, 1)))

    def at(*rows: int) -> Ints:
        return np.array(rows, np.int64)

    assert not drawn.is_found(at(drawn.begin - 1, ROWS - 1))
    assert drawn.is_found(at(drawn.begin))
    assert drawn.count_false(at(10, 700, drawn.begin)) == 1
    ordinary = next(iter(draw_ordinary(1, 1)))
    assert ordinary.count_false(at(10, 700, ROWS - 1)) == 2


def test_the_peers_are_what_they_are_said_to_be():
    values = np.random.default_rng(3).normal(0, 1, 500)
    values[300] = 40
    before = values[100:300]
    assert roll(200)(values)[300] == pytest.approx(abs(40 - before.mean()) / before.std())
    assert roll(200)(values).argmax() == 300
    assert score_with_itself(values).max() == pytest.approx(np.sqrt(10) * 10 / 11, rel=0.1)
    assert score_with_itself(values).max() < 3.17
