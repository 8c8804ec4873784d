"""Sequences: whether a live client was told everything, by the rules of ``docs/live.md``.

    seq          counts the messages of one connection from 0; only `dropped` explains a gap
    position     numbers what is never to be missed; the same for everybody
    chat_count   of metrics and minutes: the last to arrive counts

A ``Watch`` lasts as long as a client, over all its connections. Nothing here does I/O.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias

Message: TypeAlias = Mapping[str, Any]
MinuteKey: TypeAlias = tuple[str, datetime]
"""A stream and the start of its minute."""

NUMBERS: Final = frozenset({"metrics", "minute"})


@dataclass(slots=True)
class Sequence:
    """The numbers of one connection."""

    expected: int = 0
    missing: int = 0
    """Numbers left out that nothing has explained yet."""

    gaps: int = 0
    """Numbers left out, repeated or turned back without explanation."""

    def take(self, message: Message) -> None:
        """Count one message."""
        seq = message.get("seq")
        if not isinstance(seq, int) or seq < self.expected:
            self.gaps += 1
            return
        self.missing += seq - self.expected
        self.expected = seq + 1
        if message.get("type") == "dropped":
            self.missing = max(self.missing - int(message.get("count", 0)), 0)

    def close(self) -> int:
        """Return how much was left out in the end."""
        return self.gaps + self.missing


@dataclass(slots=True)
class Told:
    """The positions that anybody was told of, for each stream: what all should have."""

    positions: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))


@dataclass(slots=True)
class Watch:
    """What one client knows, and where it would go on."""

    told: Told
    streams: tuple[str, ...] = ()
    position: int | None = None
    """The last one seen, as a client remembers it."""

    views: dict[tuple[str, str], int] = field(default_factory=dict)
    """Messages of each minute it heard of, its start as it was written."""

    resumes: int = 0
    resumed: int = 0
    gaps: int = 0
    is_waiting: bool = False
    """Whether it asked and was not answered yet."""

    has_forgotten: bool = False
    """Whether it was told that something was left out, and had to begin anew."""

    _sequence: Sequence = field(default_factory=Sequence)
    _seen: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    _since: dict[str, int] = field(default_factory=dict)
    """From where on a stream's positions are expected."""

    def connect(self) -> None:
        """Begin a connection, which counts from 0."""
        self.gaps += self._sequence.close()
        self._sequence = Sequence()

    def ask(self) -> None:
        """Take note that it asks to go on from its position."""
        self.resumes += 1
        self.is_waiting = True

    def take(self, message: Message) -> None:
        """Take note of one message."""
        self._sequence.take(message)
        kind, position = message.get("type"), message.get("position")
        if kind == "connected":
            # That of a greeting counts only for who was never here.
            self.position = self.position if self.position is not None else position
        elif kind == "resumed":
            self._resume(message)
        elif position is not None:
            self._keep(str(message["stream_id"]), int(position))
        if kind in NUMBERS:
            row = message["data"]
            self.views[message["stream_id"], row["window_start"]] = row["chat_count"]
        if kind == "dropped" and message["count"] > message["replaced"]:
            # Minutes were skipped and said to be: they are to be read over HTTP.
            self._forget()

    def close(self) -> None:
        """End the watch."""
        self.connect()

    def count_expected(self) -> int:
        """Return how many positions it should have."""
        return sum(len(expected) for _, expected in self._expect())

    def count_delivered(self) -> int:
        """Return how many of them it has."""
        return sum(len(expected & self._seen[stream]) for stream, expected in self._expect())

    def compare_views(self, stored: Mapping[MinuteKey, int]) -> tuple[int, int]:
        """Return how many stored minutes it should show, and how many it shows as they are."""
        shown = {(stream, read_time(start)): count for (stream, start), count in self.views.items()}
        wanted = right = 0
        for stream in self.streams:
            minutes = [minute for name, minute in stored if name == stream]
            seen = [minute for name, minute in shown if name == stream]
            if not seen:
                # The first picture alone has the newest minute.
                wanted += bool(minutes) and not self.has_forgotten
                continue
            judged = [minute for minute in minutes if minute >= min(seen)]
            wanted += len(judged)
            right += sum(shown.get((stream, m)) == stored[stream, m] for m in judged)
        return wanted, right

    def _expect(self) -> Iterable[tuple[str, set[int]]]:
        for stream, since in self._since.items():
            yield stream, {one for one in self.told.positions[stream] if one > since}

    def _keep(self, stream: str, position: int) -> None:
        self.position = position
        self.told.positions[stream].add(position)
        self._seen[stream].add(position)
        # Without a promise from the start, the first one seen is where it starts.
        self._since.setdefault(stream, position - 1)

    def _resume(self, message: Message) -> None:
        was_asked, self.is_waiting = self.is_waiting, False
        if message.get("complete"):
            self.resumed += was_asked
            for stream in self.streams:
                self._since.setdefault(stream, self.position or 0)
        else:
            self.position = message.get("position", self.position)
            self._forget()

    def _forget(self) -> None:
        """Expect nothing of what came before; the next one seen is where it starts again."""
        self.has_forgotten = True
        self._since.clear()
        self._seen.clear()
        self.views.clear()


def read_time(text: str) -> datetime:
    """Read a time as messages and rows write it."""
    return datetime.fromisoformat(text)
