"""Payloads of MQTT devices: values, results and orders, whatever stands in them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.devices.mqtt.descriptions import CommandPart, ResultsPart, TelemetryPart
from streaming.devices.mqtt.payloads import (
    TIMES_KNOWN_MAX,
    Repeats,
    UnreadableError,
    read_outcome,
    read_value,
    write_order,
)

AT = datetime(2026, 3, 4, 18, tzinfo=UTC)
RESULTS = ResultsPart(topic="r", stages={"done": "succeeded", "true": "succeeded"})


def part(**about: Any) -> TelemetryPart:
    return TelemetryPart(topic="t", **about)


@pytest.mark.parametrize(
    ("about", "payload", "value"),
    [
        ({}, b"21.5", 21.5),
        ({}, b' "21.5" ', 21.5),
        ({}, b'{"value": 3}', 3.0),
        ({"data_type": "int"}, b"4.0", 4),
        ({"data_type": "boolean"}, b"OFF", False),
        ({"data_type": "boolean"}, b"1", True),
        ({"data_type": "string"}, b"open", "open"),
        ({"data_type": "string"}, b"7", "7"),
        ({"data_type": "array"}, b"[1, 2]", [1, 2]),
        ({"data_type": "object"}, b'{"value": 1}', {"value": 1}),
        ({"field": "a.b"}, b'{"a": {"b": 2}}', 2.0),
    ],
)
def test_a_value_is_read(about, payload, value):
    said = read_value(part(**about), payload)
    assert (said.value, said.at) == (value, None)
    assert type(said.value) is type(value)


@pytest.mark.parametrize(
    ("about", "payload", "reason"),
    [
        ({}, b"  ", "empty"),
        ({}, b"\xff", "not text"),
        ({}, b"warm", "no number"),
        ({}, b"true", "no number"),
        ({}, b"nan", "no float"),
        ({}, b"{}", "no value in it"),
        ({}, b"1" * 70_000, "longer than"),
        ({"data_type": "int"}, b"1.5", "no int"),
        ({"data_type": "boolean"}, b"perhaps", "no truth"),
        ({"data_type": "array"}, b"{}", "no value"),
        ({"field": "a.b"}, b'{"a": 1}', "no field a.b"),
        ({"field": "a", "time": "t"}, b'{"a": 1}', "no field t"),
        ({"field": "a", "time": "t"}, b'{"a": 1, "t": "soon"}', "t is no time"),
    ],
)
def test_what_is_no_value_is_refused_with_a_reason(about, payload, reason):
    with pytest.raises(UnreadableError, match=reason):
        read_value(part(**about), payload)


@given(st.binary(max_size=200), st.sampled_from(["float", "int", "string", "boolean", "object"]))
def test_no_payload_does_more_than_be_refused(payload, data_type):
    for read in (
        lambda: read_value(part(data_type=data_type, field=None), payload),
        lambda: read_value(part(field="a", time="t"), b'{"a": 1, "t": ' + payload + b"}"),
        lambda: read_outcome(RESULTS, payload),
    ):
        try:
            read()
        except UnreadableError as error:
            assert str(error)  # noqa: PT017 - most of them are fine.


def test_a_repeat_is_told_by_its_time_for_a_while():
    repeats = Repeats()
    assert not repeats.is_repeat("a", None)
    assert not repeats.is_repeat("a", None)
    assert not repeats.is_repeat("a", AT)
    assert repeats.is_repeat("a", AT)
    assert not repeats.is_repeat("b", AT)
    for number in range(TIMES_KNOWN_MAX):
        assert not repeats.is_repeat("a", AT + timedelta(seconds=number + 1))
    assert not repeats.is_repeat("a", AT)


def test_a_result_is_read_in_the_devices_own_words():
    outcome = read_outcome(RESULTS, b'{"command_id": "c", "stage": "done", "details": [1]}')
    assert (outcome.stage, outcome.message, outcome.details) == ("succeeded", None, {"value": [1]})
    assert read_outcome(RESULTS, b'{"command_id": "c", "stage": true}').stage == "succeeded"


@pytest.mark.parametrize(
    "payload", [b"1", b"{}", b'{"command_id": 1, "stage": "done"}', b'{"command_id": "c"}']
)
def test_what_is_no_result_is_refused(payload):
    with pytest.raises(UnreadableError):
        read_outcome(RESULTS, payload)


@pytest.mark.parametrize(
    ("payload", "order"),
    [
        (None, b'{"command_id":"c","command":"go","parameters":{"to":"a\\"b","n":1}}'),
        ("$to", b'a"b'),
        ("${n}", b"1"),
        ('{"id": $command_id, "to": $to, "n": $n, "$$": 1}', None),
    ],
)
def test_an_order_is_written_as_it_is_described(payload, order):
    parameters = {name: {"type": "string", "required": True} for name in ("to", "n")}
    described = CommandPart(topic="t", payload=payload, parameters=parameters)
    written = write_order(described, "c", "go", {"to": 'a"b', "n": 1})
    assert written == (order or b'{"id": "c", "to": "a\\"b", "n": 1, "$": 1}')
