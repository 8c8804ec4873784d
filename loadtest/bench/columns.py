"""Columns: what one core makes of chat events, from the door to full minutes.

    python -m loadtest.bench.columns

Every step is measured beside ``orjson.loads`` of the same lines in the same run, the two in turn,
and the ratio is what counts: it moves little when the machine is busy, a bare rate moves with it.
More than 1.0 is faster than merely parsing the lines.
"""

import os
import random
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

# Before Polars starts its threads: one core is what is measured.
os.environ.setdefault("POLARS_MAX_THREADS", "1")  # noqa: TID251

import orjson
import polars as pl
from rich.console import Console
from rich.table import Table

from core.batches import Batch, Entry, decode_entries, encode_events, make_offset
from core.events import TimePolicy, check_events
from core.ndjson import read_ndjson
from streaming.flow.shards import FlowPolicy, ShardState, apply_batch

EVENTS: Final = 20_000
STREAMS: Final = 20
ROUNDS: Final = 7
NOW: Final = datetime(2026, 1, 26, 10, 32, tzinfo=UTC)
WORDS: Final = ("what", "a", "play", "nice", "hmm", "terrible", "map", "PogChamp", "Kappa", "LUL")


def make_body(rng: random.Random) -> bytes:
    """Return chat events of the last minute as NDJSON."""
    lines = [
        orjson.dumps(
            {
                "stream_id": f"stream-{rng.randrange(STREAMS)}",
                "type": "chat",
                "timestamp": (NOW - timedelta(seconds=rng.random() * 60)).isoformat(),
                "user": f"user{int(rng.paretovariate(0.6)) % 9000}",
                "text": " ".join(rng.choices(WORDS, k=rng.randint(1, 8))),
            }
        )
        for _ in range(EVENTS)
    ]
    return b"\n".join(lines)


def measure(work: Callable[[], object]) -> float:
    """Return how long work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Measure every step and print the table."""
    body = make_body(random.Random(7))  # noqa: S311 (the same events in every run)
    lines = body.split(b"\n")
    raw, _ = read_ndjson(body)
    events, _ = check_events(raw, now=NOW, policy=TimePolicy())
    offset = make_offset(int(NOW.timestamp() * 1000), 0)
    payload = encode_events(events)
    batch = Batch(0, offset, NOW, events.with_columns(offset=pl.lit(offset, dtype=pl.Int64)))
    state, policy = ShardState.empty(0), FlowPolicy()
    steps: dict[str, Callable[[], object]] = {
        "read the lines into columns": lambda: read_ndjson(body),
        "check every rule": lambda: check_events(raw, now=NOW, policy=TimePolicy()),
        "write as Arrow": lambda: encode_events(events),
        "read from Arrow": lambda: decode_entries(0, [Entry(offset, 0, payload)]),
        "reduce, merge, judge, build rows": lambda: apply_batch(
            state, batch, now=NOW, policy=policy
        ),
    }
    table = Table("step", "events/s", "against orjson.loads, median (least to most)")
    for name, work in steps.items():
        pairs = [
            (measure(work), measure(lambda: [orjson.loads(line) for line in lines]))
            for _ in range(ROUNDS + 1)
        ][1:]
        ratios = sorted(peer / own for own, peer in pairs)
        rate = EVENTS / statistics.median(own for own, _ in pairs)
        middle = statistics.median(ratios)
        table.add_row(name, f"{rate:,.0f}", f"{middle:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")
    Console().print(table)


if __name__ == "__main__":
    main()
