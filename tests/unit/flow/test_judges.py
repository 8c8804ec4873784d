"""Judges: what a minute is measured by, and when it is measured again."""

import numpy as np
import pytest

from core.baselines import NORMAL_FROM_MAD, BaselinePolicy, Histories
from core.open_minutes import BOOKKEEPING, Wanted
from core.rows import Rows
from streaming.flow.judges import Judge, expect_counts, expect_values

START = 1_000_000
"""The number of a minute."""

POLICY = BaselinePolicy()


class Minutes:
    """Minutes of one kind, and their judge."""

    def __init__(self) -> None:
        self.rows = Rows(value=np.float64(0), **BOOKKEEPING)
        histories = Histories(POLICY, reopened=POLICY.span)
        self.judge = Judge(histories, POLICY, expect_counts)

    def give(
        self, minute: int, value: float, *, final: bool = True, series: int = 0
    ) -> dict[str, float | bool | None]:
        """Set one minute's value and return its verdict."""
        at = self.rows.place(np.array([series << 32 | START + minute]))
        self.rows.floats("value")[at] = value
        self.rows.bools("final")[at] = final
        wanted = Wanted(at, np.zeros(1, np.bool_))
        told = self.judge.judge(self.rows, wanted, self.rows.floats("value")[at])
        return {name: column.item() for name, column in told.items()}

    def warm_up(self, value: float, minutes: int = 12, series: int = 0) -> None:
        for minute in range(minutes):
            self.give(minute, value, series=series)


def test_a_minute_is_measured_in_spreads_from_the_median_of_the_minutes_before():
    minutes = Minutes()
    for minute in range(30):
        minutes.give(minute, 1000.0 + 100 * (minute % 3))
    verdict = minutes.give(30, 4100.0)
    assert verdict["expected"] == 1100.0
    assert verdict["z_score"] == pytest.approx(3000 / (100 * NORMAL_FROM_MAD))
    assert verdict["is_anomaly"] is True


def test_a_score_is_not_capped_by_the_number_of_points():
    minutes = Minutes()
    minutes.warm_up(1.0, POLICY.least)
    assert minutes.give(POLICY.least, 1_000_001.0)["z_score"] == 1_000_000.0


def test_warming_up_gives_no_verdict():
    minutes = Minutes()
    minutes.warm_up(1.0, POLICY.least - 1)
    verdict = minutes.give(30, 99.0)
    assert verdict == {"expected": None, "z_score": None, "is_anomaly": False}


def test_a_running_minute_is_measured_anew_when_the_minute_before_it_closes():
    minutes = Minutes()
    for minute in range(10):
        minutes.give(minute, float(minute))
    assert minutes.give(11, 50.0, final=False)["expected"] == 4.5
    assert minutes.give(11, 60.0, final=False)["expected"] == 4.5
    minutes.give(10, 100.0)
    assert minutes.give(11, 60.0, final=False)["expected"] == 5.0


def test_a_closed_minute_of_another_series_leaves_the_baseline_as_it_is():
    minutes = Minutes()
    minutes.warm_up(10.0, series=0)
    minutes.warm_up(500.0, series=1)
    first = minutes.give(12, 40.0, final=False, series=0)
    minutes.give(12, 9000.0, series=1)
    assert minutes.give(12, 40.0, final=False, series=0) == first


def test_a_running_minute_below_its_baseline_says_nothing_and_a_complete_one_does():
    minutes = Minutes()
    minutes.warm_up(100.0)
    assert minutes.give(12, 1.0, final=False)["z_score"] is None
    assert minutes.give(12, 1.0)["z_score"] == -9.9


def test_a_minute_that_closes_is_not_measured_by_itself():
    minutes = Minutes()
    minutes.warm_up(100.0)
    running = minutes.give(12, 900.0, final=False)
    assert minutes.give(12, 900.0) == running
    assert minutes.give(12, 900.0) == running


def test_chance_alone_is_no_anomaly():
    assert expect_counts(np.array([0.0, 0.5, 100.0])).tolist() == [1.0, 1.0, 10.0]
    assert expect_values(np.array([0.0, -2000.0])).tolist() == [1e-9, 2.0]


def test_a_series_that_is_forgotten_warms_up_again():
    minutes = Minutes()
    minutes.warm_up(10.0)
    minutes.judge.forget(np.array([0]))
    assert minutes.give(12, 99.0)["expected"] is None


def test_several_minutes_that_close_at_once_are_each_measured_by_those_before():
    minutes = Minutes()
    at = minutes.rows.place(np.arange(12) + START)
    minutes.rows.bools("final")[at] = True
    values = np.arange(12, dtype=np.float64)
    told = minutes.judge.judge(minutes.rows, Wanted(at, np.zeros(12, np.bool_)), values)
    assert told["expected"].to_list() == [None] * 10 + [4.5, 5.0]
