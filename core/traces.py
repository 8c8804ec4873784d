"""Traces: which request an entry of the bus came from, and the spans that tell what became of it.

    request ─► append ─► entry with a context ─► frame ─► commit ─► live messages

A context is a ``traceparent`` of W3C Trace Context, kept as text. Nothing here sends anything:
``streaming.traces`` has the tracer behind the port, and none where no collector is named.
"""

import re
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol, TypeAlias

LINKS_MAX: Final = 128
"""Contexts that one span names; more senders in one frame are not told apart by anybody."""

CONTEXT_LENGTH: Final = 55
"""Of a context in the one version there is; later ones may be longer and begin alike."""

_CONTEXT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-..")
_FLAGS: Final = re.compile(r"[0-9a-f]{2}")

Fact: TypeAlias = str | int | float | bool
Facts: TypeAlias = Mapping[str, Fact]


class Kind(StrEnum):
    """What a span is to the spans around it."""

    SERVER = "server"
    PRODUCER = "producer"
    CONSUMER = "consumer"
    CLIENT = "client"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a span comes from."""

    parent: str | None = None
    links: tuple[str, ...] = ()


class Span(Protocol):
    """A piece of work that is under way."""

    @property
    def context(self) -> str | None:
        """What others say to belong to it; None when it is not recorded."""
        ...

    def rename(self, name: str) -> None:
        """Take the name that was not known at the start."""
        ...

    def note(self, facts: Facts) -> None:
        """Add facts."""
        ...

    def fail(self) -> None:
        """Say that the work failed."""
        ...

    def end(self) -> None:
        """End before the block does; once."""
        ...


class Tracer(Protocol):
    """Begins spans, and sends those that ended to a collector."""

    def span(
        self, name: str, kind: Kind, facts: Facts, *, origin: Origin | None = None
    ) -> AbstractContextManager[Span]:
        """Lend a span for the length of a block; without an origin it belongs to the one around."""
        ...

    def stop(self) -> None:
        """Send what waits, for a moment, and let go of the connection."""
        ...


def read_context(text: str | None) -> str | None:
    """Return a context as it came from outside; None when it is none."""
    if text is None or not _CONTEXT.match(text) or not _FLAGS.fullmatch(text[53:CONTEXT_LENGTH]):
        return None
    if len(text) != CONTEXT_LENGTH and (text.startswith("00") or text[CONTEXT_LENGTH] != "-"):
        return None
    return text[:CONTEXT_LENGTH]


def trace_id_of(context: str) -> str:
    """Return which trace a context belongs to."""
    return context[3:35]


def join_contexts(contexts: Iterable[str | None]) -> Origin | None:
    """Return the origin of work that was done for several at once; None when none is traced.

    What all came of one request goes on in its trace. Else the work is a trace of its own, which
    links to all.
    """
    traced = [context for context in dict.fromkeys(contexts) if context is not None]
    if not traced:
        return None
    first, *others = traced
    if len({trace_id_of(context) for context in traced}) == 1:
        return Origin(first, tuple(others[:LINKS_MAX]))
    return Origin(None, tuple(traced[:LINKS_MAX]))
