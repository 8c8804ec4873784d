"""Breakers: time-outs in a row open one, an answer closes it."""

from core.breakers import Breaker, BreakerPolicy


def test_time_outs_in_a_row_open_it_and_an_answer_closes_it():
    breaker = Breaker(BreakerPolicy(time_outs_max=3))
    told = []
    for _ in range(4):
        told.append(breaker.is_open)
        breaker.note_time_out()
    assert told == [False, False, False, True]
    assert breaker.is_open
    breaker.note_answer()
    assert not breaker.is_open


def test_an_answer_in_between_begins_the_count_anew():
    breaker = Breaker(BreakerPolicy(time_outs_max=2))
    for _ in range(5):
        breaker.note_time_out()
        assert not breaker.is_open
        breaker.note_answer()
