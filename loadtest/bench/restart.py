"""Restart: how long the flow takes to go on after a kill, with the state of many streams.

    python -m loadtest.bench.restart

    an hour of events -> flow catches up -> kill -9 -> a minute more of events -> start again

The clock starts when the new process is started, so that Python's own start counts. ``first`` is
the first commit that moves an offset, ``caught_up`` the last one, both seen from outside.
"""

import argparse
import signal
import sys
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from loadtest.bench.catch_ups import CATCH_UP_S_MAX, measure_catch_up, start_flows
from loadtest.bench.chats import ChatOptions, provide_chats
from loadtest.bench.feeds import Follower, fill_bus, find_ends
from loadtest.bench.folders import RESULTS, find_bench_folder
from loadtest.bench.reports import Measurement, save_measurement
from loadtest.bench.servers import Servers, run_servers
from loadtest.bench.tables import write_table

STREAMS: Final = 10_000
EVENTS: Final = 1_000_000
MINUTES: Final = 60

SNAPSHOT_S: Final = 15.0
"""A kill comes so long after the last commit: a snapshot is stored every ten seconds."""


@dataclass(frozen=True, slots=True)
class Restart:
    """What a kill cost."""

    streams: int
    events: int
    events_after: int
    first_s: float
    caught_up_s: float
    store_bytes: int
    resident_bytes: int
    """Memory of the flow that was killed."""


def measure_restart(streams: int, events: int) -> Restart:
    """Fill, catch up, kill, add a minute, and start again."""
    before = ChatOptions(events=events, streams=streams, minutes=MINUTES, stream_skew=0)
    after = replace(
        before,
        events=max(events // MINUTES, 1),
        minutes=1,
        seed=before.seed + 1,
        started_at=before.started_at + timedelta(minutes=MINUTES),
    )
    with run_servers(find_bench_folder()) as servers, ExitStack() as stack:
        follower = stack.enter_context(closing(Follower(servers)))
        _fill(servers, before)
        with ExitStack() as life:
            flows = start_flows(servers, 1, life)
            took = measure_catch_up(flows, follower, find_ends(servers), events)
            time.sleep(SNAPSHOT_S)
            flows[0].stop(signal.SIGKILL)
        store_bytes = measure_folder(servers.folder / "flow")
        offsets = follower.list_offsets()
        _fill(servers, after)
        ends = find_ends(servers)
        started = time.perf_counter()
        flow = start_flows(servers, 1, stack)[0]
        flow.wait_until(lambda: follower.list_offsets() != offsets, CATCH_UP_S_MAX)
        first_s = time.perf_counter() - started
        flow.wait_until(lambda: follower.has_reached(ends), CATCH_UP_S_MAX)
        total = before.events + after.events
        flow.wait_until(lambda: follower.count_messages() == total, CATCH_UP_S_MAX)
        return Restart(
            streams=streams,
            events=before.events,
            events_after=after.events,
            first_s=first_s,
            caught_up_s=time.perf_counter() - started,
            store_bytes=store_bytes,
            resident_bytes=took.resident_bytes,
        )


def measure_folder(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def write_restart(found: Restart) -> str:
    """Return the table of a restart."""
    rows = [
        ["first commit after the start", f"{found.first_s:.2f} s"],
        ["caught up after the start", f"{found.caught_up_s:.2f} s"],
        ["recovery store", f"{found.store_bytes / 1e6:,.1f} MB"],
        ["memory before the kill", f"{found.resident_bytes / 1e6:,.0f} MB"],
    ]
    return write_table(["", "found"], rows)


def _fill(servers: Servers, chats: ChatOptions) -> None:
    file = provide_chats(find_bench_folder(), chats)
    fill_bus(servers, file, now=chats.started_at + timedelta(minutes=chats.minutes + 1))


def main() -> None:
    """Measure, save and print."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.bench.restart")
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--streams", type=int, default=STREAMS)
    parser.add_argument("--results", type=Path, default=RESULTS, help="where results go")
    options = parser.parse_args()
    found = measure_restart(options.streams, options.events)
    measurement = Measurement(
        name="restart",
        title="Restart",
        text=(
            f"{found.streams:,} streams, {found.events:,} events over {MINUTES} minutes, then"
            f" `kill -9`, {found.events_after:,} events of one more minute, and a new process."
        ),
        table=write_restart(found),
        found=found,
    )
    sys.stdout.write(save_measurement(measurement, options.results))


if __name__ == "__main__":
    main()
