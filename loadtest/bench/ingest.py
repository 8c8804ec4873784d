"""Ingest: how many events one API process takes, beside merely parsing their lines.

    python -m loadtest.bench.ingest

    wrk, 4 connections  ─► bodies of 5 000 events, NDJSON or Arrow │ orjson.loads of the same lines
    wrk, 64 connections ─► bodies of one event                     │ a route that does nothing

All in turn, several rounds; ratios within a round. Acknowledged means on a Redis that syncs its
file before it answers. Large bodies are judged by the processor time of the API, since wrk, Redis
and the API share the machine; small ones by their rate. Docs: ``docs/performance.md``.
"""

import argparse
import io
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import orjson
import polars as pl
import redis

from api.ingest.readers import ARROW_TYPE, JSON_TYPE
from core.clock import SystemClock
from loadtest.bench.askable import Askable, start_ours, start_peer
from loadtest.bench.chats import ChatOptions, draw_chats
from loadtest.bench.doors import NDJSON, PATH
from loadtest.bench.folders import RESULTS, find_bench_folder
from loadtest.bench.reports import Measurement, save_measurement
from loadtest.bench.servers import Servers, run_servers
from loadtest.bench.spreads import Spread, spread
from loadtest.bench.tables import write_spread, write_table
from loadtest.bench.wrks import Wanted, run_wrk, write_posts
from loadtest.peers.idle_door import PATH as IDLE_PATH

EVENTS_A_BODY: Final = 5_000
BODIES: Final = 8
SMALL_BODIES: Final = 1_000
LARGE_CONNECTIONS: Final = 4
SMALL_CONNECTIONS: Final = 64
WARM_UP_S: Final = 1
PARSED_TIMES: Final = 10


@dataclass(frozen=True, slots=True)
class Contender:
    """Somebody who takes bodies."""

    name: str
    label: str
    events: int
    """In each body."""

    wanted: Wanted
    server: Askable


@dataclass(frozen=True, slots=True)
class Take:
    """What one run found."""

    rate: float
    """Events a second."""

    core_rate: float
    """Events for each second of processor time of the API."""

    client_cores: float
    """Processor time of the client for each second."""

    p50_ms: float = 0.0
    p99_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Target:
    """What is wanted: a number of a contender, or its ratio to another."""

    ours: str
    peer: str | None
    least: float | None
    """None where nothing is wanted, and the ratio only told."""

    is_for_core: bool


