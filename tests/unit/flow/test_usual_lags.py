"""Usual lags: told when they change for good, and silent about everything else."""

import subprocess
import sys
from collections.abc import Iterable
from datetime import timedelta

import numpy as np
import pytest

from core.settings import REPOSITORY
from streaming.flow.usual_lags import CAUGHT_UP_S, FLOOR_S, SETTLED, STEP, LagShift, UsualLag
from tests.fixtures.clocks import START

HOUR = timedelta(hours=1) // STEP
USUAL_S = 0.3


def draw_lags(steps: int, seed: int, *, level_s: float = USUAL_S, kept: float = 0.5) -> list[float]:
    """Return worst lags of ten seconds, each of which takes on a part of the one before."""
    noise = np.random.default_rng(seed).normal(0, 0.5 * np.sqrt(1 - kept**2), steps)
    levels = [0.0]
    for value in noise:
        levels.append(kept * levels[-1] + value)
    return list(level_s * np.exp(levels[1:]))


def note_lags(lags: Iterable[float], usual: UsualLag | None = None) -> list[tuple[int, LagShift]]:
    """Note a lag every ten seconds; return the shifts and when they were told."""
    usual = usual or UsualLag()
    told = ((step, usual.note(lag_s, START + step * STEP)) for step, lag_s in enumerate(lags))
    return [(step, shift) for step, shift in told if shift is not None]


@pytest.mark.parametrize("kept", [0, 0.5])
def test_a_quiet_month_tells_nothing(kept: float):
    usual = UsualLag()
    assert note_lags(draw_lags(30 * 24 * HOUR, 1, kept=kept), usual) == []
    assert usual.usual_s == pytest.approx(USUAL_S, rel=0.1)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("times", "direction"), [(4, "up"), (0.25, "down")])
def test_a_change_for_good_is_told_once_with_before_and_after(
    seed: int, times: float, direction: str
):
    before = draw_lags(3 * HOUR, seed)
    told = note_lags([*before, *draw_lags(3 * HOUR, seed + 100, level_s=times * USUAL_S)])
    assert len(told) == 1
    step, shift = told[0]
    assert 0 < step - len(before) <= timedelta(minutes=20) // STEP
    assert shift.direction == direction
    assert 1 / 1.5 < shift.before_s / USUAL_S < 1.5
    assert 1 / 1.5 < shift.after_s / (times * USUAL_S) < 1.5


def test_small_changes_add_up_until_they_are_told():
    steps = [draw_lags(2 * HOUR, seed, level_s=USUAL_S * 1.6**seed) for seed in range(3)]
    told = note_lags(lag_s for lags in steps for lag_s in lags)
    assert [step // (2 * HOUR) for step, _ in told] == [2]
    assert told[0][1].after_s / told[0][1].before_s == pytest.approx(1.6**2, rel=0.3)


def test_what_is_over_is_told_too():
    levels = [USUAL_S, 4 * USUAL_S, USUAL_S]
    lags = [draw_lags(2 * HOUR, seed, level_s=level_s) for seed, level_s in enumerate(levels)]
    told = note_lags(lag_s for part in lags for lag_s in part)
    assert [shift.direction for _, shift in told] == ["up", "down"]


@pytest.mark.parametrize(("steps", "lag_s"), [(1, 3600.0), (12, 120.0)])
def test_a_commit_that_took_an_hour_or_two_bad_minutes_tell_nothing(steps: int, lag_s: float):
    lags = draw_lags(6 * HOUR, 5)
    lags[3 * HOUR : 3 * HOUR + steps] = [lag_s] * steps
    assert note_lags(lags) == []


def test_ten_minutes_with_commits_are_learned_first():
    usual = UsualLag()
    # The last of them is not over yet.
    note_lags([USUAL_S] * SETTLED, usual)
    assert usual.usual_s is None
    usual.note(USUAL_S, START + SETTLED * STEP)
    assert usual.usual_s == pytest.approx(USUAL_S)


def test_what_is_made_up_for_after_a_start_is_not_learned():
    usual = UsualLag()
    catching_up = [3600.0] * 300 + [CAUGHT_UP_S] * 10
    note_lags([*catching_up, *[USUAL_S] * (SETTLED + 1)], usual)
    assert usual.usual_s == pytest.approx(USUAL_S)


def test_the_worst_of_ten_seconds_counts_in_whatever_order():
    usual = UsualLag()
    for step in range(SETTLED + 1):
        for second, lag_s in ((0, 0.1), (4, 0.8), (9, 0.2)):
            usual.note(lag_s, START + step * STEP + timedelta(seconds=second))
    assert usual.usual_s == pytest.approx(0.8)


def test_a_clock_that_is_set_back_stops_nothing():
    usual = UsualLag()
    usual.note(USUAL_S, START + timedelta(days=1))
    note_lags([USUAL_S] * SETTLED, usual)
    assert usual.usual_s == pytest.approx(USUAL_S)


def test_what_nobody_notices_and_clocks_that_differ_count_as_nothing():
    usual = UsualLag()
    note_lags([-3.0, 0.0, 0.001] * SETTLED, usual)
    assert usual.usual_s == pytest.approx(FLOOR_S)


def test_it_costs_a_process_no_statistics_of_scipy():
    program = "import sys, streaming.flow.usual_lags; print('scipy' in sys.modules)"
    told = subprocess.check_output([sys.executable, "-c", program], cwd=REPOSITORY, text=True)
    assert told.strip() == "False"
