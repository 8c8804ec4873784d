"""Steps: what each step from the door to the rows costs, beside merely parsing the lines.

    python -m loadtest.bench.steps

Each is measured in turn with ``orjson.loads`` of the same lines; more than 1 is faster than that.
"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

# Before Polars starts its threads: one core is what is measured.
os.environ.setdefault("POLARS_MAX_THREADS", "1")  # noqa: TID251

import orjson
import polars as pl
from rich.console import Console
from rich.table import Table

from core.batches import Batch, Entry, decode_batch, encode_events, make_offset
from core.events import TimePolicy, check_events
from core.ndjson import read_ndjson
from loadtest.bench.chats import ChatOptions, draw_chats
from loadtest.bench.spreads import Spread, spread, spread_ratios
from streaming.flow.shards import FlowPolicy, Shard

ROUNDS: Final = 7
CHATS: Final = ChatOptions(events=20_000, minutes=1)

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Step:
    """How fast a step is."""

    name: str
    rate: Spread
    ratio: Spread
    """Against ``orjson.loads``."""


def measure_steps(rounds: int = ROUNDS) -> list[Step]:
    """Measure every step."""
    body = pl.concat(draw_chats(CHATS)).write_ndjson().encode()
    lines = body.splitlines()

    def parse() -> object:
        return [orjson.loads(line) for line in lines]

    return [_measure_step(name, work, parse, rounds) for name, work in list_steps(body).items()]


def list_steps(body: bytes) -> Mapping[str, Work]:
    """Return the steps over one body."""
    now = CHATS.started_at + timedelta(minutes=CHATS.minutes)
    raw, _ = read_ndjson(body)
    events, _ = check_events(raw, now=now, policy=TimePolicy())
    arrived_ms = int(now.timestamp() * 1000)
    entry = Entry(make_offset(arrived_ms, 0), arrived_ms, encode_events(events))
    batch = Batch(0, (entry,))
    return {
        "read the lines into columns": lambda: read_ndjson(body),
        "check every rule": lambda: check_events(raw, now=now, policy=TimePolicy()),
        "write as Arrow": lambda: encode_events(events),
        "read from Arrow": lambda: decode_batch(batch),
        "the same, reduced, merged, judged": lambda: Shard(0, FlowPolicy()).apply_decoded(
            decode_batch(batch)
        ),
    }


def measure_seconds(work: Work) -> float:
    """Return how long work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _measure_step(name: str, work: Work, peer: Work, rounds: int) -> Step:
    """Measure a step and its peer in turn; the first pair only warms up."""
    pairs = [(measure_seconds(work), measure_seconds(peer)) for _ in range(rounds + 1)][1:]
    own, others = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    rate = spread([CHATS.events / seconds for seconds in own])
    return Step(name, rate, spread_ratios(own, others))


def main() -> None:
    """Measure and print."""
    table = Table("step", "events/s", "against orjson.loads, median (least to most)")
    for step in measure_steps():
        ratio = step.ratio
        ratios = f"{ratio.median:.2f} ({ratio.least:.2f} to {ratio.most:.2f})"
        table.add_row(step.name, f"{step.rate.median:,.0f}", ratios)
    Console().print(table)


if __name__ == "__main__":
    main()
