"""Runs: generators started, watched and waited for.

    bare server ◄── calibration          product ◄── one generator a scenario, at the same time
                                             └──────────┴── meter: processor time of them all

Each generator is a process of its own, because each has one core at most, and because Locust
changes how the process that imports it blocks.
"""

import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import orjson

from core.clock import SystemClock
from infra.services.ports import LOOPBACK, choose_port
from loadtest.bench.machines import describe_machine
from loadtest.bench.processes import Process, run_process
from loadtest.load.budgets import Budget, judge
from loadtest.load.findings import Findings, Plan, load_findings, write_plan
from loadtest.load.measures import find_measures
from loadtest.load.meters import Meter, Usage, sum_up
from loadtest.load.options import RATES, USERS, Options
from loadtest.load.summaries import GENERATOR, Summary
from loadtest.load.targets import Target

CALIBRATION_S_MAX: Final = 1.0
CALIBRATION_SHARE: Final = 0.05
"""Of the run: so long to warm up and so long to count, which keeps two processors busy."""

START_S_MAX: Final = 60.0
END_S_MAX: Final = 120.0
"""How long a generator may take beyond its run: preparing, settling, counting."""


def run(
    options: Options, target: Target, budgets: Sequence[Budget], environment: Mapping[str, str]
) -> tuple[Summary, Path]:
    """Carry out a run; return what it found and the folder that is its own.

    Raises:
        ProcessEndedError: A generator failed; the text has its last lines.
    """
    machine, made_at = describe_machine(), SystemClock().now()
    folder = options.results / f"{made_at:%Y%m%d-%H%M%S}-{options.name}"
    folder.mkdir(parents=True)
    ceiling = calibrate(folder, min(CALIBRATION_S_MAX, options.seconds * CALIBRATION_SHARE))
    findings, usages = _generate(options, target, folder, environment)
    return (
        Summary(
            name=options.name,
            made_at=made_at,
            machine=machine,
            url=target.url,
            seconds=options.seconds,
            ceiling=ceiling,
            findings=findings,
            verdicts=[
                verdict
                for one in findings
                for verdict in judge(budgets, one.scenario, find_measures(one))
            ],
            usages=usages,
        ),
        folder,
    )


def calibrate(folder: Path, seconds: float) -> float:
    """Return how many requests a second one generator makes when answers cost nothing.

    Args:
        folder: Of the run.
        seconds: How long it asks before it counts, and then while it does.
    """
    port = choose_port()
    found = folder / "calibration.json"
    bare = [sys.executable, "-m", "loadtest.load.bare", str(port)]
    asker = [sys.executable, "-m", "loadtest.scenarios.calibrate"]
    asker += [f"http://{LOOPBACK}:{port}", str(seconds), str(found)]
    with run_process("bare", bare, folder, {}) as server:
        server.wait_until(lambda: _is_open(port), START_S_MAX)
        with run_process("calibration", asker, folder, {}) as generator:
            generator.wait_until(found.is_file, START_S_MAX)
    return float(orjson.loads(found.read_bytes())["rate"])


def _generate(
    options: Options, target: Target, folder: Path, environment: Mapping[str, str]
) -> tuple[list[Findings], list[Usage]]:
    meter = Meter()
    plans = [_make_plan(options, target, folder, scenario) for scenario in options.scenarios]
    with ExitStack() as stack:
        processes = [_start(stack, plan, folder, environment) for plan in plans]
        for process in processes:
            meter.add(process.name, process.meter.pid)
        for name, pid in target.processes:
            meter.add(name, pid)
        stack.enter_context(meter)
        for process, plan in zip(processes, plans, strict=True):
            process.wait_until(plan.findings.is_file, options.seconds + END_S_MAX)
    findings = load_findings([plan.findings for plan in plans])
    began_s = min(one.began_s for one in findings)
    return findings, sum_up(meter.samples, began_s, max(one.ended_s for one in findings))


def _start(stack: ExitStack, plan: Plan, folder: Path, environment: Mapping[str, str]) -> Process:
    # The key goes with the environment: command lines are for everybody to see.
    argv = [sys.executable, "-m", "loadtest.scenarios", write_plan(plan)]
    name = f"{GENERATOR} {plan.scenario}"
    return stack.enter_context(run_process(name, argv, folder, environment))


def _make_plan(options: Options, target: Target, folder: Path, scenario: str) -> Plan:
    return Plan(
        scenario=scenario,
        url=target.url,
        users=options.users or USERS[scenario],
        rate=options.rate or RATES[scenario],
        seconds=options.seconds,
        findings=folder / f"{scenario}.json",
    )


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0
