"""Growth: what an event costs when the same events come from more and more streams.

    python -m loadtest.bench.growth

The number of events and the time they span stay the same; each run has servers and a flow of its
own. Cost is processor time of the flow, and wall time, for each event, against the run with the
fewest streams. Memory is what the flow holds at the end beyond what it held before it had read
anything, for each stream: an upper bound, since buffers that come and go are in it.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from loadtest.bench.catch_ups import CatchUp, measure_catch_up, start_flows
from loadtest.bench.charts import Bar, draw_bars
from loadtest.bench.chats import ChatOptions, provide_chats
from loadtest.bench.feeds import Follower, fill_bus, find_ends
from loadtest.bench.folders import RESULTS, find_bench_folder
from loadtest.bench.reports import Measurement, save_measurement
from loadtest.bench.servers import run_servers
from loadtest.bench.tables import write_table

STREAMS: Final = (10, 1_000, 10_000, 100_000)
EVENTS: Final = 3_000_000
MINUTES: Final = 1
"""Together 50 000 events a second, about what one process carries with room to spare."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One number of streams."""

    streams: int
    took: CatchUp
    cpu_ratio: float
    """Processor time against the fewest streams."""

    wall_ratio: float
    bytes_a_stream: float
    """At most."""


def measure_streams(streams: int, events: int, minutes: int) -> CatchUp:
    """Run the flow over the events of so many streams, all alike."""
    chats = ChatOptions(events=events, streams=streams, minutes=minutes, stream_skew=0)
    folder = find_bench_folder()
    file = provide_chats(folder, chats)
    with run_servers(folder) as servers, ExitStack() as stack:
        fill_bus(servers, file, now=chats.started_at + timedelta(minutes=minutes + 1))
        ends = find_ends(servers)
        follower = stack.enter_context(closing(Follower(servers)))
        flows = start_flows(servers, 1, stack)
        return measure_catch_up(flows, follower, ends, events)


def compare_stages(found: Sequence[tuple[int, CatchUp]]) -> list[Stage]:
    """Return the stages against the first, which has the fewest streams."""
    base = found[0][1]
    return [
        Stage(
            streams=streams,
            took=took,
            cpu_ratio=took.cpu_seconds / base.cpu_seconds,
            wall_ratio=took.seconds / base.seconds,
            bytes_a_stream=(took.resident_bytes - took.idle_bytes) / streams,
        )
        for streams, took in found
    ]


def write_stages(stages: Sequence[Stage]) -> str:
    """Return the table of all stages."""
    head = [
        "streams",
        "events/s",
        "CPU µs an event",
        "CPU, times",
        "wall, times",
        "MB",
        "B a stream",
    ]
    return write_table(
        head,
        (
            [
                f"{stage.streams:,}",
                f"{stage.took.events / stage.took.seconds:,.0f}",
                f"{stage.took.cpu_seconds / stage.took.events * 1e6:.2f}",
                f"{stage.cpu_ratio:.2f}",
                f"{stage.wall_ratio:.2f}",
                f"{stage.took.resident_bytes / 1e6:,.0f}",
                f"{stage.bytes_a_stream:,.0f}",
            ]
            for stage in stages
        ),
    )


def main() -> None:
    """Measure, save and print."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.bench.growth")
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--minutes", type=int, default=MINUTES, help="that they span")
    parser.add_argument("--streams", type=int, nargs="+", default=STREAMS)
    parser.add_argument("--results", type=Path, default=RESULTS, help="where results go")
    options = parser.parse_args()
    streams = sorted(options.streams)
    events, minutes = options.events, options.minutes
    stages = compare_stages([(count, measure_streams(count, events, minutes)) for count in streams])
    bars = [
        Bar(f"{stage.streams:,} streams", stage.cpu_ratio, stage.cpu_ratio, stage.cpu_ratio, True)
        for stage in stages
    ]
    measurement = Measurement(
        name="growth",
        title="Growth",
        text=f"{events:,} events over {minutes} minutes, {events / minutes / 60:,.0f} a second,"
        " from more and more streams.",
        table=write_stages(stages),
        found=stages,
        chart=draw_bars(f"Processor time an event, against {streams[0]} streams", "times", bars),
    )
    sys.stdout.write(save_measurement(measurement, options.results))


if __name__ == "__main__":
    main()
