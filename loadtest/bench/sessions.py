"""Sessions: the doors for telemetry and commands, beside a process that keeps points in lists.

    python -m loadtest.bench.sessions

    50 000 points a batch, 5 000, one ─► │ ours: api, Redis that syncs, flow, TimescaleDB
    latest, an hour, channels         ◄─ │ peer: FastAPI, models, a list of dicts; nothing is kept
    commands ─► device ─► succeeded      │ ours alone

Both are sent the same bytes by the same client over as many connections, in turn, several rounds;
ratios within a round. Before, both must give the same answers. What is acknowledged by ours would
survive the death of every process. Docs: ``docs/performance.md``.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from core.clock import SystemClock
from loadtest.bench.askable import Askable, start_ours, start_peer
from loadtest.bench.catch_ups import find_start, start_flows
from loadtest.bench.feeds import Follower, find_ends
from loadtest.bench.folders import RESULTS, find_bench_folder
from loadtest.bench.reports import Measurement, save_measurement
from loadtest.bench.servers import run_servers
from loadtest.bench.session_commands import Commanding, attached, measure_commands
from loadtest.bench.session_sides import (
    CHANNELS,
    OURS,
    PEER,
    STORED,
    Batches,
    Deed,
    Reads,
    Showings,
    Side,
    Singles,
    Take,
    ask_hour,
    draw_batch,
    require_agreement,
)
from loadtest.bench.spreads import Spread, spread
from loadtest.bench.tables import write_spread, write_table

ROUNDS: Final = 3
SECONDS: Final = 2
AGO: Final = timedelta(days=5)
"""When the points were measured; none of what is sent lies in the future."""

SETTLE_S_MAX: Final = 60
WARM_UP_S: Final = 1
LATEST: Final = f"/latest?channel={CHANNELS[0]}"

NEVER: Final = "never"

COMMANDS: Final = (
    Commanding("command", "a command, asked for until it succeeded", 1, 50),
    Commanding("commands", "8 commands at a time", 8, 25),
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a run found: the takes of each side for each deed, one a round."""

    takes: Mapping[str, Mapping[str, Sequence[Take]]]
    commands: Mapping[str, Sequence[Take]]


def list_deeds(hour: str, *, is_quick: bool) -> list[Deed]:
    """Return what both sides do, in the order of the table."""
    few = 1 if is_quick else 4
    return [
        Batches("batch_50000", "batches of 50 000 points, points/s", 50_000, few),
        Batches("batch_5000", "batches of 5 000 points, points/s", 5_000, 5 * few),
        Singles("point_1", "points, one a request, 1 connection", 1),
        Singles("point_32", "points, one a request, 32 connections", 32),
        Reads("latest_1", "latest, 1 connection", LATEST, 1),
        Reads("latest_32", "latest, 32 connections", LATEST, 32),
        Reads(
            "latest_live",
            "latest, 32 connections, 2 points a second arrive",
            LATEST,
            32,
            is_live=True,
        ),
        Reads("hour", "an hour of a channel, 2 500 points, 1 connection", hour, 1),
        Reads("channels", "channels, 32 connections", "/channels", 32),
        Showings("shown_1", "until latest shows an acknowledged point", 1, 2 * few),
        Showings(
            "shown_50000", "until latest shows 50 000 acknowledged points", 50_000, few // 2 + 1
        ),
    ]


def measure_sessions(rounds: int, seconds: int, *, is_quick: bool) -> Found:
    """Start everything, require that both agree, and let both take their turns."""
    began_at = (SystemClock().now() - AGO).replace(minute=0, second=0, microsecond=0)
    hour = ask_hour(began_at)
    with run_servers(find_bench_folder()) as servers, ExitStack() as stack:
        flows = start_flows(servers, 1, stack)
        ours_server = start_ours(servers, stack, OURS, None)
        peer_server = start_peer(servers, stack, "listed_points")
        find_start(flows)
        ours_server.wait_until_good("/readyz")
        peer_server.wait_until_good("/livez")
        follower = stack.enter_context(closing(Follower(servers)))

        def settle() -> None:
            ends = find_ends(servers)
            flows[0].wait_until(lambda: follower.has_reached(ends), SETTLE_S_MAX)

        sides = [
            Side(OURS, ours_server, began_at, settle),
            Side(PEER, peer_server, began_at, lambda: None),
        ]
        for side in sides:
            side.store(draw_batch(STORED, began_at))
            side.server.process.meter.suspend()
        require_agreement(sides, [LATEST, hour, "/channels"])
        takes = take_turns(list_deeds(hour, is_quick=is_quick), sides, rounds, seconds)
        with ours_server.awake(), attached(ours_server):
            commands = measure_all_commands(ours_server, rounds, is_quick=is_quick)
    return Found(takes, commands)


