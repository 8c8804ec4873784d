"""Findings: what one generator process found, on its way to the process that judges it.

    loadtest.scenarios ──findings.json──► loadtest.load

Plain numbers and counts; what follows from them is in ``measures``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from loadtest.load.distributions import Distribution, add_up

SCENARIOS: Final = ("senders", "readers", "watchers")

ERRORS_MAX: Final = 20
"""Different errors that are told by name; a broken server can make up new ones for ever."""

OTHER_ERRORS: Final = "other errors"


@dataclass(frozen=True, slots=True)
class Plan:
    """What one generator is to do."""

    scenario: str
    url: str
    users: int
    rate: float
    """Events a second that are sent, all senders together."""

    seconds: float
    findings: Path
    """Where its findings go; the file appears when it is done."""

    seed: int = 7


@dataclass(frozen=True, slots=True)
class Requests:
    """All requests of one name: ``group: what``."""

    name: str
    failures: int
    times: Distribution

    @property
    def group(self) -> str:
        """What they are part of: ingest, read, live, feed, probe."""
        return self.name.partition(":")[0]

    @property
    def count(self) -> int:
        """How many there were."""
        return self.times.count


@dataclass(frozen=True, slots=True)
class Tick:
    """A slice of the run, for curves; probes and feeds are left out."""

    at_s: float
    requests: int
    failures: int
    p50_ms: float | None
    p95_ms: float | None
    lag_ms: float
    """The longest that a greenlet woke too late."""


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything of one generator."""

    scenario: str
    began_s: float
    """By the monotonic clock, which all processes of a machine share."""

    ended_s: float
    users: int
    requests: tuple[Requests, ...]
    ticks: tuple[Tick, ...] = ()
    lags: Distribution = field(default_factory=Distribution)
    facts: dict[str, float] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """How long it was measured."""
        return self.ended_s - self.began_s

    def gather(self, group: str) -> Distribution:
        """Return the times of all requests of a group."""
        return add_up(one.times for one in self.requests if one.group == group)

    def find_times(self, name: str) -> Distribution:
        """Return the times of one name, empty when there were none."""
        return add_up(one.times for one in self.requests if one.name == name)


_plans: Final = TypeAdapter(Plan)
_findings: Final = TypeAdapter(Findings)


def write_plan(plan: Plan) -> str:
    """Return a plan as text for a command line."""
    return _plans.dump_json(plan).decode()


def read_plan(text: str) -> Plan:
    """Read a plan back."""
    return _plans.validate_json(text)


def save_findings(findings: Findings, file: Path) -> None:
    """Write findings in one step: who sees the file sees all of it."""
    part = file.with_suffix(".part")
    part.write_bytes(_findings.dump_json(findings, indent=1))
    part.replace(file)


def load_findings(files: Sequence[Path]) -> list[Findings]:
    """Read findings back."""
    return [_findings.validate_json(file.read_bytes()) for file in files]
