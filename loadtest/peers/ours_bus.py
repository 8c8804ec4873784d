"""Telemetra as it runs: from the bus to committed rows, through the real flow process.

    private Redis, filled -> python -m streaming.flow -> private TimescaleDB

Filling the bus is not measured; ``loadtest.bench.catch_ups`` says when the clock runs. Both
servers write to disk as they do in the product; snapshots, live messages and cache versions are
included.
"""

import argparse
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import orjson

from core.settings import VERSION
from loadtest.bench.catch_ups import measure_catch_up, start_flows
from loadtest.bench.feeds import Follower, fill_bus, find_ends
from loadtest.bench.folders import find_bench_folder
from loadtest.bench.servers import run_servers
from loadtest.peers.tasks import Effort, Outcome, print_outcome, sum_up

TAIL_BYTES: Final = 10_000
"""More than the longest line."""


def measure(file: Path, processes: int) -> Outcome:
    """Run the flow over a filled bus."""
    with run_servers(find_bench_folder()) as servers, ExitStack() as stack:
        events = fill_bus(servers, file, now=read_last_time(file) + timedelta(minutes=1))
        ends = find_ends(servers)
        follower = stack.enter_context(closing(Follower(servers)))
        flows = start_flows(servers, processes, stack)
        found = measure_catch_up(flows, follower, ends, events)
        effort = Effort(found.seconds, found.cpu_seconds)
        return sum_up("ours_bus", VERSION, effort, follower.list_minutes())


def read_last_time(file: Path) -> datetime:
    """Return the time of a file's last line."""
    with file.open("rb") as source:
        source.seek(-min(TAIL_BYTES, file.stat().st_size), 2)
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
