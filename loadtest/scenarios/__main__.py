"""One generator: ``python -m loadtest.scenarios PLAN``, a process of its own.

Locust makes everything that blocks cooperative as soon as it is imported, which must not happen
to anybody else; so ``loadtest.load`` starts this, and reads what it found.

    prepare ─► start users ─► measure ─► no new sends ─► settle ─► count what arrived ─► findings
"""

import sys
import time
from collections.abc import Callable
from typing import Any, Final

import gevent
from locust import User
from locust.env import Environment

from core.settings import load_settings
from loadtest.load.findings import Findings, Plan, read_plan, save_findings
from loadtest.scenarios import feeders, readers, senders, watchers
from loadtest.scenarios.arrivals import Arrivals
from loadtest.scenarios.boards import Board
from loadtest.scenarios.callers import Caller, Prober
from loadtest.scenarios.recorders import Recorder
from streaming.ingest.clients import ApiClient

SPAWN_SHARES: Final = {"senders": 0.1, "readers": 0.1, "watchers": 0.5}
"""Users come within this part of the run; watchers slowly, since it is their coming that costs."""

WARM_UP_SHARE: Final = 0.2
"""Times count after this part of the run: the first queries of a process are dear for once."""


class LoadEnvironment(Environment):
    """Locust's environment, and what all of our users share."""

    def __init__(self, board: Board, classes: list[type[User]]) -> None:
        super().__init__(user_classes=classes, host=board.plan.url)
        self.board = board


def run(plan: Plan) -> Findings:
    """Carry a plan out and return what was found."""
    board = Board(plan)
    environment = LoadEnvironment(board, _prepare(plan))
    arrivals = Arrivals(ApiClient(plan.url, load_settings().api_key))
    streams = _list_streams(plan)
    arrivals.begin(streams)
    recorder = Recorder(environment.events, plan.seconds)
    runner = environment.create_local_runner()
    users = sum(user_class.fixed_count for user_class in environment.user_classes)
    board.begin()
    runner.start(users, spawn_rate=users / (plan.seconds * SPAWN_SHARES[plan.scenario]))
    gevent.sleep(plan.seconds * WARM_UP_SHARE)
    began_s, gauges = time.monotonic(), recorder.start()
    gevent.sleep(plan.seconds * (1 - WARM_UP_SHARE))
    board.end()
    ended_s, ticks = time.monotonic(), tuple(recorder.ticks)
    gevent.killall(gauges)
    stored = arrivals.settle(board, streams)
    runner.quit()
    arrivals.judge_watches(board, stored)
    return Findings(
        scenario=plan.scenario,
        began_s=began_s,
        ended_s=ended_s,
        users=plan.users,
        requests=recorder.list_requests(),
        ticks=ticks,
        lags=recorder.lags,
        facts=dict(board.facts),
        errors=dict(recorder.errors),
    )


def _prepare(plan: Plan) -> list[type[User]]:
    """Set the users up and return their classes."""
    key = load_settings().api_key
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    Caller.default_headers = watchers.Watcher.headers = headers
    prepare: dict[str, Callable[[], list[Any]]] = {
        "senders": lambda: list(senders.prepare(plan.users, plan.rate, plan.seed)),
        "readers": lambda: [
            feeders.prepare("read", plan.rate, 10.0, plan.seed),
            *readers.prepare(plan.users),
        ],
        "watchers": lambda: [
            feeders.prepare("watch", plan.rate, 1.0, plan.seed),
            *watchers.prepare(plan.users),
        ],
    }
    return [Prober, *prepare[plan.scenario]()]


def _list_streams(plan: Plan) -> list[str]:
    return senders.list_streams() if plan.scenario == "senders" else list(feeders.Feeder.streams)


def main() -> None:
    """Carry out the plan of the command line."""
    plan = read_plan(sys.argv[1])
    save_findings(run(plan), plan.findings)


if __name__ == "__main__":
    main()
