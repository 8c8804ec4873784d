"""Summaries: a run as it is told: verdicts, requests, processor time, and doubts.

A doubt is no broken budget: it says that the generator, and not the product, may be what was
measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from loadtest.bench.machines import Machine
from loadtest.load.budgets import Verdict
from loadtest.load.findings import Findings
from loadtest.load.meters import Usage

CORES_MAX: Final = 0.8
"""A generator runs on one core; beyond this share of it, requests wait for the generator."""

LAG_MS_MAX: Final = 50.0
"""A greenlet that wakes so late, as late as its own period, once in a hundred times."""

CEILING_SHARE_MAX: Final = 0.5
"""Real requests cost the generator more than the bare ones that it was calibrated with."""

GENERATOR: Final = "generator"


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything that is told of a run."""

    name: str
    made_at: datetime
    machine: Machine
    url: str
    seconds: float
    ceiling: float
    """Requests a second that one generator made against a bare server."""

    findings: Sequence[Findings]
    verdicts: Sequence[Verdict]
    usages: Sequence[Usage]

    @property
    def broken(self) -> list[Verdict]:
        """The budgets that are not kept."""
        return [verdict for verdict in self.verdicts if not verdict.is_kept]

    @property
    def headline(self) -> str:
        """How it ended, in one line."""
        if not self.verdicts:
            return "no budgets"
        if not self.broken:
            return f"all {len(self.verdicts)} budgets kept"
        return f"{len(self.broken)} of {len(self.verdicts)} budgets broken"

    def list_doubts(self) -> list[str]:
        """Return why the generator may have been the limit, and what else is to be known."""
        doubts = [doubt for findings in self.findings for doubt in self._doubt(findings)]
        doubts += [
            f"The {usage.name} used {usage.mean:.0%} of its core: it may be the limit. Take fewer"
            " users, or start it on another machine."
            for usage in self.usages
            if usage.name.startswith(GENERATOR) and usage.mean > CORES_MAX
        ]
        if all(usage.name.startswith(GENERATOR) for usage in self.usages):
            doubts.append("The servers run elsewhere: their processor time is not known.")
        return doubts

    def _doubt(self, findings: Findings) -> list[str]:
        doubts = []
        lag_ms = findings.lags.find_percentile(99) or 0.0
        rate = sum(one.count for one in findings.requests) / findings.seconds
        if lag_ms > LAG_MS_MAX:
            doubts.append(
                f"The generator of {findings.scenario} woke {lag_ms:.0f} ms too late one time in a"
                " hundred: its times hold its own delay."
            )
        if rate > self.ceiling * CEILING_SHARE_MAX:
            doubts.append(
                f"The generator of {findings.scenario} made {rate:,.0f} requests a second; with a"
                f" bare server it makes {self.ceiling:,.0f}."
            )
        if refused := sum(n for text, n in findings.errors.items() if ": 429 " in text):
            doubts.append(
                f"{refused:,} requests of {findings.scenario} were refused with 429: they met"
                " RATE_LIMIT_PER_MINUTE, or the bus was full."
            )
        return doubts
