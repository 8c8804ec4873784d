"""Alerts: which moments rules are about, and how a rule follows one."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from core.alert_watches import Phase, Watch, follow
from core.alerts import AlertRule, Dimension, Severity, Subject, is_inhibited, is_news, read_rule
from core.weekly_hours import read_hours
from tests.fixtures.alerts import STARTED, make_rule, make_subject
from tests.fixtures.clocks import START

MINUTE = timedelta(minutes=1)
NEVER_NOW = read_hours(
    {
        "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        "from": (START + 3 * MINUTE).strftime("%H:%M"),
        "to": (START + 4 * MINUTE).strftime("%H:%M"),
        "zone": "UTC",
    }
)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({}, True),
        ({"stream": "ha*"}, True),
        ({"stream": "h"}, False),
        ({"kind": "device"}, True),
        ({"kind": "stream"}, False),
        ({"tags": ("eu*", "prod")}, True),
        ({"tags": ("eu*", "test")}, False),
        ({"moment_types": frozenset({"chat_spike"})}, True),
        ({"moment_types": frozenset({"silence"})}, False),
        ({"score_min": 2.0}, True),
        ({"score_min": 2.1}, False),
    ],
)
def test_a_rule_is_about_some_moments(rule: dict[str, Any], *, expected: bool):
    subject = make_subject(stream_kind="device", stream_tags=("prod", "eu-1"))
    assert make_rule(**rule).matches(subject) is expected


def test_a_group_is_named_by_what_its_moments_share():
    subject = make_subject()
    assert make_rule().name_group(subject) == "{}"
    by_all = make_rule(group_by=frozenset(Dimension), severity=Severity.CRITICAL)
    assert by_all.name_group(subject) == (
        '{"stream":"hall","type":"chat_spike","severity":"critical"}'
    )


def test_a_stored_rule_is_read_whole():
    row = {
        "rule_id": "rul_1",
        "name": "n",
        "created_at": START,
        "enabled": False,
        "stream": "a*",
        "kind": "device",
        "tags": ["x"],
        "types": ["silence"],
        "min_score": 1.5,
        "min_duration_s": 60.0,
        "schedule": None,
        "severity": "critical",
        "group_by": ["stream"],
        "group_wait_s": 5.0,
        "cool_down_s": 300.0,
        "routes": ["rte_1"],
        "tell_ends": False,
    }
    assert read_rule(row) == AlertRule(
        rule_id="rul_1",
        name="n",
        created_at=START,
        is_enabled=False,
        stream="a*",
        kind="device",
        tags=("x",),
        moment_types=frozenset({"silence"}),
        score_min=1.5,
        duration_min=MINUTE,
        severity=Severity.CRITICAL,
        group_by=frozenset({Dimension.STREAM}),
        group_wait=timedelta(seconds=5),
        cool_down=5 * MINUTE,
        routes=("rte_1",),
        tells_ends=False,
    )


@pytest.mark.parametrize(
    ("started", "ended", "noted", "expected"),
    [
        (MINUTE, None, timedelta(), True),
        (timedelta(hours=24), None, timedelta(), True),
        (timedelta(hours=25), None, timedelta(), False),
        # Whoever decides was away for a day: it was news when it was written.
        (timedelta(hours=25), None, timedelta(hours=25), True),
        (timedelta(hours=2), timedelta(minutes=59), timedelta(), True),
        (timedelta(hours=2), timedelta(minutes=61), timedelta(), False),
        # The rule is one day old.
        (timedelta(hours=27), timedelta(hours=26), timedelta(hours=26), False),
    ],
)
def test_what_was_long_ago_is_no_news(
    started: timedelta, ended: timedelta | None, noted: timedelta, *, expected: bool
):
    subject = make_subject(
        started_at=START - started,
        ended_at=None if ended is None else START - ended,
        noted_at=START - noted,
    )
    assert is_news(make_rule(), subject, START) is expected


def silence(**chosen: Any) -> Subject:
    return make_subject("mom_s", moment_type="silence", **chosen)


@pytest.mark.parametrize(
    ("subject", "other", "expected"),
    [
        (make_subject(moment_type="chat_drop"), silence(), True),
        (make_subject(moment_type="chat_spike"), silence(), False),
        (make_subject(moment_type="flatline"), silence(stream_id="other"), False),
        (make_subject(moment_type="flatline"), silence(is_withdrawn=True), False),
        (make_subject(moment_type="viewer_drop"), silence(ended_at=START), False),
        (make_subject(moment_type="viewer_drop", ended_at=START), silence(ended_at=START), True),
        (
            make_subject(moment_type="viewer_drop", ended_at=START),
            silence(started_at=START + MINUTE),
            False,
        ),
    ],
)
def test_a_silent_stream_does_not_also_alert_for_its_drop(
    subject: Subject, other: Subject, *, expected: bool
):
    assert is_inhibited(subject, [other], START) is expected


def held(at: datetime = START) -> Watch:
    return Watch("mom_1", STARTED, "{}", Phase.HELD, at)


def told(phase: Phase = Phase.TOLD) -> Watch:
    return Watch("mom_1", STARTED, "{}", phase, START, ("rte_1",))


LONG = {"duration_min": 2 * MINUTE}
QUIET: list[dict[str, Any]] = [
    {"state": "acknowledged"},
    {"state": "shelved"},
    {"state": "resolved"},
    {"is_withdrawn": True},
    {"is_inhibited": True},
]


@pytest.mark.parametrize(
    ("rule", "subject", "expected"),
    [
        ({}, {}, (Phase.HELD, START)),
        (LONG, {}, (Phase.HELD, START + MINUTE)),
        ({"is_enabled": False}, {}, None),
        ({"stream": "other"}, {}, None),
        *(({}, each, None) for each in QUIET),
        ({}, {"started_at": START - timedelta(days=2)}, None),
        ({}, {"ended_at": START}, (Phase.PASSED, START)),
        (LONG, {"ended_at": START}, None),
        ({"schedule": NEVER_NOW}, {"ended_at": START}, None),
        ({"schedule": NEVER_NOW}, {}, (Phase.HELD, START)),
    ],
)
def test_a_rule_begins_to_follow_what_it_is_about(
    rule: dict[str, Any], subject: dict[str, Any], expected: tuple[Phase, datetime] | None
):
    watch = follow(None, make_rule(**rule), make_subject(**subject), START)
    assert (None if watch is None else (watch.phase, watch.ready_at)) == expected


@pytest.mark.parametrize("subject", QUIET)
@pytest.mark.parametrize("phase", [Phase.HELD, Phase.PASSED])
def test_what_nobody_was_told_of_is_dropped_when_somebody_saw_it(
    phase: Phase, subject: dict[str, Any]
):
    assert follow(told(phase), make_rule(), make_subject(**subject), START) is None


def test_what_does_not_last_is_dropped():
    rule = make_rule(**LONG)
    short = make_subject(ended_at=START)
    assert follow(held(START + MINUTE), rule, short, START + MINUTE) is None
    long = make_subject(ended_at=START + MINUTE)
    watch = follow(held(START + MINUTE), rule, long, START + MINUTE)
    assert watch is not None
    assert watch.phase is Phase.PASSED


@pytest.mark.parametrize(
    ("rule", "subject", "phase"),
    [
        ({}, {}, Phase.TOLD),
        ({}, {"state": "acknowledged"}, Phase.TOLD),
        ({}, {"state": "shelved"}, Phase.TOLD),
        ({}, {"is_inhibited": True}, Phase.TOLD),
        ({}, {"state": "resolved"}, Phase.OVER),
        ({}, {"ended_at": START}, Phase.OVER),
        ({"is_enabled": False}, {"ended_at": START}, Phase.OVER),
        ({"stream": "other"}, {"ended_at": START}, Phase.OVER),
        ({"tells_ends": False}, {"ended_at": START}, Phase.CLOSED),
    ],
)
def test_what_was_told_is_followed_to_its_end(
    rule: dict[str, Any], subject: dict[str, Any], phase: Phase
):
    watch = follow(told(), make_rule(**rule), make_subject(**subject), START + MINUTE)
    assert watch is not None
    assert (watch.phase, watch.routes) == (phase, ("rte_1",))


@pytest.mark.parametrize("phase", [Phase.OVER, Phase.CLOSED])
def test_what_is_over_stays_over(phase: Phase):
    assert follow(told(phase), make_rule(), make_subject(), START) == told(phase)
