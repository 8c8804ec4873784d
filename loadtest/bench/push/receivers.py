"""Receivers: a process that holds very many live sockets and checks every message on each.

    python -m loadtest.bench.push.receivers --port 8000 --sockets 2000 --streams 100

Each socket follows one stream. It prints one JSON line when all of them are served, and another at
each SIGUSR1: what came since the last one. Bytes are read where they lie, nothing is parsed but
what is no announcement, and nothing is awaited, so that the receiver is not what is measured.
"""

import argparse
import asyncio
import os
import signal
import socket
import sys
import time
from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import Final, cast

import orjson
import uvloop
from typing_extensions import override

from loadtest.bench.push.bodies import (
    AT,
    AT_DIGITS,
    FIRST_MOMENT,
    NUMBER_AFTER,
    NUMBER_DIGITS,
    read_clock,
)
from loadtest.bench.push.frames import (
    CLOSE,
    PING,
    PONG,
    TEXT,
    find_frames,
    write_frame,
    write_handshake,
)
from loadtest.bench.spreads import find_percentile

TOGETHER_MAX: Final = 50
"""Sockets that are opened at the same time."""

SEQ: Final = b'{"seq":'


@dataclass(slots=True)
class Ledger:
    """What all sockets saw since the last report."""

    delays: "array[int]" = field(default_factory=lambda: array("q"))
    moments: int = 0
    missed: int = 0
    missed_moments: int = 0
    repeated: int = 0
    out_of_sequence: int = 0
    told: Counter[str] = field(default_factory=Counter)
    """Other messages by their type."""

    closed: Counter[str] = field(default_factory=Counter)
    """Sockets that ended, by the code of the server."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Where to connect, and how."""

    host: str
    port: int
    is_plain: bool
    """Whether it is the peer, which numbers nothing and knows streams by address only."""

    buffer_bytes: int
    """How much the system may hold for a socket; 0 leaves it to the system."""


class Receiver(asyncio.Protocol):
    """One socket."""

    def __init__(self, wish: Wish, stream_id: str, book: list[Ledger]) -> None:
        self._wish = wish
        self._stream_id = stream_id
        self._book = book
        self._rest = b""
        self._is_open = False
        self._sequence = 0
        self._next = {False: 0, True: 0}
        """The number that comes next, of metrics and of moments."""

        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Those of uvloop are none of asyncio's own class.
        self._transport = cast("asyncio.Transport", transport)
        path = f"/ws/live/{self._stream_id}" if self._wish.is_plain else "/ws/live"
        self._transport.write(write_handshake(self._wish.host, path))

    @override
    def data_received(self, data: bytes) -> None:
        now = read_clock()
        if self._rest:
            data = self._rest + data
        if not self._is_open:
            data = self._open(data)
        end = 0
        for opcode, start, end in find_frames(data):
            if opcode == TEXT:
                self._see(data, start, end, now)
            elif opcode == PING:
                self._transport.write(write_frame(PONG, data[start:end]))
            elif opcode == CLOSE:
                self._book[0].closed[str(int.from_bytes(data[start : start + 2]))] += 1
                self._transport.close()
        self._rest = data[end:]

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(exc or ConnectionResetError("closed before it was served"))
        self._book[0].closed["lost" if exc else "ended"] += 1

    def _open(self, data: bytes) -> bytes:
        head, found, rest = data.partition(b"\r\n\r\n")
        if not found:
            return data
        if b" 101 " not in head:
            raise ConnectionRefusedError(head)
        self._is_open = True
        if not self._wish.is_plain:
            subscribe = orjson.dumps({"type": "subscribe", "streams": [self._stream_id]})
            # What is asked second is answered after the subscription.
            self._transport.write(write_frame(TEXT, subscribe))
            self._transport.write(write_frame(TEXT, b'{"type":"ping"}'))
        return rest

    def _see(self, data: bytes, start: int, end: int, now: int) -> None:
        ledger = self._book[0]
        if not self._wish.is_plain:
            digits = start + len(SEQ)
            sequence = int(data[digits : data.index(b",", digits)])
            ledger.out_of_sequence += sequence != self._sequence
            self._sequence = sequence + 1
        at = data.find(AT, start, end)
        if at < 0:
            self._hear(orjson.loads(data[start:end]))
            return
        ledger.delays.append(now - int(data[at + len(AT) : at + len(AT) + AT_DIGITS]))
        at += NUMBER_AFTER
        self._count(ledger, int(data[at : at + NUMBER_DIGITS]))

    def _count(self, ledger: Ledger, number: int) -> None:
        is_moment = number >= FIRST_MOMENT
        awaited = self._next[is_moment] or number
        self._next[is_moment] = number + 1
        ledger.moments += is_moment
        if number > awaited:
            ledger.missed += number - awaited
            ledger.missed_moments += is_moment * (number - awaited)
        elif number < awaited:
            ledger.repeated += 1

    def _hear(self, message: dict[str, object]) -> None:
        kind = str(message["type"])
        self._book[0].told[kind] += 1
        if kind == ("connected" if self._wish.is_plain else "pong") and not self.ready.done():
            self.ready.set_result(None)


def say(event: str, **facts: object) -> None:
    """Print one JSON line."""
    sys.stdout.write(orjson.dumps({"event": event, **facts}).decode() + "\n")
    sys.stdout.flush()


def report(book: list[Ledger]) -> None:
    """Say what came since the last report."""
    ledger, book[0] = book[0], Ledger()
    percentiles = [
        find_percentile(ledger.delays, percent) / 1e6 if ledger.delays else None
        for percent in (50, 99, 100)
    ]
    say(
        "reported",
        delivered=len(ledger.delays),
        moments=ledger.moments,
        missed=ledger.missed,
        missed_moments=ledger.missed_moments,
        repeated=ledger.repeated,
        out_of_sequence=ledger.out_of_sequence,
        told=ledger.told,
        closed=ledger.closed,
        delays_ms=percentiles,
        cpu_s=time.process_time(),
    )


async def receive(wish: Wish, sockets: int, streams: int) -> None:
    """Open all sockets and report when asked, until the process is stopped."""
    loop = asyncio.get_running_loop()
    book = [Ledger()]
    slots = asyncio.Semaphore(TOGETHER_MAX)

    async def connect(number: int) -> None:
        raw = socket.socket()
        raw.setblocking(False)
        if wish.buffer_bytes:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, wish.buffer_bytes)
        async with slots:
            await loop.sock_connect(raw, (wish.host, wish.port))
            name = f"push-{number % streams}"
            _, receiver = await loop.create_connection(lambda: Receiver(wish, name, book), sock=raw)
            await receiver.ready

    loop.add_signal_handler(signal.SIGUSR1, report, book)
    await asyncio.gather(*(connect(number) for number in range(sockets)))
    say("connected", sockets=sockets, pid=os.getpid())
    await asyncio.Event().wait()


def main() -> None:
    """Receive what the options name."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.bench.push.receivers")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--sockets", type=int, required=True)
    parser.add_argument("--streams", type=int, required=True)
    parser.add_argument("--buffer-bytes", type=int, default=0)
    parser.add_argument("--plain", action="store_true", help="the peer's door")
    options = parser.parse_args()
    wish = Wish(options.host, options.port, options.plain, options.buffer_bytes)
    uvloop.run(receive(wish, options.sockets, options.streams))


if __name__ == "__main__":
    main()
