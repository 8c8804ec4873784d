"""Sessions: their states, the names of their channels, whom they are within reach of."""

from datetime import timedelta
from typing import Any

import pytest

from core.keys import Caller, Scope
from core.sessions import (
    Place,
    Point,
    SessionState,
    change_status,
    find_place,
    is_within_reach,
    name_channel,
    show_points,
    write_patterns,
    write_snapshot,
    write_summary,
)
from tests.fixtures.clocks import START

SESSION = {
    "id": "sess_1",
    "stream_ids": ["bench"],
    "started_at": START,
    "ended_at": None,
}
ACTIVE = SessionState("active", None)


def make_caller(*streams: str) -> Caller:
    return Caller("k", frozenset({Scope.READ}), streams=streams or None)


def test_an_end_is_set_once_and_taken_away_by_going_on():
    ended = change_status(ACTIVE, "ended", START)
    assert ended == SessionState("ended", START)
    assert change_status(ended, "ended", START + timedelta(hours=1)) is ended
    assert change_status(ended, "active", START) == ACTIVE
    assert change_status(ACTIVE, "active", START) is ACTIVE


def test_a_channel_is_found_by_the_name_that_it_is_given():
    for place in (Place("sess_1", "temp"), Place("bench", "temp")):
        assert find_place(SESSION, name_channel("sess_1", place)) == place
    assert find_place(SESSION, "foreign/temp") is None
    assert find_place(SESSION, "sess_1/temp") is None


@pytest.mark.parametrize(
    ("patterns", "streams", "is_reached"),
    [
        ((), [], True),
        ((), ["bench"], True),
        (("bench",), ["bench"], True),
        (("bench*",), ["bench", "bench2"], True),
        (("bench",), ["bench", "other"], False),
        (("bench",), [], False),
        (("sess_*",), [], True),
        (("sess_*",), ["bench"], False),
    ],
)
def test_a_session_is_reached_by_who_reaches_all_its_streams(
    patterns: tuple[str, ...], streams: list[str], *, is_reached: bool
):
    assert is_within_reach(make_caller(*patterns), "sess_1", streams) is is_reached


def test_patterns_mean_the_same_to_the_database():
    assert write_patterns(make_caller()) is None
    assert write_patterns(make_caller("a_b*", "c")) == [r"a\_b%", "c"]


def show(stream_id: str, channel: str, after: timedelta = timedelta(0), value: float = 1.0) -> Any:
    [shown] = show_points("sess_1", [Point(stream_id, channel, START + after, value, None)])
    return shown


def test_points_that_are_alike_share_an_id_and_no_others():
    one = show("sess_1", "temp")["id"]
    assert one == show("sess_1", "temp")["id"]
    others = {
        show("sess_1", "load")["id"],
        show("bench", "temp")["id"],
        show("sess_1", "temp", timedelta(microseconds=1))["id"],
        show("sess_1", "temp", value=1.0000000001)["id"],
    }
    assert len({one, *others}) == 5


def test_a_snapshot_has_each_channel_by_its_name():
    point = {"value": 1.0, "unit": None, "timestamp": START}
    rows = [
        {"stream_id": "sess_1", "channel": "a", **point},
        {"stream_id": "bench", "channel": "a", **point},
    ]
    assert write_snapshot("sess_1", rows) == {"a": point, "bench/a": point}


def test_a_summary_of_what_goes_on_counts_up_to_now():
    told = write_summary(
        SESSION, notes={}, channels=[], moments={}, now=START + timedelta(seconds=90)
    )
    assert (told["duration_s"], told["ended_at"]) == (90.0, None)
    early = {**SESSION, "ended_at": START - timedelta(seconds=1)}
    told = write_summary(early, notes={}, channels=[], moments={}, now=START)
    assert told["duration_s"] == 0.0
