"""Tunings: which rule decides what for which series."""

import pickle
from datetime import timedelta
from itertools import permutations

from core import tunings
from core.tunings import (
    FIELDS,
    NO_TUNINGS,
    UNTUNED,
    Tuning,
    TuningRule,
    Tunings,
)


def test_without_rules_everything_is_judged_as_ever():
    assert NO_TUNINGS.find("northlight", "chat_count") is UNTUNED
    assert Tuning() == UNTUNED


def test_a_rule_sets_what_it_names_for_what_it_matches_and_nothing_else():
    tuned = Tunings((TuningRule("tun_1", "north*", "temp_?", strictness=2.0),))
    assert tuned.find("northlight", "temp_1") == Tuning(strictness=2.0)
    for stream_id, metric in [
        ("Northlight", "temp_1"),
        ("the_northlight", "temp_1"),
        ("northlight", "temp_12"),
        ("northlight", "temp_"),
    ]:
        assert tuned.find(stream_id, metric) is UNTUNED, (stream_id, metric)


def test_signs_of_names_are_no_signs_of_patterns():
    tuned = Tunings((TuningRule("tun_1", "a.b+c", "x=1:y.z", strictness=2.0),))
    assert tuned.find("a.b+c", "x=1:y.z").strictness == 2.0
    assert tuned.find("aXb+c", "x=1:y.z") is UNTUNED
    assert tuned.find("a.bbc", "x=1:y.z") is UNTUNED


SPECIFIC_FIRST = [
    ("northlight", "chat_count"),
    ("northlight", "chat_count*"),
    ("northlight", "chat_*"),
    ("northlight", "*"),
    ("northlight*", "chat_count"),
    ("northligh?", "chat_count"),
    ("north*", "chat_count"),
    ("north*", "chat_*"),
    ("north*", "*"),
    ("*", "chat_count"),
    ("*", "*count"),
    ("*", "*"),
]


def test_of_two_rules_the_more_specific_wins_in_whatever_order_they_come():
    rules = [
        # Ids would have it the other way round.
        TuningRule(f"tun_{n:02}", *patterns, strictness=float(n + 1))
        for n, patterns in enumerate(SPECIFIC_FIRST)
    ]
    assert sorted(rules, key=lambda rule: rule.specificity, reverse=True) == rules
    for start in range(len(rules)):
        left = rules[start:]
        for ordered in (left, left[::-1]):
            found = Tunings(tuple(ordered)).find("northlight", "chat_count")
            assert found.strictness == start + 1, SPECIFIC_FIRST[start]


def test_of_two_that_say_the_same_of_the_same_the_later_id_wins():
    rules = [TuningRule("tun_a", strictness=2.0), TuningRule("tun_b", strictness=3.0)]
    for ordered in permutations(rules):
        assert Tunings(tuple(ordered)).find("any", "thing").strictness == 3.0


def test_each_field_is_of_the_most_specific_rule_that_sets_it():
    tuned = Tunings(
        (
            TuningRule("tun_1", is_watched=False, strictness=2.0, cool_down=timedelta()),
            TuningRule("tun_2", "north*", strictness=3.0, direction="up"),
            TuningRule("tun_3", "northlight", "chat_count", is_watched=True),
        )
    )
    assert tuned.find("northlight", "chat_count") == Tuning(
        is_watched=True, strictness=3.0, cool_down=timedelta(), direction="up"
    )
    assert tuned.find("southlight", "chat_count") == Tuning(
        is_watched=False, strictness=2.0, cool_down=timedelta()
    )


def test_every_field_of_a_tuning_can_be_set_by_a_rule():
    assert set(FIELDS) <= set(TuningRule.__slots__)
    assert TuningRule("tun_1").changes == {}
    rule = TuningRule("tun_1", is_watched=False, deviation_min=0.0)
    assert rule.changes == {"is_watched": False, "deviation_min": 0.0}


def test_what_was_looked_up_stays_bounded_and_right(monkeypatch):
    monkeypatch.setattr(tunings, "FOUND_MAX", 3)
    tuned = Tunings((TuningRule("tun_1", "s1*", strictness=2.0),))
    for _ in range(2):
        for n in range(20):
            expected = 2.0 if str(n).startswith("1") else 1.0
            assert tuned.find(f"s{n}", "chat_count").strictness == expected
    assert len(tuned._book._found) <= 3
    assert len(tuned._book._of_stream) <= 3


def test_a_pickle_holds_the_rules_and_not_what_was_looked_up():
    tuned = Tunings((TuningRule("tun_1", strictness=2.0),), version=7)
    fresh = pickle.dumps(tuned)
    for n in range(100):
        tuned.find(f"s{n}", "chat_count")
    assert pickle.dumps(tuned) == fresh
    again = pickle.loads(fresh)  # noqa: S301 (made here)
    assert again == tuned
    assert again.version == 7
    assert again.find("any", "thing").strictness == 2.0
