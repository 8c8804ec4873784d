"""Budgets: they are read strictly, measured from findings, and broken when they should be."""

from collections import Counter
from pathlib import Path

import pytest

from loadtest.load.budgets import (
    BUDGETS,
    Budget,
    BudgetsInvalidError,
    Verdict,
    judge,
    load_budgets,
)
from loadtest.load.distributions import Distribution, add_up
from loadtest.load.findings import Findings, Requests, load_findings, save_findings
from loadtest.load.measures import LIVEZ, MEASURES, STEADY, STEADY_IN_RAID, find_measures


def _times(*times_ms: float) -> Distribution:
    found = Distribution()
    for time_ms in times_ms:
        found.add(time_ms)
    return found


def _findings(**facts: float) -> Findings:
    requests = (
        Requests(STEADY, 1, _times(*[10.0] * 99, 40.0)),
        Requests(STEADY_IN_RAID, 0, _times(*[20.0] * 20)),
        Requests(LIVEZ, 0, _times(*[2.0] * 20)),
    )
    return Findings("senders", 100.0, 110.0, 3, requests, facts=facts)


def _write(folder: Path, text: str) -> Path:
    file = folder / "budgets.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_every_measure_of_the_product_has_a_budget_with_a_reason() -> None:
    budgets = load_budgets()
    assert {(b.scenario, b.measure) for b in budgets} == {
        (scenario, measure) for scenario, measures in MEASURES.items() for measure in measures
    }
    assert [b.measure for b in budgets if not b.why] == []
    assert BUDGETS.name == "budgets.toml"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[senders.speed]\nmost = 1", "no such measure"),
        ("[seners.error_share]\nmost = 1", "no such measure"),
        ("[senders.error_share]\nmsot = 1", "msot is not understood"),
        ("[senders.error_share]\nwhy = 'x'", "least, most or both"),
        ("[senders.error_share]\nmost = 'none'", "a bound is a number"),
        ("[senders.error_share]\nmost = true", "a bound is a number"),
        ("[senders]\nerror_share = 1", "must be a table"),
        ("senders = 1", "must be a table"),
        ("[senders", "budgets.toml"),
    ],
)
def test_budgets_that_are_not_understood_are_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BudgetsInvalidError, match=words):
        load_budgets(_write(tmp_path, text))


def test_a_file_of_budgets_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BudgetsInvalidError, match=r"away\.toml"):
        load_budgets(tmp_path / "away.toml")


@pytest.mark.parametrize(
    ("least", "most", "found", "is_kept"),
    [
        (None, 1.0, 1.0, True),
        (None, 1.0, 1.01, False),
        (0.5, None, 0.5, True),
        (0.5, None, 0.49, False),
        (1.0, 1.0, 1.0, True),
        (1.0, 1.0, 1.001, False),
        (None, 1.0, None, False),
    ],
)
def test_a_budget_is_broken_beyond_its_bounds_and_when_nothing_was_measured(
    least: float | None, most: float | None, found: float | None, is_kept: bool
) -> None:
    assert Budget("senders", "error_share", least, most, "").holds(found) is is_kept


def test_bounds_are_written_as_people_write_them() -> None:
    def write(least: float | None, most: float | None) -> str:
        return Budget("senders", "error_share", least, most, "").wanted

    assert [write(None, 3), write(0.5, None), write(1, 1), write(0, 1)] == [
        "≤ 3",
        "≥ 0.5",
        "= 1",
        "0 to 1",
    ]
    assert Verdict(Budget("senders", "x", 1, None, ""), None).said == "not measured"


def test_a_scenario_is_judged_by_its_own_budgets_only() -> None:
    budgets = [Budget(name, "error_share", None, 0, "") for name in ("senders", "readers")]
    verdicts = judge(budgets, "readers", {"error_share": 0.1})
    assert [(v.budget.scenario, v.is_kept) for v in verdicts] == [("readers", False)]


def test_shares_and_ratios_are_those_of_the_findings() -> None:
    facts = {"sent": 90.0, "planned": 100.0, "stored": 90.0, "acknowledged": 90.0}
    found = find_measures(_findings(**facts))
    assert found["error_share"] == pytest.approx(1 / 140)
    assert (found["sent_share"], found["stored_share"]) == (0.9, 1.0)
    assert found["raid_ratio"] == pytest.approx(2.0, rel=0.02)
    assert found["livez_ratio"] == pytest.approx(10.0, rel=0.02)
    assert found["tail_ratio"] == pytest.approx(2.0, rel=0.02)


def test_what_did_not_happen_is_not_measured() -> None:
    nothing = Findings("watchers", 0.0, 1.0, 3, ())
    assert set(find_measures(nothing).values()) == {None}


def test_percentiles_are_those_of_the_values_to_a_per_cent() -> None:
    times = _times(*(float(value) for value in range(1, 1001)))
    for percent, value in ((50, 500), (95, 950), (99, 990), (100, 1000)):
        assert times.find_percentile(percent) == pytest.approx(value, rel=0.01)
    assert _times().find_percentile(50) is None
    assert add_up([times, times]).count == 2000


def test_times_beyond_all_measure_do_not_grow_a_distribution() -> None:
    times = _times(0.0, -5.0, 1e300, float("inf"))
    assert times.count == 4
    assert len(times.buckets) == 2


def test_findings_come_back_as_they_were_written(tmp_path: Path) -> None:
    findings = _findings(sent=1.0)
    save_findings(findings, tmp_path / "senders.json")
    assert load_findings([tmp_path / "senders.json"]) == [findings]
    assert isinstance(load_findings([tmp_path / "senders.json"])[0].lags.buckets, Counter)
