"""Deliveries: what an answer means, and how long somebody is asked again."""

from datetime import timedelta
from random import Random

import pytest

from core.deliveries import (
    RETRY_AFTER_MAX,
    Attempt,
    DeliveryPolicy,
    Outcome,
    cut_detail,
    draw_pause,
    is_given_up,
    judge_answer,
    read_retry_after,
)
from tests.fixtures.clocks import START

POLICY = DeliveryPolicy(attempts_max=3, retried_for=timedelta(hours=1), pause_s_max=8)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.DELIVERED),
        (204, Outcome.DELIVERED),
        (302, Outcome.REFUSED),
        (400, Outcome.REFUSED),
        (404, Outcome.REFUSED),
        (408, Outcome.RETRIED),
        (425, Outcome.RETRIED),
        (429, Outcome.RETRIED),
        (500, Outcome.RETRIED),
        (503, Outcome.RETRIED),
    ],
)
def test_an_answer_says_whether_to_come_again(status: int, outcome: Outcome):
    assert judge_answer(status, None).outcome is outcome


def test_patience_counts_where_it_is_asked_for_and_up_to_a_limit():
    assert judge_answer(429, "x", MINUTE) == Attempt(Outcome.RETRIED, 429, "x", MINUTE)
    assert judge_answer(500, None, MINUTE).retry_after is None
    assert judge_answer(503, None, timedelta(days=9)).retry_after == RETRY_AFTER_MAX


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("60", MINUTE),
        ("9" * 400, RETRY_AFTER_MAX),
        ("-1", None),
        ("², 3", None),
        ("Mon, 26 Jan 2026 10:00:00 GMT", None),
    ],
)
def test_retry_after_is_read_in_seconds(text: str | None, expected: timedelta | None):
    assert read_retry_after(text) == expected


@pytest.mark.parametrize(
    ("attempts", "after", "expected"),
    [(1, MINUTE, False), (3, MINUTE, True), (1, 60 * MINUTE, True)],
)
def test_somebody_is_given_up_after_many_attempts_or_long(
    attempts: int, after: timedelta, *, expected: bool
):
    given_up = is_given_up(POLICY, attempts=attempts, first_at=START, now=START + after)
    assert given_up is expected


def test_pauses_double_up_to_a_limit_and_none_is_short():
    random = Random(1)
    for attempts, limit in ((1, 1), (2, 2), (3, 4), (4, 8), (5, 8), (10_000, 8)):
        drawn = {draw_pause(POLICY, attempts, random).total_seconds() for _ in range(50)}
        assert limit / 2 <= min(drawn) < max(drawn) <= limit


def test_what_a_receiver_says_is_one_line():
    assert cut_detail(" a\n\tb\x00 ") == "a b"
    assert cut_detail(" \n") is None
    assert len(cut_detail("x" * 10_000) or "") == 500
