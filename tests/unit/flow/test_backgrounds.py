"""Backgrounds: what is told as the reason of a moment that has only just begun."""

from datetime import datetime, timedelta

from core.moments import Moment
from streaming.flow.shards import FlowPolicy, Shard
from tests.fixtures.clocks import START
from tests.fixtures.events import Event, chat, make_batch, make_entry

CALM, UPROAR = 4, 20
"""Messages a second."""


def seconds(start: datetime, count: int, rate: int, text: str) -> list[Event]:
    return [
        chat(start + timedelta(seconds=second, milliseconds=number), user=f"u{number}", text=text)
        for second in range(count)
        for number in range(rate)
    ]


def apply(shard: Shard, events: list[Event]) -> tuple[Moment, ...]:
    (changes,) = shard.apply(make_batch([make_entry(events[-1]["timestamp"], events)]))
    return changes.moments


def test_a_rush_whose_first_second_lies_in_the_minute_before_is_told_by_what_was_said_after_it():
    shard = Shard(0, FlowPolicy())
    for minute in range(14):
        apply(shard, seconds(START + timedelta(minutes=minute), 60, CALM, "good morning"))
    last, begun = START + timedelta(minutes=14), START + timedelta(minutes=15)
    # The uproar begins a second before its minute, and nobody says what it is about.
    lively = seconds(begun - timedelta(seconds=1), 1, UPROAR, "good morning")
    apply(shard, seconds(last, 59, CALM, "good morning") + lively)
    (moment,) = apply(shard, seconds(begun, 5, UPROAR, "hype"))
    assert (moment.told_by, moment.started_at) == ("rush", begun - timedelta(seconds=1))
    assert [reason["name"] for reason in moment.reasons if reason["kind"] == "word"] == ["hype"]
    assert "hype" in {reason["text"] for reason in moment.reasons if reason["kind"] == "message"}
