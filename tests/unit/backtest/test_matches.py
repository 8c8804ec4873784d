"""Which moments tell of what happened, and which are right."""

from datetime import timedelta
from typing import Any, Final

import pytest

from streaming.backtest.matches import find_truths, judge_sightings
from tests.unit.backtest.sightings import make_sighting, make_truth

FLAT: Final[dict[str, Any]] = {"moment_type": "flatline", "metric_name": "load", "direction": "up"}
SILENT: Final[dict[str, Any]] = {"moment_type": "silence", "direction": "down"}


def is_found(truth, *sightings) -> bool:
    (found,) = find_truths(sightings, [truth])
    return found.is_found


def judge(sighting, *truths, is_all_known: bool = True) -> bool | None:
    (judged,) = judge_sightings([sighting], truths, is_all_known=is_all_known)
    return judged.is_right


@pytest.mark.parametrize(
    ("minute", "minutes", "is_hit"),
    [(-3, 2.9, False), (-3, 3, True), (1, 1, True), (3, 1, True), (3.1, 1, False)],
)
def test_a_moment_tells_of_what_was_felt_while_it_lasted(minute, minutes, is_hit):
    sighting = make_sighting(minute=minute, minutes=minutes)
    assert is_found(make_truth(), sighting) is is_hit
    assert judge(sighting, make_truth()) is is_hit


def test_a_moment_without_an_end_lasts():
    assert is_found(make_truth(minute=60), make_sighting(ended_at=None))


def test_only_the_same_stream_metric_type_and_direction_tell_of_it():
    others: list[dict[str, Any]] = [
        {"stream_id": "two"},
        {"metric_name": "avg_viewers", "moment_type": "viewer_spike"},
        {"moment_type": "chat_drop"},
        {"direction": "down"},
    ]
    for other in others:
        assert not is_found(make_truth(), make_sighting(**other)), other


def test_what_else_an_incident_moves_is_right_unless_it_went_the_other_way():
    viewers: dict[str, Any] = {"metric_name": "avg_viewers", "moment_type": "viewer_spike"}
    assert judge(make_sighting(**viewers), make_truth()) is True
    drop = make_sighting(moment_type="chat_drop", direction="down")
    assert judge(drop, make_truth()) is False
    reading: dict[str, Any] = {"metric_name": "load", "moment_type": "reading_anomaly"}
    assert judge(make_sighting(**reading), make_truth()) is False


def test_faults_are_told_by_their_channel_alone():
    stuck: dict[str, Any] = {"metric": "load", "kind": "stuck", "direction": None}
    fault = make_truth(types=("flatline", "reading_anomaly"), **stuck)
    assert is_found(fault, make_sighting(**FLAT))
    assert judge(make_sighting(**FLAT), fault) is True
    assert judge(make_sighting(**(FLAT | {"metric_name": "heat"})), fault) is False
    assert judge(make_sighting(), fault) is False


def test_a_channel_that_falls_may_be_told_by_its_restlessness():
    fallen = make_truth(metric="load", kind="drift", direction="down", types=("reading_anomaly",))
    risen = make_sighting(metric_name="load", moment_type="reading_anomaly", direction="up")
    assert is_found(fallen, risen)
    assert judge(risen, fallen) is True


def test_a_silence_of_everything_tells_of_what_people_do_and_has_no_other_direction():
    silence = make_truth(kind="silence", direction="down", types=("chat_drop", "silence"))
    whole = make_sighting(**SILENT, metric_name="events")
    assert is_found(silence, whole)
    assert judge(whole, silence) is True
    dropout = make_truth(kind="dropout", metric="load", direction="down", types=("silence",))
    assert not is_found(dropout, whole)
    assert is_found(dropout, make_sighting(moment_type="silence", metric_name="load"))


def test_what_was_withdrawn_tells_of_nothing():
    assert not is_found(make_truth(), make_sighting(is_withdrawn=True))


def test_the_delay_is_that_of_what_was_shown_first_and_not_before_it_began():
    late, soon = make_sighting(1, delay_s=50), make_sighting(2, delay_s=20)
    (found,) = find_truths([late, soon], [make_truth()])
    assert found.delay == timedelta(seconds=20)
    (before,) = find_truths([make_sighting(minute=-1, delay_s=30), late], [make_truth()])
    assert (before.is_found, before.delay) == (True, None)
    (missed,) = find_truths([], [make_truth()])
    assert (missed.is_found, missed.delay) == (False, None)


def test_what_people_say_holds_for_that_type_and_of_the_rest_nobody_knows():
    said: dict[str, Any] = {"of_person": True, "kind": "label"}
    false = make_truth(is_true=False, **said)
    assert judge(make_sighting(), make_truth(**said), is_all_known=False) is True
    assert judge(make_sighting(), false, is_all_known=False) is False
    other = make_sighting(metric_name="avg_viewers", moment_type="viewer_spike")
    assert judge(other, false, is_all_known=False) is None
    assert judge(make_sighting(minute=30), false, is_all_known=False) is None
    assert find_truths([make_sighting()], [false]) == []
