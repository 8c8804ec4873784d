"""Telemetra as it runs: from the bus to committed rows, through the real flow process.

    private Redis, filled -> python -m streaming.flow -> private TimescaleDB

Filling the bus is not measured. The clock starts when the flow says that it opened its first shard
and stops when, seen from outside, the database has the last offset of every shard and the stored
minutes count every event. Both servers write to disk as they do in the product, snapshots, live
messages and caches included. The processor time is that of the flow, not that of the servers.
"""

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import orjson

from core.clock import SystemClock
from core.settings import VERSION
from infra.services.ports import LOOPBACK, choose_port
from loadtest.bench.feeds import Follower, fill_bus, find_ends
from loadtest.bench.folders import find_bench_folder
from loadtest.bench.processes import Process
from loadtest.bench.servers import Servers, run_servers
from loadtest.peers.tasks import Effort, Outcome, print_outcome, sum_up

CATCH_UP_S_MAX: Final = 600
START_S_MAX: Final = 60


def start_flows(servers: Servers, count: int, stack: ExitStack) -> list[Process]:
    """Start the flow, as one process or as a cluster of them."""
    if count == 1:
        return [stack.enter_context(servers.run("streaming.flow"))]
    addresses = ";".join(f"{LOOPBACK}:{choose_port()}" for _ in range(count))
    return [
        stack.enter_context(
            servers.run("streaming.flow", "-i", str(i), "-a", addresses, name=f"flow-{i}")
        )
        for i in range(count)
    ]


def find_start(flows: Sequence[Process]) -> datetime:
    """Wait until the flow reads, and return since when."""
    opened: list[datetime] = []

    def has_opened() -> bool:
        events = (event for flow in flows for event in flow.list_events("shard_opened"))
        opened.extend(datetime.fromisoformat(str(event["timestamp"])) for event in events)
        return bool(opened)

    flows[0].wait_until(has_opened, START_S_MAX)
    return min(opened).astimezone(UTC)


def measure(file: Path, processes: int) -> Outcome:
    """Run the flow over a filled bus."""
    clock = SystemClock()
    with run_servers(find_bench_folder()) as servers, ExitStack() as stack:
        events = fill_bus(servers, file, now=read_last_time(file) + timedelta(minutes=1))
        ends = find_ends(servers)
        follower = Follower(servers)
        stack.callback(follower.close)
        flows = start_flows(servers, processes, stack)
        started_at = find_start(flows)
        cpu_before = sum(flow.read_cpu_seconds() for flow in flows)
        flows[0].wait_until(lambda: follower.has_reached(ends), CATCH_UP_S_MAX)
        flows[0].wait_until(lambda: follower.count_messages() == events, CATCH_UP_S_MAX)
        seconds = (clock.now() - started_at).total_seconds()
        cpu_seconds = sum(flow.read_cpu_seconds() for flow in flows) - cpu_before
        return sum_up("ours_bus", VERSION, Effort(seconds, cpu_seconds), follower.list_minutes())


def read_last_time(file: Path) -> datetime:
    """Return the time of a file's last line."""
    with file.open("rb") as source:
        source.seek(-10_000, 2)
        last = source.read().splitlines()[-1]
    return datetime.fromisoformat(orjson.loads(last)["timestamp"])


def main() -> None:
    """Measure once and print the outcome."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.peers.ours_bus")
    parser.add_argument("file", type=Path)
    parser.add_argument("--processes", type=int, default=1, help="processes of the flow")
    options = parser.parse_args()
    print_outcome(measure(options.file, options.processes))


if __name__ == "__main__":
    main()
