"""Precision, recall, delay and alarms a day, of cases that can be counted by hand."""

from datetime import timedelta

import pytest

from streaming.archive.recounts import Span
from streaming.backtest.tallies import Ground, list_types, tally_types
from tests.fixtures.clocks import START
from tests.unit.backtest.sightings import make_sighting, make_truth

SERIES = frozenset({("one", "chat_count"), ("two", "chat_count"), ("one", "load")})
SPAN = Span(START, START + timedelta(hours=12))

TRUTHS = [make_truth(minute=minute) for minute in (0, 100, 200, 300)]
SIGHTINGS = [
    make_sighting(1, delay_s=10),
    make_sighting(2, minute=100, delay_s=30),
    make_sighting(3, minute=200, delay_s=20),
    make_sighting(4, minute=400),
    make_sighting(5, minute=500, is_withdrawn=True),
]


def make_ground(truths=TRUTHS, *, is_all_known: bool = True) -> Ground:
    return Ground(truths, is_all_known, SERIES, SPAN)


def test_a_type_is_counted():
    (spikes, everything) = tally_types(SIGHTINGS, make_ground(), ["chat_spike"])
    assert (spikes.moments, spikes.withdrawn, spikes.right, spikes.wrong) == (4, 1, 3, 1)
    assert (spikes.precision, spikes.recall, spikes.delay_s) == (0.75, 0.75, 20.0)
    # Two series of chat for half a day; with the channel there are three.
    assert spikes.a_day == pytest.approx(4.0)
    assert everything.a_day == pytest.approx(4 / 1.5)


def test_without_labels_there_is_nothing_but_counts():
    (spikes, _) = tally_types(SIGHTINGS, make_ground([], is_all_known=False), ["chat_spike"])
    assert spikes.moments == 4
    assert (spikes.precision, spikes.recall, spikes.delay_s) == (None, None, None)


def test_what_began_before_the_span_is_no_miss():
    early = make_truth(minute=-1)
    (spikes, _) = tally_types([], make_ground([early]), ["chat_spike"])
    assert (spikes.truths, spikes.recall) == (0, None)


def test_types_are_those_that_were_found_and_those_that_should_have_been():
    fault = make_truth(metric="load", types=("flatline", "reading_anomaly"))
    assert list_types([SIGHTINGS, []], [fault]) == ["chat_spike", "flatline"]
