"""Measures: what is judged of a run, each a share or a ratio within that same run.

    Findings -> {"error_share": 0.0, "livez_ratio": 4.1, …} -> budgets

A bare time says more about the machine than about the product, so there is none here. None means
that nothing was there to measure.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from loadtest.load.distributions import Distribution
from loadtest.load.findings import Findings

Measure: TypeAlias = Callable[[Findings], float | None]

GROUPS: Final = {"senders": "ingest", "readers": "read", "watchers": "live"}
"""The requests that a scenario is about."""

LIVEZ: Final = "probe: livez"
STEADY: Final = "ingest: steady"
STEADY_IN_RAID: Final = "ingest: steady in raid"
AGE: Final = "age: messages"


def find_measures(findings: Findings) -> dict[str, float | None]:
    """Return every measure that the scenario has."""
    return {name: measure(findings) for name, measure in MEASURES[findings.scenario].items()}


def divide(part: float | None, whole: float | None) -> float | None:
    """Return a quotient, or None where there is nothing to divide."""
    return None if part is None or not whole else part / whole


def _share_of_facts(part: str, whole: str) -> Measure:
    return lambda findings: divide(findings.facts.get(part), findings.facts.get(whole))


def _fact(name: str) -> Measure:
    return lambda findings: findings.facts.get(name)


def _share_of_errors(findings: Findings) -> float | None:
    failures = sum(one.failures for one in findings.requests)
    return divide(failures, sum(one.count for one in findings.requests))


def _tail(times: Distribution) -> float | None:
    return divide(times.find_percentile(99), times.find_percentile(50))


def _tail_ratio(findings: Findings) -> float | None:
    return _tail(findings.gather(GROUPS[findings.scenario]))


def _livez_ratio(findings: Findings) -> float | None:
    ours = findings.gather(GROUPS[findings.scenario]).find_percentile(95)
    return divide(ours, findings.find_times(LIVEZ).find_percentile(95))


def _raid_ratio(findings: Findings) -> float | None:
    during = findings.find_times(STEADY_IN_RAID).find_percentile(95)
    return divide(during, findings.find_times(STEADY).find_percentile(95))


def _age_tail_ratio(findings: Findings) -> float | None:
    return _tail(findings.find_times(AGE))


MEASURES: Final[dict[str, dict[str, Measure]]] = {
    "senders": {
        "error_share": _share_of_errors,
        "sent_share": _share_of_facts("sent", "planned"),
        "stored_share": _share_of_facts("stored", "acknowledged"),
        "raid_ratio": _raid_ratio,
        "tail_ratio": _tail_ratio,
        "livez_ratio": _livez_ratio,
    },
    "readers": {
        "error_share": _share_of_errors,
        "known_share": _share_of_facts("not_modified", "unchanged"),
        "not_modified_share": _share_of_facts("not_modified", "conditional"),
        "tail_ratio": _tail_ratio,
        "livez_ratio": _livez_ratio,
    },
    "watchers": {
        "error_share": _share_of_errors,
        "gaps": _fact("gaps"),
        "delivered_share": _share_of_facts("delivered", "expected"),
        "current_share": _share_of_facts("views_current", "views"),
        "resumed_share": _share_of_facts("resumed", "resumes"),
        "age_tail_ratio": _age_tail_ratio,
        "livez_ratio": _livez_ratio,
    },
}
