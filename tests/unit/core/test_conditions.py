"""Conditions: which values fulfil one."""

from typing import Any

import pytest

from core.conditions import Condition, read_condition


@pytest.mark.parametrize(
    ("comparison", "wanted", "good", "bad"),
    [
        ("==", 5, (5, 5.0), (6, "5", True, None)),
        ("==", "ready", ("ready",), ("Ready", 1)),
        ("==", True, (True,), (False, 1, "true")),
        ("!=", 5, (6, -5.0), (5, "6", True, None)),
        ("<", 5, (4.9,), (5, 6, "4")),
        ("<=", 5, (5, 4), (5.1,)),
        (">", 5, (5.1,), (5, True)),
        (">=", 5, (5, 6), (4.9, [9])),
        (">=", "b", ("b", "c"), ("a",)),
    ],
)
def test_a_value_fulfils_a_condition_or_not(
    comparison: Any, wanted: object, good: tuple[object, ...], bad: tuple[object, ...]
):
    condition = Condition("t", comparison, wanted)
    assert all(condition.holds(value) for value in good)
    assert not any(condition.holds(value) for value in bad)


def test_within_takes_a_tolerance_on_both_sides():
    condition = Condition("t", "within", 80.0, 0.5)
    assert [v for v in (79.4, 79.5, 80, 80.5, 80.6, "80", True) if condition.holds(v)] == [
        79.5,
        80,
        80.5,
    ]


def test_truths_are_not_ordered():
    assert not Condition("t", ">=", True).holds(True)


def test_a_condition_may_name_a_parameter_of_the_command():
    verifier = {"telemetry": "t", "is": "within", "value": {"parameter": "goal"}, "tolerance": 1}
    assert read_condition(verifier, {"goal": 7}) == Condition("t", "within", 7, 1.0)


def test_a_parameter_that_was_left_out_fulfils_nothing():
    verifier = {"telemetry": "t", "is": "==", "value": {"parameter": "goal"}}
    condition = read_condition(verifier, {})
    assert condition is not None
    assert not condition.holds(7)


def test_where_the_device_is_believed_there_is_no_condition():
    assert read_condition({"result": True, "within_seconds": 3}, {}) is None
