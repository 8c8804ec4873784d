"""Baselines: the hour before, never the point itself, and no cap on what it is measured by."""

from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest

from core.baselines import NORMAL_FROM_MAD, BaselinePolicy, remember_minutes, score_minutes
from core.events import TIMESTAMP
from tests.fixtures.clocks import START

POLICY = BaselinePolicy()
SCHEMA = {"stream_id": pl.String(), "minute": TIMESTAMP, "value": pl.Float64()}
KEY = ["stream_id"]


def at(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def frame(values: dict[int, float], stream_id: str = "a") -> pl.DataFrame:
    """Return values by minutes since the start."""
    rows = [(stream_id, at(minute), value) for minute, value in values.items()]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def score(rows: pl.DataFrame, history: pl.DataFrame, floor: float = 1.0) -> list[dict[str, Any]]:
    scored = score_minutes(rows, history, key=KEY, floor=pl.lit(floor), policy=POLICY)
    return scored.select("expected", "spread", "z_score").to_dicts()


def test_a_minute_is_measured_in_spreads_from_the_median_of_the_minutes_before():
    history = frame({minute: 10.0 + minute % 3 for minute in range(30)})
    (row,) = score(frame({30: 41.0}), history, floor=0.1)
    assert row["expected"] == 11.0
    assert row["spread"] == pytest.approx(NORMAL_FROM_MAD)
    assert row["z_score"] == pytest.approx(30 / NORMAL_FROM_MAD)


def test_a_baseline_never_contains_the_judged_minute_nor_later_ones():
    before = dict.fromkeys(range(20), 10.0)
    clean = score(frame({20: 99.0}), frame(before))
    assert score(frame({20: 99.0}), frame(before | {20: 99.0, 21: 500.0})) == clean


def test_a_score_is_not_capped_by_the_number_of_points():
    history = frame(dict.fromkeys(range(POLICY.least), 10.0))
    (row,) = score(frame({POLICY.least: 1_000_010.0}), history)
    assert row["z_score"] == 1_000_000.0


def test_one_spike_before_does_not_hide_the_next():
    history = dict.fromkeys(range(20), 10.0)
    (clean,) = score(frame({21: 100.0}), frame(history))
    (after,) = score(frame({21: 100.0}), frame(history | {20: 10_000.0}))
    assert after == clean


def test_warming_up_gives_no_score():
    few = frame(dict.fromkeys(range(POLICY.least - 1), 10.0))
    assert score(frame({30: 99.0}), few) == [{"expected": None, "spread": None, "z_score": None}]
    enough = frame(dict.fromkeys(range(POLICY.least), 10.0))
    assert score(frame({30: 99.0}), enough)[0]["z_score"] == 89.0


def test_minutes_beyond_the_span_do_not_count():
    history = frame(dict.fromkeys(range(POLICY.least), 10.0))
    assert score(frame({60: 99.0}), history)[0]["z_score"] == 89.0
    assert score(frame({61: 99.0}), history)[0]["z_score"] is None


def test_streams_are_measured_against_themselves():
    history = pl.concat(
        [
            frame(dict.fromkeys(range(20), 10.0), "a"),
            frame(dict.fromkeys(range(20), 1000.0), "b"),
        ]
    )
    rows = pl.concat([frame({20: 1000.0}, "a"), frame({20: 1000.0}, "b")])
    assert [row["z_score"] for row in score(rows, history)] == [990.0, 0.0]


def test_a_revised_minute_replaces_the_remembered_one():
    history = frame({0: 1.0, 1: 2.0})
    kept = remember_minutes(history, frame({1: 3.0, 2: 4.0}), key=KEY, policy=POLICY)
    assert kept.sort("minute")["value"].to_list() == [1.0, 3.0, 4.0]


def test_minutes_are_forgotten_after_twice_the_span_by_stream():
    history = pl.concat([frame({0: 1.0, 1: 2.0}, "a"), frame({0: 3.0}, "b")])
    kept = remember_minutes(history, frame({121: 4.0}, "a"), key=KEY, policy=POLICY)
    assert sorted(kept["value"].to_list()) == [2.0, 3.0, 4.0]


def test_nothing_new_forgets_nothing():
    history = frame({0: 1.0})
    assert remember_minutes(history, frame({}), key=KEY, policy=POLICY).equals(history)
