"""Scenes: what the live push has to bear, each with the numbers it left."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from loadtest.bench.push.announcers import Announcer
from loadtest.bench.push.audiences import Audience, Plan, gather_audience
from loadtest.bench.push.networks import OURS, plug_cable
from loadtest.bench.push.servers import LiveServer, run_api, run_peer
from loadtest.bench.push.takes import SETTLE_S, Take, take
from loadtest.bench.servers import Servers

FROZEN_BUFFER_BYTES: Final = 4096
"""The least that the system holds for a frozen socket, so that it is soon full."""

FROZEN_PAUSE_S: Final = 2.0
GONE_S_MAX: Final = 120
BEFORE_LEAVING_S: Final = 2.0
POLL_S: Final = 0.25
IDLE_CORES_MAX: Final = 0.05
IDLE_SPAN_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Load:
    """How much."""

    sockets: int
    streams: int
    seconds: float
    rounds: int
    frozen: int
    vanishing: int


@dataclass(frozen=True, slots=True)
class Steady:
    """Ours and the peer in turn, and ours with ten times the messages."""

    ours: list[Take]
    peer: list[Take]
    ours_fast: Take
    peer_fast: Take
    ours_kb_per_socket: float
    peer_kb_per_socket: float


@dataclass(frozen=True, slots=True)
class Frozen:
    """With frozen clients and without, in turn."""

    without: list[Take]
    among: list[Take]
    ended: int
    """Frozen connections that the API had ended when all were counted."""

    too_slow: int
    """Of those, the ones that let too much wait or took nothing for too long."""

    seconds_until_gone: float
    mb_before: float
    mb_most: float


@dataclass(frozen=True, slots=True)
class Vanished:
    """Clients that went without a close."""

    how: str
    clients: int
    seconds_until_gone: float
    seconds_until_idle: float
    connections: int
    streams: int
    tasks_before: int
    tasks_after: int
    idle_cores: float
    mb_before: float
    mb_with: float
    mb_after: float


@dataclass(frozen=True, slots=True)
class Departure:
    """A way to vanish."""

    how: str
    before: Sequence[str] = ()
    """What starts the receivers where that can happen."""

    leave: Callable[[], None] | None = None
    """None for a kill."""


def list_streams(load: Load) -> list[str]:
    """Return the names of the streams that receivers follow."""
    return [f"push-{number}" for number in range(load.streams)]


@contextmanager
def audience_of(server: LiveServer, load: Load, folder: Path) -> Iterator[tuple[Audience, float]]:
    """Lend an audience and what each of its sockets holds of the server's memory, in kB."""
    before = server.process.read_resident_bytes()
    plan = Plan(load.sockets, load.streams)
    name = f"audience-{server.process.name}"
    with gather_audience(name, server.door, plan, folder) as audience:
        yield audience, (server.process.read_resident_bytes() - before) / load.sockets / 1e3


def play_steady(servers: Servers, load: Load) -> Steady:
    """Send at one and at ten messages a second of each stream, ours and the peer in turn."""
    streams = list_streams(load)
    with (
        run_api(servers) as api,
        run_peer(servers) as peer,
        audience_of(api, load, servers.folder) as (ours, ours_kb),
        audience_of(peer, load, servers.folder) as (theirs, theirs_kb),
    ):

        async def play() -> Steady:
            to_ours = Announcer(servers.redis_url, streams)
            to_peer = Announcer(servers.redis_url, streams, is_plain=True)
            turns = [(api.process, to_ours, ours), (peer.process, to_peer, theirs)]
            taken = [
                await take(*turn, rate=1, seconds=load.seconds)
                for _ in range(load.rounds)
                for turn in turns
            ]
            fast = [await take(*turn, rate=10, seconds=3 * load.seconds) for turn in turns]
            await to_ours.close()
            await to_peer.close()
            return Steady(taken[::2], taken[1::2], fast[0], fast[1], ours_kb, theirs_kb)

        return asyncio.run(play())