def take_turns(
    deeds: Sequence[Deed], sides: Sequence[Side], rounds: int, seconds: int
) -> dict[str, dict[str, list[Take]]]:
    """Let each side do each deed in each round; who begins changes from round to round."""
    takes = {deed.name: {side.name: list[Take]() for side in sides} for deed in deeds}
    # The first time around nothing counts: code is compiled, pools are opened.
    for number in range(rounds + 1):
        for deed in deeds:
            for side in sides if number % 2 else reversed(sides):
                with side.server.awake():
                    take = deed.run(side, seconds if number else WARM_UP_S)
                if number:
                    takes[deed.name][side.name].append(take)
                    say(
                        f"round {number} of {rounds}: {side.name}, {deed.label}: {write_take(take)}"
                    )
    return takes


def measure_all_commands(server: Askable, rounds: int, *, is_quick: bool) -> dict[str, list[Take]]:
    """Let commands be carried out, round by round."""
    takes: dict[str, list[Take]] = {each.name: [] for each in COMMANDS}
    for number in range(rounds + 1):
        for each in COMMANDS:
            take = measure_commands(server, each.count // (5 if is_quick else 1), each.at_once)
            if number:
                takes[each.name].append(take)
    return takes


def judge(deed: Deed, takes: Mapping[str, Sequence[Take]]) -> Spread:
    """Return how many times as fast as the peer ours is, round by round."""
    pairs = zip(takes[OURS], takes[PEER], strict=True)
    return spread(
        [
            peer.p50_ms / ours.p50_ms if deed.is_delay else ours.rate / peer.rate
            for ours, peer in pairs
        ]
    )


def write_found(found: Found) -> str:
    """Return the table."""
    head = ["", "ours", "peer", "ours ÷ peer", "p50, p99", "peer's", "processor time a request"]
    deeds = [deed for deed in list_deeds("", is_quick=False) if deed.name in found.takes]
    rows = [_write_row(deed, found.takes[deed.name]) for deed in deeds]
    rows += [_write_commands(each.label, found.commands[each.name]) for each in COMMANDS]
    return write_table(head, rows)


def write_take(take: Take) -> str:
    """Return a take as it is told while others are still taken."""
    return f"{take.rate:,.0f}/s, p50 {take.p50_ms:,.1f} ms"


def _write_row(deed: Deed, takes: Mapping[str, Sequence[Take]]) -> list[str]:
    cells = [_write_main(takes[name], is_delay=deed.is_delay) for name in (OURS, PEER)]
    times = [_write_times(takes[name]) for name in (OURS, PEER)]
    ratio = write_spread(judge(deed, takes), ".3g")
    return [deed.label, *cells, ratio, *times, _write_cpu(takes[OURS])]


def _write_commands(label: str, takes: Sequence[Take]) -> list[str]:
    main = _write_main(takes, is_delay=False)
    return [label, main, NEVER, "", _write_times(takes), "", _write_cpu(takes)]


def _write_main(takes: Sequence[Take], *, is_delay: bool) -> str:
    if is_delay:
        return f"{write_spread(spread([take.p50_ms for take in takes]), ',.1f')} ms"
    return f"{write_spread(spread([take.rate for take in takes]), ',.0f')} /s"


def _write_times(takes: Sequence[Take]) -> str:
    p50_ms = spread([take.p50_ms for take in takes]).median
    p99_ms = spread([take.p99_ms for take in takes]).median
    return f"{p50_ms:,.1f}, {p99_ms:,.1f} ms"


def _write_cpu(takes: Sequence[Take]) -> str:
    return f"{spread([take.cpu_ms for take in takes]).median:,.2f} ms"


def say(line: str) -> None:
    """Tell people how it goes."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def main() -> None:
    """Measure, save and print."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.bench.sessions")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=int, default=SECONDS, help="of each turn of wrk")
    parser.add_argument("--quick", action="store_true", help="one round, and fewer requests in it")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where results go")
    options = parser.parse_args()
    rounds, seconds = (1, SECONDS) if options.quick else (options.rounds, options.seconds)
    found = measure_sessions(rounds, seconds, is_quick=options.quick)
    measurement = Measurement(
        name="sessions",
        title="Sessions",
        text=(
            "The doors for telemetry and commands beside a FastAPI process that keeps points in"
            f" lists of dicts, in memory; reads are of a session of {STORED:,} points. {rounds}"
            f" rounds in turn, wrk {seconds} s each; medians, and ratios within a round: above 1"
            " ours is faster. What ours acknowledges is on a Redis that syncs its file before."
            f" *{NEVER}*: the process that the peer stands for read a command's parameters as their"
            " definitions, so that none could run."
        ),
        table=write_found(found),
        found=found,
    )
    sys.stdout.write(save_measurement(measurement, options.results))


if __name__ == "__main__":
    main()
