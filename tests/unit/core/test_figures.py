"""Figures: numbers as people read them."""

from datetime import timedelta

import pytest

from core.figures import (
    find_severity,
    write_change,
    write_count,
    write_duration,
    write_exact,
    write_measure,
    write_rate,
    write_signed,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (7, "7"),
        (0.1234, "0.123"),
        (2.345, "2.35"),
        (42.05, "42.0"),
        (812, "812"),
        (999, "999"),
        (999.6, "1.00k"),
        (1284, "1.28k"),
        (48_210, "48.2k"),
        (999_600, "1.00M"),
        (1_200_000, "1.20M"),
        (-1500, "\u22121.50k"),
        (None, "\u2013"),
        (float("nan"), "\u2013"),
    ],
)
def test_a_count_has_three_significant_digits(value: float | None, text: str):
    assert write_count(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0/s"), (9.42, "9.42/s"), (18_400, "18.4k/s"), (0.35, "21/min"), (0.05, "3.0/min")],
)
def test_a_rate_below_one_a_second_is_told_by_the_minute(value: float, text: str):
    assert write_rate(value) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (1.01, "±0\u202f%"),
        (1.044, "▲ 4.4\u202f%"),
        (0.66, "▼ 34\u202f%"),
        (12.4, "\u00d712"),
        (None, "\u2013"),
        (float("inf"), "\u2013"),
    ],
)
def test_a_change_has_a_direction(ratio: float | None, text: str):
    assert write_change(ratio) == text


def test_signed_exact_and_measured_values():
    assert [write_signed(value) for value in (0.17, -0.58, 0.001)] == [
        "+0.17",
        "\u22120.58",
        "0.00",
    ]
    assert [write_exact(value) for value in (1284, None)] == ["1,284", "\u2013"]
    measured = [write_measure(value) for value in (61.42, 1013.4, 7.839, 0.125, -3.0, 2e6)]
    assert measured == ["61.4", "1013.4", "7.84", "0.125", "\u22123.00", "2.00M"]


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(seconds=4.2), "4.2 s"),
        (timedelta(seconds=34), "34 s"),
        (timedelta(minutes=6, seconds=50), "6 min"),
        (timedelta(hours=3, minutes=12), "3 h 12 min"),
        (timedelta(hours=4), "4 h"),
        (timedelta(days=2, hours=5), "2 d 5 h"),
    ],
)
def test_a_duration_has_two_units_at_most(span: timedelta, text: str):
    assert write_duration(span).replace("\u202f", " ") == text


def test_scores_have_severities():
    scores = (1.0, 1.5, 2.5, 4.0)
    assert [find_severity(score) for score in scores] == ["low", "medium", "high", "critical"]
