"""Takes: one span of announcements, and what it took to deliver them."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any, Final

from loadtest.bench.processes import Process
from loadtest.bench.push.announcers import Announcer
from loadtest.bench.push.audiences import Audience

SETTLE_S: Final = 1.0
"""How long what was published may be on its way before it counts as not delivered."""


@dataclass(frozen=True, slots=True)
class Take:
    """What one span found."""

    server: str
    sockets: int
    rate: float
    """Deliveries a second."""

    expected: int
    delivered: int
    moments: int
    missed_moments: int
    repeated: int
    out_of_sequence: int
    dropped: int
    """Messages in which the server said that it left something out."""

    p50_ms: float
    p99_ms: float
    most_ms: float
    server_cores: float
    server_us_per_delivery: float
    server_mb: float
    receiver_cores: float

    @property
    def is_whole(self) -> bool:
        """Whether everything came once, and in order."""
        wrong = self.missed_moments + self.repeated + self.out_of_sequence + self.dropped
        return self.delivered == self.expected and not wrong


async def take(
    server: Process, announcer: Announcer, audience: Audience, *, rate: float, seconds: float
) -> Take:
    """Announce for a while, and say what the audience got."""
    before = await asyncio.to_thread(audience.report)
    streams_share = audience.sockets / announcer.streams_count
    cpu, started = server.read_cpu_seconds(), time.perf_counter()
    announced = await announcer.announce(rate, seconds)
    await asyncio.sleep(SETTLE_S)
    used, took = server.read_cpu_seconds() - cpu, time.perf_counter() - started
    found: dict[str, Any] = await asyncio.to_thread(audience.report)
    p50, p99, most = found["delays_ms"]
    return Take(
        server=server.name,
        sockets=audience.sockets,
        rate=found["delivered"] / announced.seconds,
        expected=round(announced.messages * streams_share),
        delivered=found["delivered"],
        moments=found["moments"],
        missed_moments=found["missed_moments"],
        repeated=found["repeated"],
        out_of_sequence=found["out_of_sequence"],
        dropped=found["told"].get("dropped", 0),
        p50_ms=p50,
        p99_ms=p99,
        most_ms=most,
        server_cores=used / took,
        server_us_per_delivery=used / found["delivered"] * 1e6,
        server_mb=server.read_resident_bytes() / 1e6,
        receiver_cores=(found["cpu_s"] - before["cpu_s"]) / took,
    )
