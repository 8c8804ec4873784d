"""Storms: the real flow, killed at random moments while events flow, beside a recomputation.

    python -m loadtest.storms --kills 50 --pause-s 60
    python -m loadtest.storms --kills 50 --pause-s 60 --processes 2 3 1

Exits with 1 when a single minute is wrong or a single acknowledged event is neither counted nor
listed.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from rich.console import Console

from loadtest.bench.folders import find_bench_folder
from loadtest.bench.servers import run_servers
from loadtest.storms.storms import StormOptions, weather_storm


def read_options(arguments: Sequence[str] | None = None) -> StormOptions:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtest.storms", description="Kill the flow again and again."
    )
    parser.add_argument("--kills", type=int, default=10, help="how often it is killed (10)")
    parser.add_argument("--pause-s", type=float, default=3, help="longest time it stays dead (3)")
    parser.add_argument(
        "--processes", type=int, nargs="+", default=[1], help="of the flow; several in turn (1)"
    )
    parser.add_argument("--events", type=int, default=200_000, help="how many are sent (200000)")
    parser.add_argument("--outage-s", type=float, default=0, help="database away so long (0)")
    parser.add_argument("--restart-redis", action="store_true", help="kill and start Redis too")
    parser.add_argument("--seed", type=int, default=7, help="of the events and the moments (7)")
    told = parser.parse_args(arguments)
    return StormOptions(
        kills=told.kills,
        pause_s_max=told.pause_s,
        processes=tuple(told.processes),
        events=told.events,
        seed=told.seed,
        outage_s=told.outage_s,
        restarts_redis=told.restart_redis,
    )


def main() -> None:
    """Weather a storm and say what it left."""
    options = read_options()
    with run_servers(find_bench_folder()) as servers:
        report = asyncio.run(weather_storm(servers, options))
    console = Console()
    for line in report.findings[:20]:
        console.print(line, style="red", highlight=False)
    console.print(report.describe(), highlight=False)
    sys.exit(not report.is_calm)


if __name__ == "__main__":
    main()
