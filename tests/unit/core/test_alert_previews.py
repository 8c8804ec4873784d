"""Previews of rules: what would have been told of stored moments, and when."""

from collections.abc import Iterable
from datetime import UTC, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.alert_previews import choose_subjects, preview_tellings
from core.alerts import AlertRule, Dimension, Subject
from core.weekly_hours import WeeklyHours
from tests.fixtures.alerts import make_rule, make_subject
from tests.fixtures.clocks import START

MINUTE = timedelta(minutes=1)
NOW = START + timedelta(hours=12)


def past(*minutes: float, lasting: float = 2, **chosen: Any) -> list[Subject]:
    """Return moments that began so many minutes after the start."""
    return [
        make_subject(
            f"mom_{minute}",
            started_at=START + minute * MINUTE,
            ended_at=START + (minute + lasting) * MINUTE,
            **chosen,
        )
        for minute in minutes
    ]


def tell(rule: AlertRule, subjects: list[Subject]) -> list[tuple[float, int]]:
    """Return in which minutes something is told, and of how many moments."""
    chosen = choose_subjects(rule, subjects, NOW)
    tellings = preview_tellings(rule, chosen, NOW)
    return [(found_at(each.at), len(each.moment_ids)) for each in tellings]


def found_at(at: Any) -> float:
    return float((at - START) / MINUTE)


def name(subjects: Iterable[Subject]) -> list[str]:
    return [subject.moment_id for subject in subjects]


def test_each_moment_is_told_where_nothing_holds_it_back():
    assert tell(make_rule(), past(0, 5, 7)) == [(0, 1), (5, 1), (7, 1)]


def test_what_happens_in_a_cool_down_is_told_after_it_all_at_once():
    rule = make_rule(cool_down=timedelta(minutes=30))
    assert tell(rule, past(0, 5, 7, 40)) == [(0, 1), (30, 2), (60, 1)]


def test_the_first_of_a_group_waits_for_more():
    assert tell(make_rule(group_wait=2 * MINUTE), past(0, 1, 5)) == [(2, 2), (7, 1)]


def test_groups_cool_down_by_themselves():
    rule = make_rule(group_by=frozenset({Dimension.STREAM}), cool_down=timedelta(hours=1))
    others = past(6, stream_id="bench")
    assert tell(rule, past(5) + others) == [(5, 1), (6, 1)]


@pytest.mark.parametrize(("seconds", "count"), [(0, 2), (60, 2), (120, 2), (121, 0)])
def test_what_ends_too_soon_is_not_told(seconds: float, count: int):
    rule = make_rule(duration_min=timedelta(seconds=seconds))
    assert len(tell(rule, past(0, 60))) == count


def test_what_lasts_long_enough_is_told_when_it_has():
    assert tell(make_rule(duration_min=2 * MINUTE), past(3)) == [(5, 1)]


def test_what_is_not_due_yet_was_not_told():
    ongoing = make_subject(started_at=NOW - MINUTE, timestamp=NOW - MINUTE)
    assert tell(make_rule(group_wait=2 * MINUTE), [ongoing]) == []
    assert len(tell(make_rule(group_wait=MINUTE), [ongoing])) == 1


def test_a_rule_with_hours_tells_what_still_goes_on_when_they_begin():
    begins = (START + timedelta(hours=1)).timetz().replace(tzinfo=None, second=0, microsecond=0)
    ends = time((begins.hour + 2) % 24)
    hours = WeeklyHours(frozenset(range(7)), begins, ends, ZoneInfo("UTC"))
    first = hours.find_next(START.astimezone(UTC))
    told = tell(make_rule(schedule=hours), past(0, lasting=2) + past(1, lasting=90))
    assert told == [(found_at(first), 1)]


def test_what_a_silence_explains_is_not_told():
    silence = past(0, lasting=30, moment_type="silence")
    stuck = past(5, 50, moment_type="flatline")
    chosen = choose_subjects(make_rule(), silence + stuck, NOW)
    assert name(chosen) == ["mom_0", "mom_50"]


def test_only_what_a_rule_is_about_counts():
    rule = make_rule(score_min=2.0, stream="hall")
    found = past(0, score=1.9) + past(1, score=2.0) + past(2, stream_id="bench")
    assert name(choose_subjects(rule, found, NOW)) == ["mom_1"]
