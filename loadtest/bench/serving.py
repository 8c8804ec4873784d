"""Serving: our answers beside the least and the usual that could send them, as ratios.

    python -m loadtest.bench.serving

    wrk, 32 connections ─► one server at a time, in turn, several rounds
        hot     ours: open, with a key, with a key and a limit │ bare ASGI function │ usual FastAPI
        misses  ours                                           │ plain query and orjson, twice

Every contender is one process and answers with the same 60 minutes, which the real flow wrote. Who
is not asked is stopped meanwhile. Docs: ``docs/performance.md``.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import asyncpg

from core.clock import SystemClock
from core.keys import EVERYONE, Scope, make_secret
from db.api_keys import KeyStore
from db.pool import prepare_connection
from loadtest.bench.askable import Askable, save_answer, start_ours, start_peer
from loadtest.bench.catch_ups import measure_catch_up, start_flows
from loadtest.bench.chats import ChatOptions, provide_chats
from loadtest.bench.feeds import Follower, fill_bus, find_ends
from loadtest.bench.folders import RESULTS, find_bench_folder
from loadtest.bench.reports import Measurement, save_measurement
from loadtest.bench.servers import Servers, run_servers
from loadtest.bench.spreads import Spread, spread
from loadtest.bench.tables import write_spread, write_table
from loadtest.bench.wrks import CONNECTIONS, Shot, Wanted, run_wrk, write_script

CHATS: Final = ChatOptions(events=6_000, streams=1, minutes=75, stream_skew=0)
PATH: Final = "/api/v1/streams/stream-0000/metrics?limit=60"
FIRST_END_MS: Final = 2_000_000_000_000
"""Ends of misses begin here, in 2033: after every row, so that all misses read the same ones."""

WARM_UP_S: Final = 1

NO_LIMIT_REACHED: Final = "10000000"


@dataclass(frozen=True, slots=True)
class Contender:
    """Somebody who answers."""

    name: str
    label: str
    wanted: Wanted
    server: Askable


@dataclass(frozen=True, slots=True)
class Standing:
    """How one did over all rounds."""

    name: str
    label: str
    rate: Spread
    p50_ms: float
    p99_ms: float
    cpu_us: float


@dataclass(frozen=True, slots=True)
class Target:
    """How many requests a second ours should answer for each one of a peer's."""

    ours: str
    peer: str
    least: float | None = None
    """None where nothing is wanted, and the ratio only told."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found, round by round."""

    target: Target
    found: Spread


TARGETS: Final = (
    Target("open", "bare", 0.6),
    Target("keys", "bare", 0.6),
    Target("keys", "usual", 5.0),
    Target("miss", "plain", 0.7),
    Target("miss", "same"),
)


def measure_serving(rounds: int, seconds: int) -> tuple[list[Standing], list[Verdict]]:
    """Start everything and ask everybody in turn."""
    with run_servers(find_bench_folder()) as servers, ExitStack() as stack:
        fill_minutes(servers)
        contenders = start_contenders(servers, stack)
        shots: dict[str, list[Shot]] = {contender.name: [] for contender in contenders}
        for number in range(rounds):
            first = number % len(contenders)
            for contender in (*contenders[first:], *contenders[:first]):
                shot = ask(contender, seconds)
                shots[contender.name].append(shot)
                say(f"round {number + 1} of {rounds}: {contender.label} {shot.rate:,.0f} a second")
        return [rank(contender, shots[contender.name]) for contender in contenders], judge(shots)


def fill_minutes(servers: Servers) -> None:
    """Let the real flow write the minutes."""
    file = provide_chats(find_bench_folder(), CHATS)
    fill_bus(servers, file, now=CHATS.started_at + timedelta(minutes=CHATS.minutes + 1))
    with closing(Follower(servers)) as follower, ExitStack() as stack:
        flows = start_flows(servers, 1, stack)
        measure_catch_up(flows, follower, find_ends(servers), CHATS.events)


def start_contenders(servers: Servers, stack: ExitStack) -> list[Contender]:
    """Start all servers; each sleeps until it is asked."""
    key = asyncio.run(_make_key(servers))
    ours = {
        "open": start_ours(servers, stack, "ours-open", None),
        "keys": start_ours(servers, stack, "ours-keys", key),
        "limit": start_ours(
            servers, stack, "ours-limit", key, RATE_LIMIT_PER_MINUTE=NO_LIMIT_REACHED
        ),
    }
    for server in ours.values():
        server.wait_until_good(PATH)
    saved = servers.folder / "answer.json"
    save_answer(ours["keys"].ask(PATH), saved)
    peers = {
        "bare": start_peer(servers, stack, "bare_answers", str(saved)),
        "usual": start_peer(
            servers, stack, "usual_answers", servers.database_url, servers.redis_url
        ),
        "plain": start_plain(servers, stack, "plain"),
        "same": start_plain(servers, stack, "ours"),
    }
    for server in peers.values():
        server.wait_until_good(f"{PATH}&end={FIRST_END_MS}")
    everybody = {**ours, **peers}
    for server in everybody.values():
        server.process.meter.suspend()
    misses = {name: servers.folder / f"{name}.lua" for name in ("miss", "plain", "same")}
    return [
        _contend("bare", "bare ASGI function", everybody["bare"]),
        _contend("open", "**ours**, no keys", everybody["open"]),
        _contend("keys", "**ours**, key checked", everybody["keys"]),
        _contend("limit", "**ours**, key checked and rate limited", everybody["limit"]),
        _contend("usual", "usual FastAPI, Redis and response model", everybody["usual"]),
        _contend("plain", "miss: plain query and orjson", everybody["plain"], misses["plain"]),
        _contend("same", "miss: our query and orjson", everybody["same"], misses["same"]),
        _contend("miss", "miss: **ours**, key checked", everybody["keys"], misses["miss"]),
    ]


