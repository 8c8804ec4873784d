"""Comparisons: curves are named in one way and stand on one axis, gaps and all."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.comparisons import Curve, line_up
from core.minutes import to_micros
from tests.fixtures.clocks import START

CHAT = Curve("a", None, "chat_count")
TEMP = Curve("b", "temp", "mean")


def make_rows(column: str, values: dict[int, float | None]) -> list[dict[str, Any]]:
    return [
        {"window_start": START + timedelta(minutes=minute), column: value}
        for minute, value in values.items()
    ]


@pytest.mark.parametrize(
    ("text", "curve"),
    [
        ("a", CHAT),
        ("a/chat_count", CHAT),
        ("a/avg_viewers", Curve("a", None, "avg_viewers")),
        ("b/channel:temp", TEMP),
        ("b/channel:temp/p95", Curve("b", "temp", "p95")),
        ("x:y@z/channel:channel:1", Curve("x:y@z", "channel:1", "mean")),
    ],
)
def test_a_text_names_a_curve(text: str, curve: Curve):
    assert Curve.parse(text) == curve
    assert Curve.parse(str(curve)) == curve


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "STREAM/channel:NAME"),
        ("a b", "STREAM/channel:NAME"),
        ("a/channel:", "STREAM/channel:NAME"),
        ("a/chat_count/x", "STREAM/channel:NAME"),
        ("a\n", "STREAM/channel:NAME"),
        ("a/mean", "there are chat_count, "),
        ("a/revision", "there is no column revision"),
        ("a/channel:temp/chat_count", "there are mean, "),
    ],
)
def test_a_text_that_names_no_curve_says_why(text: str, reason: str):
    with pytest.raises(ValueError, match=reason):
        Curve.parse(text)


def test_curves_share_an_axis_and_a_gap_is_no_zero():
    chat = make_rows("chat_count", {3: 30, 1: 0})
    temp = make_rows("mean", {2: None, 3: 4.5})
    axis, curves = line_up({CHAT: chat, TEMP: temp}, 100)
    assert axis.tolist() == [to_micros(START + timedelta(minutes=minute)) for minute in (1, 2, 3)]
    assert np.array_equal(curves[CHAT], [0, np.nan, 30], equal_nan=True)
    assert np.array_equal(curves[TEMP], [np.nan, np.nan, 4.5], equal_nan=True)


def test_nothing_at_all_is_an_empty_axis():
    axis, curves = line_up({CHAT: [], TEMP: []}, 10)
    assert (axis.tolist(), curves[CHAT].tolist(), curves[TEMP].tolist()) == ([], [], [])


@given(
    st.dictionaries(st.integers(0, 5000), st.floats(-1e6, 1e6), min_size=1, max_size=300),
    st.dictionaries(st.integers(0, 5000), st.floats(-1e6, 1e6), min_size=1, max_size=300),
    st.integers(4, 50),
)
def test_the_peaks_of_every_curve_survive(
    first: dict[int, float], second: dict[int, float], points: int
):
    rows = {CHAT: make_rows("chat_count", {**first}), TEMP: make_rows("mean", {**second})}
    axis, curves = line_up(rows, points)
    assert len(axis) <= points
    assert np.all(np.diff(axis) > 0)
    for curve, values in ((CHAT, first), (TEMP, second)):
        assert np.nanmax(curves[curve]) == max(values.values())
        assert np.nanmin(curves[curve]) == min(values.values())
