"""Budgets: what a run must keep, read from ``loadtest/budgets.toml`` and held against measures.

A budget that could not be measured is a broken one: else a run in which nothing happened would
pass.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.settings import REPOSITORY
from loadtest.load.measures import MEASURES

BUDGETS: Final = REPOSITORY / "loadtest" / "budgets.toml"
KEYS: Final = frozenset({"least", "most", "why"})


class BudgetsInvalidError(Exception):
    """The file cannot be used; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The bounds of one measure."""

    scenario: str
    measure: str
    least: float | None
    most: float | None
    why: str

    @property
    def wanted(self) -> str:
        """The bounds as people write them."""
        if self.least is not None and self.most is not None:
            same = self.least == self.most
            return f"= {self.least:g}" if same else f"{self.least:g} to {self.most:g}"
        return f"≥ {self.least:g}" if self.least is not None else f"≤ {self.most:g}"

    def holds(self, found: float | None) -> bool:
        """Whether a measure is within the bounds."""
        if found is None:
            return False
        is_enough = self.least is None or found >= self.least
        return is_enough and (self.most is None or found <= self.most)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A budget and what was found."""

    budget: Budget
    found: float | None

    @property
    def is_kept(self) -> bool:
        """Whether the budget is kept."""
        return self.budget.holds(self.found)

    @property
    def said(self) -> str:
        """What was found, as people write it."""
        return "not measured" if self.found is None else f"{self.found:.4g}"


def load_budgets(file: Path = BUDGETS) -> list[Budget]:
    """Read the budgets.

    Raises:
        BudgetsInvalidError: There is no such file, or something in it is not understood.
    """
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BudgetsInvalidError(f"{file}: {error}") from None
    return [
        _read_budget(file, scenario, measure, given)
        for scenario, measures in tables.items()
        for measure, given in _require_table(file, scenario, measures).items()
    ]


def judge(
    budgets: Sequence[Budget], scenario: str, measures: Mapping[str, float | None]
) -> list[Verdict]:
    """Hold the measures of a scenario against its budgets."""
    return [
        Verdict(budget, measures.get(budget.measure))
        for budget in budgets
        if budget.scenario == scenario
    ]


def _read_budget(file: Path, scenario: str, measure: str, given: object) -> Budget:
    where = f"{file.name} [{scenario}.{measure}]"
    if measure not in MEASURES.get(scenario, {}):
        known = ", ".join(MEASURES.get(scenario, MEASURES))
        raise BudgetsInvalidError(f"{where}: there is no such measure; there are {known}.")
    bounds = _require_table(file, f"{scenario}.{measure}", given)
    if unknown := bounds.keys() - KEYS:
        raise BudgetsInvalidError(f"{where}: {', '.join(sorted(unknown))} is not understood.")
    least, most = (_read_bound(where, bounds.get(name)) for name in ("least", "most"))
    if least is None and most is None:
        raise BudgetsInvalidError(f"{where}: least, most or both are needed.")
    return Budget(scenario, measure, least, most, str(bounds.get("why", "")))


def _require_table(file: Path, name: str, given: object) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise BudgetsInvalidError(f"{file.name} [{name}]: this must be a table.")
    return given


def _read_bound(where: str, given: object) -> float | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise BudgetsInvalidError(f"{where}: a bound is a number, not {given!r}.")
    return float(given)
