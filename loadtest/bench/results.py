"""Results: what all rounds said, as numbers that the table and the chart are drawn from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from loadtest.bench.contenders import PEERS, TARGETS, Contender, Target
from loadtest.bench.spreads import Spread, spread, spread_ratios
from loadtest.peers.tasks import Outcome

CPU_TICK_S: Final = 0.01
"""The system counts processor time in steps; a very short task may have used none."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one contender did."""

    name: str
    label: str
    is_ours: bool
    version: str
    seconds: list[float]
    rate: Spread
    """Events a second."""

    cpu_rate: Spread
    """Events for each second of processor time; moves less when the machine is busy."""

    cores: float
    """Processor time for each second: 1 is one busy core."""

    ratios: dict[str, Spread]
    """How many times as fast as each peer."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a target was met."""

    target: Target
    found: float

    @property
    def is_met(self) -> bool:
        """Whether it was."""
        return self.found >= self.target.least


def rank(
    contenders: Sequence[Contender], outcomes: Mapping[str, Sequence[Outcome]]
) -> list[Standing]:
    """Return the standings, the fastest first."""
    standings = [
        _judge(contender, outcomes) for contender in contenders if outcomes.get(contender.name)
    ]
    return sorted(standings, key=lambda standing: -standing.rate.median)


def judge_targets(standings: Sequence[Standing]) -> list[Verdict]:
    """Return the verdict on each target whose both sides were measured."""
    by_name = {standing.name: standing for standing in standings}
    return [
        Verdict(target, by_name[target.ours].ratios[target.peer].median)
        for target in TARGETS
        if target.ours in by_name and target.peer in by_name
    ]


def _judge(contender: Contender, outcomes: Mapping[str, Sequence[Outcome]]) -> Standing:
    own = outcomes[contender.name]
    seconds = [outcome.seconds for outcome in own]
    return Standing(
        name=contender.name,
        label=contender.label,
        is_ours=contender.is_ours,
        version=own[0].version,
        seconds=seconds,
        rate=spread([outcome.events / outcome.seconds for outcome in own]),
        cpu_rate=spread([outcome.events / max(outcome.cpu_seconds, CPU_TICK_S) for outcome in own]),
        cores=spread([outcome.cpu_seconds / outcome.seconds for outcome in own]).median,
        ratios={
            peer: spread_ratios(seconds, [outcome.seconds for outcome in outcomes[peer]])
            for peer in PEERS
            if outcomes.get(peer)
        },
    )
