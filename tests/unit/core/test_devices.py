"""Devices: which values and parameters fit what one registered."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.device_schemas import TelemetryTypes, find_parameter_faults
from core.devices import Link, fill_defaults, find_link, write_value_schema

VALUES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "int": (3, (3.5, "3", True, None, [3])),
    "float": (3.5, ("3.5", False, None, {})),
    "string": ("x", (1, None, ["x"])),
    "boolean": (True, (1, 0, "true", None)),
    "array": ([1, "a"], ({"0": 1}, "[]", None)),
    "object": ({"a": 1}, ([], "{}", None)),
}


@pytest.mark.parametrize("data_type", VALUES)
def test_a_value_of_another_type_is_found_out(data_type: str):
    types = TelemetryTypes({"x": {"data_type": data_type}})
    good, bad = VALUES[data_type]
    assert types.find_fault("x", good) is None
    for value in bad:
        assert types.find_fault("x", value), value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_range_holds_at_its_ends_and_not_beyond(value: float):
    types = TelemetryTypes({"x": {"data_type": "float", "range": {"min": -40, "max": 150}}})
    assert (types.find_fault("x", value) is None) == (-40 <= value <= 150)


def test_an_enum_names_all_there_is():
    types = TelemetryTypes({"x": {"data_type": "string", "enum": ["ok", "bad"]}})
    assert types.find_fault("x", "ok") is None
    assert types.find_fault("x", "good") == 'value: "good" is not one of "ok" or "bad"'


def test_an_id_that_is_not_registered_is_named():
    assert TelemetryTypes({}).find_fault("x", 1) == "id: 'x' is not registered"
    assert TelemetryTypes({}).find_fault(None, 1) == "id: 'None' is not registered"


def test_a_value_has_a_limit():
    types = TelemetryTypes({"x": {"data_type": "string"}})
    assert types.find_fault("x", "a" * 16_382) is None
    assert types.find_fault("x", "a" * 16_383) == "value: longer than 16384 bytes of JSON"


HEAT: dict[str, Any] = {
    "parameters": {
        "target": {"type": "float", "required": True, "min": 0, "max": 120},
        "mode": {"type": "string", "enum": ["fast", "slow"], "default": "slow"},
        "fan": {"type": "boolean"},
    }
}


@pytest.mark.parametrize(
    ("parameters", "fields"),
    [
        ({"target": 80}, []),
        ({"target": 80.5, "mode": "fast", "fan": False}, []),
        ({}, ["parameters"]),
        ({"target": "80"}, ["parameters.target"]),
        ({"target": 121}, ["parameters.target"]),
        ({"target": 80, "mode": "quick"}, ["parameters.mode"]),
        ({"target": 80, "fan": 1}, ["parameters.fan"]),
        ({"target": 80, "speed": 1}, ["parameters"]),
        ({"target": 80, "mode": "x" * 20_000}, ["parameters"]),
    ],
)
def test_parameters_are_held_against_their_template(parameters: dict[str, Any], fields: list[str]):
    assert [fault.field for fault in find_parameter_faults(HEAT, parameters)] == fields


def test_a_parameter_with_a_default_may_be_left_out():
    assert fill_defaults(HEAT, {"target": 1}) == {"target": 1, "mode": "slow"}
    assert fill_defaults(HEAT, {"mode": "fast"}) == {"mode": "fast"}


def test_a_schema_says_what_the_type_says():
    kind = {"data_type": "int", "range": {"min": 1, "max": 5}, "enum": [1, 5]}
    assert write_value_schema(kind) == {
        "type": "integer",
        "minimum": 1,
        "maximum": 5,
        "enum": [1, 5],
    }


@pytest.mark.parametrize(
    ("silent_s", "link"),
    [(0, Link.CONNECTED), (14.9, Link.CONNECTED), (15, Link.STALE), (29.9, Link.STALE),
     (30, Link.GONE)],
)  # fmt: skip
def test_silence_makes_a_device_stale_and_then_gone(silent_s: float, link: Link):
    assert find_link(timedelta(seconds=silent_s), 10.0) is link
