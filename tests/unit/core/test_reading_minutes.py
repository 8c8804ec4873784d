"""Reading minutes: partials in any cut and order make the row of a plain recomputation."""

import math
import random
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.events import VALUE_MAX
from core.names import Names, Series
from core.open_minutes import Wanted
from core.quantiles import EXACT_MAX
from core.reading_minutes import ReadingMinutes, reduce_readings
from tests.fixtures.clocks import START
from tests.fixtures.events import STREAM, Event, make_frame, reading
from tests.fixtures.expectations import recompute_readings


def build(parts: list[list[Event]]) -> dict[tuple[str, str, datetime], dict[str, Any]]:
    """Return the full row of every minute."""
    streams = Names()
    channels = Series(streams)
    minutes = ReadingMinutes(channels)
    for offset, part in enumerate(parts, start=1):
        if part:
            frame = make_frame(part, offset, streams, channels, ["channel"])
            minutes.add(reduce_readings(frame), frame)
    size = len(minutes.rows)
    minutes.rows.bools("final")[:] = True
    rows = minutes.build(Wanted(np.arange(size), np.zeros(size, np.bool_))).to_dicts()
    return {(row["stream_id"], row["channel"], row["minute"]): row for row in rows}


def build_one(*parts: list[Event]) -> dict[str, Any]:
    return build(list(parts))[STREAM, "temp", START]


def seconds(count: float) -> datetime:
    return START + timedelta(seconds=count)


def test_a_minute_of_a_channel():
    row = build_one([reading(seconds(0), 1.0, unit="°C"), reading(seconds(1), 3.0)])
    assert (row["count"], row["mean"], row["min"], row["max"]) == (2, 2.0, 1.0, 3.0)
    assert row["stddev"] == math.sqrt(2)
    assert (row["last"], row["last_at"], row["unit"]) == (3.0, seconds(1), "°C")


def test_a_small_spread_on_a_large_value_is_kept():
    values = [1e9 + 0.1 * (-1) ** number for number in range(60)]
    parts = [[reading(seconds(place), value)] for place, value in enumerate(values)]
    spread = 0.1 * math.sqrt(60 / 59)
    assert math.isclose(build_one(*parts)["stddev"], spread, rel_tol=1e-5)
    assert math.isclose(build_one(sum(parts, []))["stddev"], spread, rel_tol=1e-5)  # noqa: RUF017


@pytest.mark.parametrize("value", [VALUE_MAX, -VALUE_MAX])
def test_the_largest_values_allowed_give_finite_rows(value: float):
    row = build_one([reading(seconds(0), value)] * 50, [reading(seconds(1), -value)] * 50)
    numbers = [row[name] for name in ("mean", "min", "max", "stddev", "last")]
    assert all(math.isfinite(number) for number in numbers)


def test_one_value_has_no_spread():
    assert build_one([reading(START, 5.0)])["stddev"] == 0.0


def test_the_last_value_is_that_of_the_newest_time_not_of_the_last_arrival():
    row = build_one([reading(seconds(9), 1.0)], [reading(seconds(3), 2.0)])
    assert (row["last"], row["last_at"]) == (1.0, seconds(9))


def test_of_equal_times_the_later_arrival_is_the_last():
    assert build_one([reading(START, 1.0)], [reading(START, 2.0)])["last"] == 2.0
    assert build_one([reading(START, 1.0), reading(START, 2.0)])["last"] == 2.0


def test_a_revision_is_the_offset_of_the_last_entry_that_touched_the_minute():
    rows = build([[reading(START)], [reading(START, channel="other")]])
    assert rows[STREAM, "temp", START]["revision"] == 1
    assert rows[STREAM, "other", START]["revision"] == 2


def test_a_minute_that_is_not_touched_stays_bit_for_bit_as_it_was():
    one = build_one(*([reading(seconds(n), 0.1 * n)] for n in range(7)))
    more = build_one(
        *([reading(seconds(n), 0.1 * n)] for n in range(7)),
        *([reading(seconds(n), n, channel="other")] for n in range(50)),
    )
    assert one == more


readings = st.builds(
    reading,
    st.integers(0, 90).map(seconds),
    st.one_of(
        st.integers(-9999, 9999).map(lambda n: n / 7), st.floats(1e9 - 1, 1e9 + 1), st.just(-0.0)
    ),
    st.sampled_from(["temp", "load"]),
    stream_id=st.sampled_from(["one", "two"]),
)


@given(st.lists(readings, max_size=25), st.randoms(use_true_random=False))
def test_partials_in_any_cut_make_the_row_of_a_plain_recomputation(
    events: list[Event], rng: random.Random
):
    bounds = [0, *sorted(rng.choices(range(len(events) + 1), k=3)), len(events)]
    rows = build([events[a:b] for a, b in pairwise(bounds)])
    expected = recompute_readings(events)
    assert rows.keys() == expected.keys()
    for key, row in expected.items():
        for name in ("count", "min", "max", "last", "last_at", "p50", "p95"):
            assert rows[key][name] == row[name], (key, name)
        size = max(abs(row["min"]), abs(row["max"]))
        assert math.isclose(rows[key]["mean"], row["mean"], rel_tol=1e-12, abs_tol=1e-12 * size)
        assert math.isclose(rows[key]["stddev"], row["stddev"], rel_tol=1e-6, abs_tol=1e-9 * size)


def test_the_newest_unit_counts_however_the_readings_are_cut():
    newest, older = reading(seconds(10), unit="C"), reading(seconds(5), unit="F")
    unnamed = reading(seconds(20))
    assert build_one([newest, older, unnamed])["unit"] == "C"
    assert build_one([newest], [older, unnamed])["unit"] == "C"
    assert build_one([older, unnamed], [newest])["unit"] == "C"


def test_units_are_those_of_their_channel_and_older_minutes_do_not_change_them():
    later = START + timedelta(minutes=1)
    rows = build([[reading(later, unit="C")], [reading(START, unit="F"), reading(later)]])
    assert rows[STREAM, "temp", later]["unit"] == "C"
    together = build([[reading(later, unit="C"), reading(START, unit="F")]])
    assert together[STREAM, "temp", later]["unit"] == "C"


def test_quantiles_are_values_that_were_read_up_to_the_limit_and_near_them_beyond():
    few = build_one([reading(START, float(value)) for value in range(1, 101)])
    assert (few["p50"], few["p95"]) == (50.0, 95.0)
    size = 4 * EXACT_MAX
    parts = [
        [reading(START, float(value)) for value in range(start, size, 4)] for start in range(4)
    ]
    many = build_one(*parts)
    assert many["p50"] == pytest.approx(0.5 * size, abs=0.01 * size)
    assert many["p95"] == pytest.approx(0.95 * size, abs=0.01 * size)
