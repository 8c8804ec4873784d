"""Push: how late and how dearly live messages reach thousands of sockets, and what spoils it.

    python -m loadtest.bench.push --sockets 2000 --seconds 10 --rounds 3

    announcer ──► Redis ──► api ──► receivers in other processes, which check every message

A real API process over a real Redis and TimescaleDB. Beside it, in the same run, a server written
as most would. The announcer stands for the flow: it publishes with the script that the flow uses.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from loadtest.bench.folders import RESULTS, find_bench_folder
from loadtest.bench.push import pages
from loadtest.bench.push.networks import can_plug
from loadtest.bench.push.returns import Company, Returned, kill_among
from loadtest.bench.push.scenes import (
    Frozen,
    Load,
    Steady,
    Vanished,
    play_frozen,
    play_steady,
    play_vanished,
)
from loadtest.bench.push.servers import run_api
from loadtest.bench.reports import Measurement, save_measurement
from loadtest.bench.servers import Servers, run_servers

SCENES: Final = ("steady", "frozen", "vanished", "returns")
FROZEN_RATE: Final = 5.0
"""Messages a second of each stream while some are frozen."""

COMPANY: Final = Company(sockets=100, event_streams=100, messages=2000)


@dataclass(slots=True)
class Found:
    """What the scenes found; None for those that were not played."""

    load: Load
    steady: Steady | None = None
    frozen: Frozen | None = None
    vanished: list[Vanished] | None = None
    returned: Returned | None = None


def play_returns(servers: Servers) -> Returned:
    """Kill one of two API processes behind a balancer."""
    with ExitStack() as stack:
        apis = [stack.enter_context(run_api(servers, name)) for name in ("one", "two")]
        doors = [(api.door.host, api.door.port) for api in apis]
        return asyncio.run(kill_among(apis[0].process, doors, servers.redis_url, COMPANY))


def play(load: Load, scenes: list[str]) -> Found:
    """Play scenes one after the other over the same servers."""
    found = Found(load)
    with run_servers(find_bench_folder()) as servers:
        if "steady" in scenes:
            found.steady = play_steady(servers, load)
        if "frozen" in scenes:
            found.frozen = play_frozen(servers, load, FROZEN_RATE)
        if "vanished" in scenes and can_plug():
            found.vanished = play_vanished(servers, load)
        if "returns" in scenes:
            found.returned = play_returns(servers)
    return found


def write_tables(found: Found) -> str:
    """Return the tables of the scenes that were played."""
    parts = [
        _write(found.steady, pages.write_steady),
        _write(found.frozen, pages.write_frozen),
        _write(found.vanished, pages.write_vanished),
        _write(found.returned, pages.write_returned),
    ]
    return "\n".join(part for part in parts if part)


def _write(found: pages.Played | None, write: Callable[[pages.Played], str]) -> str:
    return "" if found is None else write(found)


def main() -> None:
    """Measure, save and print."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.bench.push")
    parser.add_argument("--sockets", type=int, default=2000)
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=10.0, help="of a round; thrice for 10/s")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--frozen", type=int, default=200)
    parser.add_argument("--vanishing", type=int, default=1000)
    parser.add_argument("--scenes", nargs="+", choices=SCENES, default=list(SCENES))
    parser.add_argument("--results", type=Path, default=RESULTS, help="where results go")
    options = parser.parse_args()
    load = Load(
        options.sockets,
        options.streams,
        options.seconds,
        options.rounds,
        options.frozen,
        options.vanishing,
    )
    found = play(load, options.scenes)
    measurement = Measurement(
        name="push",
        title="Live push",
        text=(
            f"{load.sockets:,} sockets over {load.streams} streams, in another process than the"
            f" server; {load.rounds} rounds of {load.seconds:g} s in turn. Every message on every"
            " socket is checked: its number, its place in the sequence, its time."
        ),
        table=write_tables(found),
        found=found,
    )
    sys.stdout.write(save_measurement(measurement, options.results))


if __name__ == "__main__":
    main()
