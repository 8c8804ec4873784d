"""Tellings: which streams the database hears of, and that none is forgotten or told for nothing."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np

from core.names import Names
from core.watermarks import LatenessPolicy, Watermarks
from streaming.flow.tellings import TELL_EVERY, Tellings
from tests.fixtures.clocks import START
from tests.fixtures.events import Event, chat, make_entry, read_entries
from tests.fixtures.snapshots import through_snapshot


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def meta(second: float, title: str | None, stream_id: str = "a") -> Event:
    return {
        "stream_id": stream_id,
        "type": "meta",
        "event": "title_change",
        "title": title,
        "timestamp": at(second),
    }


class Told:
    """Tellings that are fed by hand."""

    def __init__(self) -> None:
        self.streams = Names()
        self.watermarks = Watermarks(LatenessPolicy())
        self.tellings = Tellings(self.streams)

    def note(self, second: float, *events: Event) -> None:
        frame, _ = read_entries(make_entry(at(second), events), streams=self.streams)
        arrival = self.watermarks.judge(frame, len(self.streams))
        self.watermarks.move(arrival)
        self.tellings.note(arrival, frame)

    def is_due(self) -> bool:
        return self.tellings.is_due

    def tell(self, second: float, *completed: str) -> list[tuple[Any, ...]]:
        numbers = [self.streams.find(name) for name in completed]
        return self.tellings.tell(np.array(numbers, np.int64), at(second)).rows()


def hear(second: float, stream_id: str = "a") -> Event:
    return chat(at(second), stream_id=stream_id)


def test_a_new_stream_is_told_at_once_and_only_once():
    told = Told()
    assert not told.is_due()
    told.note(1, hear(0.5), hear(1))
    assert told.is_due()
    assert told.tell(1) == [("a", None, at(1))]
    assert not told.is_due()
    assert told.tell(99) == []


def test_an_event_that_moves_a_stream_is_told_no_more_often_than_now_and_then():
    told = Told()
    told.note(0, hear(0))
    told.tell(0)
    told.note(1, hear(1))
    due = TELL_EVERY.total_seconds()
    assert told.tell(due - 0.001) == []
    assert told.is_due()
    told.note(2, hear(2))
    assert told.tell(due) == [("a", None, at(2))]


def test_a_title_is_told_at_once_the_newest_of_a_batch():
    told = Told()
    told.note(0, hear(0), hear(0, "b"))
    told.tell(0)
    told.note(1, meta(1, "First"), meta(1, "Second"), hear(1, "b"))
    assert told.tell(1) == [("a", "Second", at(1))]
    told.note(2, meta(2, None))
    assert told.tell(2) == []
    assert told.tell(9) == [("a", None, at(2)), ("b", None, at(1))]


def test_a_title_on_another_kind_of_event_is_none():
    told = Told()
    told.note(0, hear(0) | {"title": "No"})
    assert told.tell(0) == [("a", None, at(0))]


def test_a_stream_whose_minute_is_complete_is_told_at_once_if_anything_is_new():
    told = Told()
    told.note(0, hear(0), hear(0, "b"))
    told.tell(0)
    assert told.tell(1, "a") == []
    told.note(2, hear(2), hear(2, "b"))
    assert told.tell(2, "a") == [("a", None, at(2))]
    assert told.is_due()


def test_the_last_event_of_a_stream_never_goes_back():
    told = Told()
    told.note(5, hear(5))
    told.note(6, hear(1))
    assert told.tell(6) == [("a", None, at(5))]


def test_what_is_untold_survives_a_snapshot():
    told = Told()
    told.note(0, meta(0, "Hello"))
    told.streams, told.tellings = through_snapshot((told.streams, told.tellings))
    assert told.tell(0) == [("a", "Hello", at(0))]
