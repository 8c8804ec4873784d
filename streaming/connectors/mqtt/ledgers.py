"""Ledgers: which delivery was called what, so that one that is repeated is called the same.

    first delivery, packet 7 -> "a1-42", arrived 10:00:00.250
    connector or broker dies before the broker knows that we have it
    delivered again, packet 7, marked as a repeat, same bytes -> "a1-42", arrived 10:00:00.250

A broker repeats only what it is not known to have handed over, under the same packet number. That
is a part of the newest deliveries, so only these are kept, on disk as well: what was written before
a process was killed is there when the next one starts. After a power cut a few may be missing.
"""

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

REMEMBERED: Final = 5000
"""More than twice the largest batch: names are given a batch at a time, and only those of which the
broker may not have heard yet are asked for again, however far ahead it hands over."""

LINES_MAX: Final = 4 * REMEMBERED
"""A file with more is written anew."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a broker handed over."""

    packet: int
    topic: str
    payload: bytes
    is_repeat: bool

    def digest(self) -> str:
        """Return what tells it from another one with the same packet number."""
        return blake2b(self.topic.encode() + b"\0" + self.payload, digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Known:
    """What a delivery is called, and when it came first."""

    id: str
    arrived_ms: int


class Ledger:
    """The newest deliveries of one session."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: OrderedDict[int, tuple[str, Known]] = OrderedDict()
        self._unsaved: list[int] = []
        self._lines = 0
        self._run_id = secrets.token_hex(6)
        self._count = 0
        self._load()

    def name(self, delivery: Delivery, now_ms: int) -> Known:
        """Return what a delivery is called."""
        digest = delivery.digest()
        if delivery.is_repeat:
            found = self._known.get(delivery.packet)
            if found is not None and found[0] == digest:
                return found[1]
        known = self.make(now_ms)
        self._put(delivery.packet, digest, known)
        self._unsaved.append(delivery.packet)
        return known

    def make(self, now_ms: int) -> Known:
        """Return a new name, for what is never repeated."""
        self._count += 1
        return Known(f"mqtt-{self._run_id}-{self._count}", now_ms)

    def save(self) -> None:
        """Write the new names down; before anything is sent under them."""
        packets = [packet for packet in dict.fromkeys(self._unsaved) if packet in self._known]
        self._unsaved.clear()
        if self._lines + len(packets) > LINES_MAX:
            self._rewrite()
        elif packets:
            with self._path.open("a", encoding="ascii") as file:
                file.write("".join(map(self._write, packets)))
            self._lines += len(packets)

    def _rewrite(self) -> None:
        part = self._path.with_name(f"{self._path.name}.part")
        part.write_text("".join(map(self._write, self._known)), encoding="ascii")
        part.replace(self._path)
        self._lines = len(self._known)

    def _write(self, packet: int) -> str:
        digest, known = self._known[packet]
        return f"{packet} {digest} {known.id} {known.arrived_ms}\n"

    def _put(self, packet: int, digest: str, known: Known) -> None:
        self._known.pop(packet, None)
        self._known[packet] = digest, known
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def _load(self) -> None:
        if not self._path.exists():
            return
        for line in self._path.read_text(encoding="ascii", errors="replace").splitlines():
            match line.split(" "):
                case [packet, digest, name, arrived] if packet.isdecimal() and arrived.isdecimal():
                    self._put(int(packet), digest, Known(name, int(arrived)))
                # A line that a crash has cut is of a delivery that nothing was sent of.
        self._rewrite()
