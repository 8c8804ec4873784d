"""Rules that are changed by name."""

from datetime import timedelta

import pytest

from core.errors import InvalidError
from core.tunings import FIELDS, TuningRule, Tunings
from streaming.backtest.overrides import OVERRIDES, TUNED, Rules, change_rules
from streaming.flow.shards import FlowPolicy

RULES = Rules(FlowPolicy())
SAMPLES = {"is_watched": "false", "direction": "up"}


@pytest.mark.parametrize("name", OVERRIDES)
def test_each_rule_of_the_policy_is_changed_alone(name: str):
    changed = change_rules(RULES, [f"{name}=42"])
    section, field = OVERRIDES[name].section, OVERRIDES[name].field
    assert section is not None
    value = getattr(getattr(changed.policy, section), field)
    assert value in (42, timedelta(minutes=42), timedelta(seconds=42))
    assert change_rules(changed, [f"{name}=43"]) != changed
    assert changed.tunings == RULES.tunings


@pytest.mark.parametrize("name", TUNED)
def test_each_field_of_a_tuning_is_changed_for_those_that_are_meant(name: str):
    assert TUNED[name].field in FIELDS
    wish = f"bench-*/heat/{name}={SAMPLES.get(name, '42')}"
    tunings = change_rules(RULES, [wish]).tunings
    field = TUNED[name].field
    usual = getattr(tunings.find("other", "heat"), field)
    assert getattr(tunings.find("bench-07", "heat"), field) != usual
    assert getattr(tunings.find("bench-07", "cold"), field) == usual


def test_what_is_wished_last_holds_also_against_what_people_set():
    before = Tunings((TuningRule("tun_0", "*", "*", strictness=9.0),))
    rules = change_rules(Rules(FlowPolicy(), before), ["strictness=2", "strictness=3"])
    assert rules.tunings.find("one", "chat_count").strictness == 3.0


@pytest.mark.parametrize(
    ("wish", "word"),
    [
        ("spike", "baseline.strictness"),
        ("nothing=1", "strictness"),
        ("strictness", "NAME=VALUE"),
        ("one/strictness=2", "STREAM/METRIC"),
        ("one two/*/strictness=2", "pattern"),
        ("baseline.strictness=none", "a number from 0.1 to 100"),
        ("baseline.strictness=nan", "a number from 0.1 to 100"),
        ("strictness=0", "a number from 0.1 to 100"),
        ("baseline.span_minutes=1.5", "a whole number from 10 to 1440"),
        ("direction=left", "both, up or down"),
        ("is_watched=no", "true or false"),
    ],
)
def test_what_cannot_be_set_is_said_in_one_line(wish: str, word: str):
    with pytest.raises(InvalidError) as caught:
        change_rules(RULES, [wish])
    assert word in caught.value.detail
    assert wish in caught.value.detail
    assert "\n" not in caught.value.detail