def start_plain(servers: Servers, stack: ExitStack, statement: str) -> Askable:
    """Start the peer that asks the database with each request, over a pool as large as ours."""
    size = str(servers.settings.db_pool_max_size)
    return start_peer(servers, stack, "plain_queries", servers.database_url, size, statement)


def _contend(name: str, label: str, server: Askable, script: Path | None = None) -> Contender:
    wanted = Wanted(f"{server.url}{PATH}", tuple(server.headers.items()), script)
    return Contender(name, label, wanted, server)


def ask(contender: Contender, seconds: int) -> Shot:
    """Wake one up, warm it up, and measure."""
    with contender.server.awake():
        for duration in (WARM_UP_S, seconds):
            if contender.wanted.script is not None:
                # No two runs share an end, not even with those of a minute ago in the cache.
                first = FIRST_END_MS + SystemClock().now_ms() % 10**9 * 1000
                write_script(contender.wanted.script, PATH, first)
            before = contender.server.process.read_cpu_seconds()
            shot = run_wrk(contender.wanted, duration)
            used = contender.server.process.read_cpu_seconds() - before
    return replace(shot, cpu_us=used / (shot.rate * duration) * 1e6)


def rank(contender: Contender, shots: Sequence[Shot]) -> Standing:
    """Return the middle of all rounds."""
    return Standing(
        contender.name,
        contender.label,
        spread([shot.rate for shot in shots]),
        spread([shot.p50_ms for shot in shots]).median,
        spread([shot.p99_ms for shot in shots]).median,
        spread([shot.cpu_us for shot in shots]).median,
    )


def judge(shots: dict[str, list[Shot]]) -> list[Verdict]:
    """Return the ratios, each taken within a round."""
    return [
        Verdict(
            target,
            spread(
                [
                    ours.rate / peer.rate
                    for ours, peer in zip(shots[target.ours], shots[target.peer], strict=True)
                ]
            ),
        )
        for target in TARGETS
    ]


def write_tables(standings: Sequence[Standing], verdicts: Sequence[Verdict]) -> str:
    """Return both tables."""
    labels = {standing.name: standing.label for standing in standings}
    rates = write_table(
        ["", "requests/s", "least to most", "p50", "p99", "processor time a request"],
        (
            [
                standing.label,
                f"{standing.rate.median:,.0f}",
                f"{standing.rate.least:,.0f} to {standing.rate.most:,.0f}",
                f"{standing.p50_ms:.2f} ms",
                f"{standing.p99_ms:.2f} ms",
                f"{standing.cpu_us:,.0f} µs",
            ]
            for standing in standings
        ),
    )
    targets = write_table(
        ["ratio", "wanted", "found", "met"],
        (
            [
                f"{labels[verdict.target.ours]} ÷ {labels[verdict.target.peer]}",
                "" if verdict.target.least is None else f"≥ {verdict.target.least:g}",
                write_spread(verdict.found),
                _say_whether(verdict),
            ]
            for verdict in verdicts
        ),
    )
    return f"{rates}\n{targets}"


def _say_whether(verdict: Verdict) -> str:
    if verdict.target.least is None:
        return ""
    return "yes" if verdict.found.median >= verdict.target.least else "**no**"


async def _make_key(servers: Servers) -> str:
    connection = await asyncpg.connect(servers.database_url)
    try:
        await prepare_connection(connection)
        secret = make_secret()
        await KeyStore(connection).insert(
            secret,
            name="serving",
            scopes=[Scope.READ],
            streams=None,
            expires_at=None,
            actor=EVERYONE,
        )
    finally:
        await connection.close()
    return secret.text


def say(line: str) -> None:
    """Tell people how it goes."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def main() -> None:
    """Measure, save and print."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.bench.serving")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5, help="of each contender in each round")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where results go")
    options = parser.parse_args()
    standings, verdicts = measure_serving(options.rounds, options.seconds)
    measurement = Measurement(
        name="serving",
        title="Serving",
        text=(
            f"One process each, the same page of 60 minutes, wrk with {CONNECTIONS} connections,"
            f" {options.rounds} rounds of {options.seconds} s in turn; medians, and ratios within"
            " a round."
        ),
        table=write_tables(standings, verdicts),
        found={"standings": standings, "verdicts": verdicts},
    )
    sys.stdout.write(save_measurement(measurement, options.results))


if __name__ == "__main__":
    main()