def play_frozen(servers: Servers, load: Load, rate: float) -> Frozen:
    """Measure the others while some read nothing, and while there are none."""
    announcer = Announcer(servers.redis_url, list_streams(load))
    plan = Plan(load.frozen, load.streams, FROZEN_BUFFER_BYTES)
    with run_api(servers) as api, audience_of(api, load, servers.folder) as (others, _):
        freeze = partial(gather_audience, door=api.door, plan=plan, folder=servers.folder)

        async def play() -> Frozen:
            turn = partial(take, api.process, announcer, others, rate=rate, seconds=load.seconds)
            # What the process needs to begin is not what the first round measures.
            await announcer.announce(rate, FROZEN_PAUSE_S)
            await asyncio.sleep(SETTLE_S)
            before = api.process.read_resident_bytes()
            without, among, held = [], [], [before]
            for number in range(load.rounds):
                without.append(await turn())
                with freeze(f"frozen-{number}") as frozen:
                    frozen.freeze()
                    await announcer.announce(rate, FROZEN_PAUSE_S)
                    # What is still on its way belongs to no span.
                    await asyncio.sleep(SETTLE_S)
                    among.append(await turn())
                    held.append(api.process.read_resident_bytes())
                await asyncio.to_thread(wait_until_gone, api, load.sockets)
            with freeze("frozen-last") as frozen:
                counted = (await asyncio.to_thread(api.read_health))["too_slow"]
                frozen.freeze()
                started = time.perf_counter()
                sending = asyncio.create_task(announcer.announce(rate, GONE_S_MAX))
                await asyncio.to_thread(wait_until_gone, api, load.sockets)
                seconds = time.perf_counter() - started
                sending.cancel()
                health = await asyncio.to_thread(api.read_health)
                held.append(api.process.read_resident_bytes())
            ended = load.sockets + load.frozen - health["connections"]
            slow = health["too_slow"] - counted
            return Frozen(without, among, ended, slow, seconds, before / 1e6, max(held) / 1e6)

        return asyncio.run(play())


def play_vanished(servers: Servers, load: Load) -> list[Vanished]:
    """Kill receivers, so that the system resets their sockets, and unplug the cable of others."""
    with plug_cable() as cable, run_api(servers, host=OURS) as api:
        departures = [Departure("first"), Departure("kill -9")]
        departures.append(Departure("cable unplugged", cable.before, cable.unplug))
        # What the process needs for its first clients stays; what each further one leaves counts.
        return [_vanish(servers, api, load, departure) for departure in departures][1:]


def _vanish(servers: Servers, api: LiveServer, load: Load, departure: Departure) -> Vanished:
    health, memory = api.read_health(), api.process.read_resident_bytes()
    plan = Plan(load.vanishing, load.streams)
    name = f"vanishing {departure.how}".replace(" ", "-")
    with gather_audience(name, api.door, plan, servers.folder, departure.before) as audience:
        leave = departure.leave or audience.kill
        gone, idle, held = asyncio.run(_watch_leaving(servers, api, load, leave))
        cores = read_cores(api)
        after = api.read_health()
    return Vanished(
        how=departure.how,
        clients=load.vanishing,
        seconds_until_gone=gone,
        seconds_until_idle=idle,
        connections=after["connections"],
        streams=after["streams"],
        tasks_before=health["tasks"],
        tasks_after=after["tasks"],
        idle_cores=cores,
        mb_before=memory / 1e6,
        mb_with=held / 1e6,
        mb_after=api.process.read_resident_bytes() / 1e6,
    )


async def _watch_leaving(
    servers: Servers, api: LiveServer, load: Load, leave: Callable[[], None]
) -> tuple[float, float, int]:
    """Let all clients leave while messages are sent; return when they were gone, and all idle."""
    announcer = Announcer(servers.redis_url, list_streams(load))
    sending = asyncio.create_task(announcer.announce(1, GONE_S_MAX))
    await asyncio.sleep(BEFORE_LEAVING_S)
    held, started = api.process.read_resident_bytes(), time.perf_counter()
    await asyncio.to_thread(leave)
    await asyncio.to_thread(wait_until_gone, api, 0)
    gone = time.perf_counter() - started
    await asyncio.to_thread(wait_until_idle, api)
    idle = time.perf_counter() - started
    sending.cancel()
    return gone, idle, held


def wait_until_gone(api: LiveServer, left: int) -> None:
    """Return when the API has no more connections than are left."""
    deadline = time.monotonic() + GONE_S_MAX
    while api.read_health()["connections"] > left and time.monotonic() < deadline:
        time.sleep(POLL_S)


def wait_until_idle(api: LiveServer) -> None:
    """Return when the API uses next to no processor time."""
    deadline = time.monotonic() + GONE_S_MAX
    while read_cores(api) > IDLE_CORES_MAX and time.monotonic() < deadline:
        continue


def read_cores(api: LiveServer) -> float:
    """Return the processor time that the API uses for each second."""
    cpu = api.process.read_cpu_seconds()
    time.sleep(IDLE_SPAN_S)
    return (api.process.read_cpu_seconds() - cpu) / IDLE_SPAN_S
