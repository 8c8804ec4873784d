"""Pauses: they grow, are spread, have a limit, and begin anew after a healthy while."""

from datetime import timedelta
from random import Random

from core.clock import ManualClock
from streaming.connectors.pauses import BackOff, BackOffPolicy

POLICY = BackOffPolicy(first_s=1.0, max_s=10.0, healthy_s=60.0)


class Most(Random):
    """Draws the most there is."""

    def uniform(self, a: float, b: float) -> float:
        del a
        return b


def test_pauses_double_up_to_their_limit(clock: ManualClock):
    back_off = BackOff(clock, POLICY, Most())
    assert [back_off.draw_pause_s() for _ in range(6)] == [1, 2, 4, 8, 10, 10]


def test_pauses_are_drawn_from_nothing_to_their_limit(clock: ManualClock):
    back_off = BackOff(clock, BackOffPolicy(first_s=8.0, max_s=8.0), Random(7))
    drawn = [back_off.draw_pause_s() for _ in range(500)]
    assert 0 <= min(drawn) < 0.5
    assert 7.5 < max(drawn) <= 8.0


def test_a_connection_that_held_a_while_begins_anew(clock: ManualClock):
    back_off = BackOff(clock, POLICY, Most())
    assert [back_off.draw_pause_s() for _ in range(3)] == [1, 2, 4]
    back_off.note_try()
    clock.advance(timedelta(seconds=59))
    assert back_off.draw_pause_s() == 8
    back_off.note_try()
    clock.advance(timedelta(seconds=60))
    assert back_off.draw_pause_s() == 1


def test_a_thousand_failures_are_no_overflow(clock: ManualClock):
    back_off = BackOff(clock, POLICY, Most())
    assert [back_off.draw_pause_s() for _ in range(5000)][-1] == 10
