"""Extremes: fewer rows, in their order, and every peak among them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.extremes import Floats, pick_extremes
from core.rows import Ints

VALUES = st.one_of(st.floats(-1e100, 1e100), st.just(float("nan")))


@st.composite
def tables(draw: st.DrawFn) -> tuple[Ints, list[Floats]]:
    """Rows at uneven times, newest or oldest first, with up to three curves."""
    times = draw(st.lists(st.integers(0, 2**50), min_size=1, max_size=200, unique=True))
    at = np.array(sorted(times, reverse=draw(st.booleans())), dtype=np.int64)
    columns = st.lists(VALUES, min_size=len(at), max_size=len(at))
    return at, [np.array(draw(columns)) for _ in range(draw(st.integers(1, 3)))]


@given(tables(), st.integers(3, 60))
def test_every_lowest_value_survives_in_order_among_few_rows(
    table: tuple[Ints, list[Floats]], points: int
):
    at, curves = table
    kept = pick_extremes(at, curves, points)
    assert len(kept) <= max(points, 0)
    assert np.all(np.diff(kept) > 0)
    for curve in curves:
        if not np.all(np.isnan(curve)):
            assert np.nanmin(curve[kept]) == np.nanmin(curve)


@given(tables(), st.integers(3, 60))
def test_every_pixel_keeps_its_lowest_value(table: tuple[Ints, list[Floats]], points: int):
    at, curves = table
    kept = pick_extremes(at, curves, points)
    width = (at.max() - at.min()) // (points // len(curves)) + 1
    pixels = (at - at.min()) // width
    for curve in curves:
        for pixel in set(pixels[~np.isnan(curve)].tolist()):
            inside = pixels == pixel
            assert np.nanmin(curve[kept][inside[kept]]) == np.nanmin(curve[inside])


def test_few_rows_are_all_kept():
    at = np.arange(5)
    assert pick_extremes(at, [np.zeros(5)], 5).tolist() == [0, 1, 2, 3, 4]
    assert pick_extremes(np.arange(0), [np.zeros(0)], 5).tolist() == []


def test_a_curve_given_negated_keeps_its_peak():
    values = np.zeros(10_000)
    values[[1234, 8765]] = [500.0, -500.0]
    kept = pick_extremes(np.arange(10_000), [values, -values], 20)
    assert len(kept) <= 20
    assert {1234, 8765} <= set(kept.tolist())


@pytest.mark.parametrize("points", [1, 2, 3])
def test_of_more_curves_than_points_the_first_are_kept(points: int):
    values = np.eye(4) * -1.0
    kept = pick_extremes(np.arange(4), list(values), points)
    assert kept.tolist() == list(range(points))