TARGETS: Final = (
    Target("ndjson", None, 100_000, is_for_core=True),
    Target("arrow", None, 500_000, is_for_core=True),
    Target("ndjson", "orjson", 1.0, is_for_core=True),
    Target("arrow", "orjson", None, is_for_core=True),
    Target("small", "nothing", 0.6, is_for_core=False),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found, round by round."""

    target: Target
    found: Spread


def measure_ingest(rounds: int, seconds: int) -> dict[str, list[Take]]:
    """Start everything, and let everybody take their turn."""
    with run_servers(find_bench_folder()) as servers, ExitStack() as stack:
        frames = draw_bodies()
        bodies = [write_lines(frame).splitlines() for frame in frames]
        contenders = start_contenders(servers, stack, frames)
        takes: dict[str, list[Take]] = {name: [] for name in ("orjson", *_list_names(contenders))}
        for number in range(rounds):
            takes["orjson"].append(parse(bodies))
            for contender in contenders:
                take = ask(contender, servers, seconds)
                takes[contender.name].append(take)
                say(f"round {number + 1} of {rounds}: {contender.label} {take.rate:,.0f} a second")
        return takes


def draw_bodies() -> list[pl.DataFrame]:
    """Return the events of the large bodies, of the last ten minutes."""
    started_at = SystemClock().now() - timedelta(minutes=10)
    options = ChatOptions(events=EVENTS_A_BODY * BODIES, started_at=started_at)
    whole = pl.concat(draw_chats(options))
    return [whole.slice(n * EVENTS_A_BODY, EVENTS_A_BODY) for n in range(BODIES)]


def start_contenders(
    servers: Servers, stack: ExitStack, frames: Sequence[pl.DataFrame]
) -> list[Contender]:
    """Start both servers; each sleeps until it is asked."""
    ours = start_ours(servers, stack, "ours", None)
    idle = start_peer(servers, stack, "idle_door")
    for server in (ours, idle):
        server.wait_until_good("/livez")
        server.process.meter.suspend()
    one = write_lines(frames[0]).splitlines()[:SMALL_BODIES]
    plans = [
        ("ndjson", "NDJSON, 5 000 events", ours, PATH, NDJSON, list(map(write_lines, frames))),
        ("arrow", "Arrow, 5 000 events", ours, PATH, ARROW_TYPE, list(map(write_stream, frames))),
        ("nothing", "a route that does nothing", idle, IDLE_PATH, JSON_TYPE, one),
        ("small", "one event", ours, PATH, JSON_TYPE, one),
    ]
    contenders = []
    for name, label, server, path, media_type, bodies in plans:
        is_large = len(bodies) == BODIES
        script = servers.folder / f"{name}.lua"
        write_posts(script, path, media_type, bodies)
        connections = LARGE_CONNECTIONS if is_large else SMALL_CONNECTIONS
        wanted = Wanted(f"{server.url}{path}", (), script, connections)
        events = EVENTS_A_BODY if is_large else 1
        contenders.append(Contender(name, label, events, wanted, server))
    return contenders


def ask(contender: Contender, servers: Servers, seconds: int) -> Take:
    """Wake one up, warm it up, and measure."""
    with contender.server.awake():
        for duration in (WARM_UP_S, seconds):
            # Nobody reads what is on the bus here.
            redis.from_url(servers.redis_url).flushall()
            before = contender.server.process.read_cpu_seconds()
            client_before = _read_client_seconds()
            shot = run_wrk(contender.wanted, duration)
            used = contender.server.process.read_cpu_seconds() - before
            client = _read_client_seconds() - client_before
    rate = shot.rate * contender.events
    return Take(rate, rate * duration / used, client / duration, shot.p50_ms, shot.p99_ms)


def parse(bodies: list[list[bytes]]) -> Take:
    """Parse the lines of the same bodies here, and hold the events of one, as a door has to."""
    count = PARSED_TIMES * sum(map(len, bodies))
    started, cpu_started = time.perf_counter(), time.process_time()
    for lines in bodies * PARSED_TIMES:
        [orjson.loads(line) for line in lines]
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    return Take(count / seconds, count / cpu_seconds, 0.0)


def judge(takes: Mapping[str, Sequence[Take]]) -> list[Verdict]:
    """Return what was found for each target, ratios within a round."""
    return [Verdict(target, spread(_compare(target, takes))) for target in TARGETS]


def _compare(target: Target, takes: Mapping[str, Sequence[Take]]) -> list[float]:
    def read(take: Take) -> float:
        return take.core_rate if target.is_for_core else take.rate

    own = [read(take) for take in takes[target.ours]]
    if target.peer is None:
        return own
    return [a / b for a, b in zip(own, map(read, takes[target.peer]), strict=True)]


LABELS: Final = {
    "orjson": "`orjson.loads` of each line",
    "ndjson": "NDJSON, 5 000 events a body",
    "arrow": "Arrow, 5 000 events a body",
    "nothing": "a route that does nothing",
    "small": "one event a body",
}


def write_tables(takes: Mapping[str, Sequence[Take]]) -> str:
    """Return both tables."""
    rates = write_table(
        [
            "",
            "events/s",
            "events/s a core of the API",
            "least to most",
            "cores of wrk",
            "p50",
            "p99",
        ],
        (_write_row(LABELS[name], found) for name, found in takes.items()),
    )
    targets = write_table(
        ["target", "wanted", "found", "met"], (_write_verdict(verdict) for verdict in judge(takes))
    )
    return f"{rates}\n{targets}"


def _write_row(label: str, takes: Sequence[Take]) -> list[str]:
    core = spread([take.core_rate for take in takes])
    times = [spread([getattr(t, name) for t in takes]).median for name in ("p50_ms", "p99_ms")]
    return [
        label,
        f"{spread([take.rate for take in takes]).median:,.0f}",
        f"{core.median:,.0f}",
        f"{core.least:,.0f} to {core.most:,.0f}",
        f"{spread([take.client_cores for take in takes]).median:.2f}",
        *(f"{ms:.1f} ms" if ms else "" for ms in times),
    ]


def _write_verdict(verdict: Verdict) -> list[str]:
    target, found = verdict.target, verdict.found
    is_ratio = target.peer is not None
    wanted = "" if target.least is None else f"≥ {target.least:{'g' if is_ratio else ',.0f'}}"
    met = "" if target.least is None else "yes" if found.median >= target.least else "**no**"
    kind = "events/s a core" if target.is_for_core else "requests/s"
    name = f"{LABELS[target.ours]} ÷ {LABELS[target.peer]}" if target.peer else LABELS[target.ours]
    return [f"{name}, {kind}", wanted, write_spread(found, ".2f" if is_ratio else ",.0f"), met]


def _list_names(contenders: Sequence[Contender]) -> list[str]:
    return [contender.name for contender in contenders]


def write_lines(frame: pl.DataFrame) -> bytes:
    """Write one event a line."""
    return frame.write_ndjson().encode()


def write_stream(frame: pl.DataFrame) -> bytes:
    """Write what a program with typed columns would send: times as such, nothing compressed."""
    buffer = io.BytesIO()
    times = pl.col("timestamp").str.to_datetime(time_unit="us", time_zone="UTC")
    frame.with_columns(times).write_ipc_stream(buffer)
    return buffer.getvalue()


def _read_client_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def say(line: str) -> None:
    """Tell people how it goes."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def main() -> None:
    """Measure, save and print."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.bench.ingest")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4, help="of each contender in each round")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where results go")
    options = parser.parse_args()
    takes = measure_ingest(options.rounds, options.seconds)
    measurement = Measurement(
        name="ingest",
        title="Ingest",
        text=(
            f"One API process; wrk with {LARGE_CONNECTIONS} connections for large bodies and"
            f" {SMALL_CONNECTIONS} for small ones, {options.rounds} rounds of {options.seconds} s"
            " in turn; medians, and ratios within a round."
        ),
        table=write_tables(takes),
        found={"takes": takes, "verdicts": judge(takes)},
    )
    sys.stdout.write(save_measurement(measurement, options.results))


if __name__ == "__main__":
    main()
