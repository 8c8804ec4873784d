"""Messages of devices: what is taken, and what is refused with its reason."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.devices.messages import list_numbers, read_message, read_points, read_result
from core.device_schemas import TelemetryTypes
from core.errors import InvalidError
from core.events import TimePolicy

NOW = datetime(2026, 1, 26, 10, tzinfo=UTC)
TYPES = TelemetryTypes(
    {"t": {"data_type": "float"}, "s": {"data_type": "string"}, "b": {"data_type": "boolean"}}
)


def read(*points: object):
    return read_points(list(points), TYPES, now=NOW, policy=TimePolicy())


@pytest.mark.parametrize("text", [None, "", "{", "[]", "1", "{}", '{"type": 1}', "\ud800"])
def test_garbage_is_no_message(text: str | None):
    with pytest.raises(InvalidError):
        read_message(text)


def test_a_bad_point_takes_no_good_one_along():
    points = read({"id": "t", "value": 1}, 5, {"id": "t"}, {"id": "t", "value": 2})
    assert [point.value for point in points.good] == [1, 2]
    assert [each["index"] for each in points.refused] == [1, 2]


@pytest.mark.parametrize(
    ("given", "at"),
    [
        (None, NOW),
        ("2026-01-26T09:59:00Z", NOW - timedelta(minutes=1)),
        ("2026-01-26T09:59:00", NOW - timedelta(minutes=1)),
        (1769421600, NOW),
        (1769421600000, NOW),
        ("1769421600", NOW),
    ],
)
def test_times_are_read_as_everywhere(given: object, at: datetime):
    points = read({"id": "t", "value": 1, "timestamp": given})
    assert [point.timestamp for point in points.good] == [at]


@pytest.mark.parametrize(
    "given", ["yesterday", True, [], "2020-01-01T00:00:00Z", "2026-01-27T00:00:00Z", ""]
)
def test_an_unbelievable_time_is_refused(given: object):
    points = read({"id": "t", "value": 1, "timestamp": given})
    assert not points.good
    assert "time" in points.refused[0]["reason"]


def test_what_the_log_could_not_store_is_refused():
    assert read({"id": "s", "value": "a\x00b"}).refused == [
        {"index": 0, "reason": "value has a null character"}
    ]


def test_a_message_holds_so_many_points():
    points = read(*[{"id": "t", "value": 1}] * 5002)
    assert len(points.good) == 5000
    assert points.refused == [
        {"index": 5000, "reason": "and all after it: more than 5000 points in a message"}
    ]


def test_truths_and_texts_are_no_readings():
    points = read({"id": "t", "value": 1}, {"id": "s", "value": "1"}, {"id": "b", "value": True})
    assert [(point.id, number) for point, number in list_numbers(points)] == [("t", 1.0)]


ID = "cmd_0123456789abcdef"


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"command_id": ID},
        {"command_id": 5, "stage": "running"},
        {"command_id": "x", "stage": "running"},
        {"command_id": ID, "stage": "done"},
        {"command_id": ID, "stage": ["running"]},
        {"command_id": ID, "stage": "timed_out"},
        {"command_id": ID, "stage": "failed", "message": 5},
        {"command_id": ID, "stage": "failed", "message": "x" * 2001},
        {"command_id": ID, "stage": "failed", "message": "x\x00"},
        {"command_id": ID, "stage": "failed", "details": {"a": "x" * 80_000}},
    ],
)
def test_a_bad_result_is_refused(given: dict[str, Any]):
    with pytest.raises(InvalidError):
        read_result(given)


def test_a_result_brings_words_and_details():
    result = read_result(
        {"command_id": ID, "stage": "failed", "message": "No.", "details": {"a": 1}}
    )
    assert result == (ID, "failed", "No.", {"a": 1})
