"""Rounds: every contender in turn on the same file, several times over.

A contender runs alone and as a process of its own. Each round begins with another one, so that
nobody always runs after the same neighbour. Whoever computes something else than the others
fails the whole run.
"""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import orjson

from core.settings import REPOSITORY
from loadtest.bench.contenders import Contender
from loadtest.bench.processes import follow_us
from loadtest.peers.tasks import Outcome

SECONDS_MAX: Final = 900
"""A contender that takes longer is stuck."""

Report = Callable[[str], None]
Run = Callable[[Contender, Path], Outcome]


class RoundFailedError(Exception):
    """A contender failed or disagrees with the others; the text says how."""


def run_contender(contender: Contender, file: Path) -> Outcome:
    """Run a contender once.

    Raises:
        RoundFailedError: It failed.
    """
    module = f"loadtest.peers.{contender.name}"
    try:
        done = subprocess.run(
            follow_us([sys.executable, "-m", module, str(file), *contender.arguments]),
            cwd=REPOSITORY,
            capture_output=True,
            timeout=SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RoundFailedError(f"{contender.name} took over {SECONDS_MAX} s") from error
    if done.returncode:
        end = done.stderr.decode(errors="replace").strip()[-2000:]
        raise RoundFailedError(f"{contender.name} ended with {done.returncode}: {end}")
    # Some engines print lines of their own.
    return Outcome(**orjson.loads(done.stdout.splitlines()[-1]))


def run_rounds(
    contenders: Sequence[Contender],
    file: Path,
    rounds: int,
    report: Report,
    run: Run = run_contender,
) -> dict[str, list[Outcome]]:
    """Return the outcomes of each contender, one a round.

    Raises:
        RoundFailedError: Somebody failed, or they do not agree.
    """
    outcomes: dict[str, list[Outcome]] = {contender.name: [] for contender in contenders}
    for number in range(rounds):
        first = number % len(contenders)
        for contender in (*contenders[first:], *contenders[:first]):
            outcome = run(contender, file)
            outcomes[contender.name].append(outcome)
            rate = outcome.events / outcome.seconds
            report(f"round {number + 1} of {rounds}: {contender.name} {rate:,.0f} events/s")
        check_agreement([found[-1] for found in outcomes.values()])
    return outcomes


def check_agreement(outcomes: Sequence[Outcome]) -> None:
    """Require that all computed the same rows.

    Raises:
        RoundFailedError: They did not.
    """
    if len({(outcome.events, outcome.minutes, outcome.checksum) for outcome in outcomes}) > 1:
        found = "; ".join(
            f"{o.name}: {o.events} events in {o.minutes} minutes, {o.checksum}" for o in outcomes
        )
        raise RoundFailedError(f"The contenders do not agree: {found}")
