"""Catch-ups: the real flow process works off a bus that was filled before.

    filled bus -> python -m streaming.flow -> rows in TimescaleDB

The clock starts when the flow says that it opened its first shard. It stops when, seen from
outside, the database has the last offset of every shard and the stored minutes count every event.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from core.clock import SystemClock
from infra.services.ports import LOOPBACK, choose_port
from loadtest.bench.feeds import Follower
from loadtest.bench.processes import Process
from loadtest.bench.servers import Servers

CATCH_UP_S_MAX: Final = 900
START_S_MAX: Final = 60


@dataclass(frozen=True, slots=True)
class CatchUp:
    """What it took."""

    events: int
    seconds: float
    cpu_seconds: float
    """Of the flow's processes, not of the servers."""

    idle_bytes: int
    """Memory of the flow before it had read anything."""

    resident_bytes: int
    """Memory of the flow at the end."""


def start_flows(servers: Servers, count: int, stack: ExitStack) -> list[Process]:
    """Start the flow, as one process or as a cluster of them."""
    if count == 1:
        return [stack.enter_context(servers.run("streaming.flow"))]
    addresses = ";".join(f"{LOOPBACK}:{choose_port()}" for _ in range(count))
    return [
        stack.enter_context(
            servers.run("streaming.flow", "-i", str(i), "-a", addresses, name=f"flow-{i}")
        )
        for i in range(count)
    ]


def find_start(flows: Sequence[Process]) -> datetime:
    """Wait until the flow reads, and return since when."""
    opened: list[datetime] = []

    def has_opened() -> bool:
        events = (event for flow in flows for event in flow.list_events("shard_opened"))
        opened.extend(datetime.fromisoformat(str(event["timestamp"])) for event in events)
        return bool(opened)

    flows[0].wait_until(has_opened, START_S_MAX)
    return min(opened).astimezone(UTC)


def measure_catch_up(
    flows: Sequence[Process], follower: Follower, ends: dict[int, int], events: int
) -> CatchUp:
    """Wait until all events are in rows and return what it took."""
    started_at = find_start(flows)
    cpu_before = _add(flows, Process.read_cpu_seconds)
    idle_bytes = int(_add(flows, Process.read_resident_bytes))
    flows[0].wait_until(lambda: follower.has_reached(ends), CATCH_UP_S_MAX)
    flows[0].wait_until(lambda: follower.count_messages() == events, CATCH_UP_S_MAX)
    return CatchUp(
        events=events,
        seconds=(SystemClock().now() - started_at).total_seconds(),
        cpu_seconds=_add(flows, Process.read_cpu_seconds) - cpu_before,
        idle_bytes=idle_bytes,
        resident_bytes=int(_add(flows, Process.read_resident_bytes)),
    )


def _add(flows: Sequence[Process], read: Callable[[Process], float]) -> float:
    return sum(read(flow) for flow in flows)
