"""Paces: what people write, and how long a load waits."""

import pytest

from core.paces import BURST_S, Load, NoPace, RatePace, RecordedPace, read_rate, read_speed

SECOND = 1_000_000


@pytest.mark.parametrize(
    ("text", "rate"),
    [("5000/s", 5000), ("5000", 5000), ("300/min", 5), ("7200 / h", 2), ("0.5/s", 0.5)],
)
def test_a_rate_is_read_in_every_unit(text, rate):
    assert read_rate(text) == rate


@pytest.mark.parametrize("text", ["", "fast", "0/s", "-5/s", "5/d", "1e99/s", "5000/s/s"])
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(ValueError, match="no rate"):
        read_rate(text)


def test_a_speed_is_read_with_and_without_its_sign():
    assert (read_speed("60x"), read_speed("0.5"), read_speed(" 2x ")) == (60, 0.5, 2)


@pytest.mark.parametrize("text", ["", "x", "0x", "nan", "inf", "-3x", "1e9x"])
def test_what_is_no_speed_is_refused(text):
    with pytest.raises(ValueError, match="no speed"):
        read_speed(text)


def test_without_a_pace_nothing_waits():
    assert NoPace().find_wait_s(Load(1_000_000), 0.0) == 0


def test_a_rate_is_kept_over_many_loads():
    pace, now_s = RatePace(1000), 100.0
    for _ in range(40):
        now_s += pace.find_wait_s(Load(250), now_s)
    # The last load goes when the 39 before it have had their time.
    assert now_s == pytest.approx(100 + 39 * 0.25)


def test_after_a_stall_only_a_short_burst_follows():
    pace = RatePace(1000)
    pace.find_wait_s(Load(1000), 0.0)
    waits = [pace.find_wait_s(Load(250), 60.0) for _ in range(4)]
    assert BURST_S == 0.5
    assert waits == pytest.approx([0, 0, 0, 0.25])


def test_recorded_times_decide_when_a_load_goes():
    pace = RecordedPace(60)
    waits = [pace.find_wait_s(Load(5, at * SECOND), 10.0) for at in (600, 660, 720, 500)]
    assert waits == pytest.approx([0, 1, 2, 0])


def test_a_load_without_a_time_does_not_wait():
    pace = RecordedPace(1)
    pace.find_wait_s(Load(1, 0), 0.0)
    assert pace.find_wait_s(Load(0, None), 0.0) == 0
