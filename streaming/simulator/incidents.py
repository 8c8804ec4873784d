"""Incidents: the unusual things that are planned to happen, the truth that tests compare with.

``scenarios`` say which kinds come how often, ``plans`` when and where, ``labels`` write them down;
the generators of events make them felt.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

IncidentKind: TypeAlias = Literal[
    "raid",
    "launch",
    "silence",
    "chat_drop",
    "viewer_drop",
    "spike",
    "drift",
    "stuck",
    "noise",
    "dropout",
]

FAULT_KINDS: Final[tuple[IncidentKind, ...]] = ("spike", "drift", "stuck", "noise", "dropout")
"""What befalls a channel; the others befall all that people do in a stream."""

Range: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Effect:
    """What a kind of incident does to a stream: factors, drawn anew for each incident."""

    chat: Range = (1.0, 1.0)
    viewers: Range = (1.0, 1.0)
    gifts: Range = (1.0, 1.0)
    """Of transactions per message; those follow the chat by themselves."""

    rise_s: float = 4.0
    """Until it is felt in full."""

    chat_fade_s: float = 15.0
    """In which what is left of it falls to a third, once it is over; 0 ends it at once."""

    viewers_fade_s: float = 90.0


NOTHING: Final = Effect(rise_s=0.0)

EFFECTS: Final[dict[IncidentKind, Effect]] = {
    "raid": Effect(chat=(3.0, 5.0), viewers=(1.5, 3.0)),
    "launch": Effect(
        chat=(2.0, 3.0),
        viewers=(2.0, 3.5),
        gifts=(2.5, 3.5),
        rise_s=240.0,
        chat_fade_s=45.0,
        viewers_fade_s=60.0,
    ),
    "silence": Effect(
        chat=(0.0, 0.0), viewers=(0.0, 0.0), rise_s=0.0, chat_fade_s=0.0, viewers_fade_s=0.0
    ),
    "chat_drop": Effect(chat=(0.05, 0.15), rise_s=0.0, chat_fade_s=5.0),
    "viewer_drop": Effect(viewers=(0.2, 0.4), rise_s=10.0, viewers_fade_s=20.0),
}
"""A fault is as large as its channel says instead."""


@dataclass(frozen=True, slots=True)
class Incident:
    """Something unusual in one stream, from ``start_ms`` until before ``end_ms``."""

    stream_id: str
    kind: IncidentKind
    start_ms: int
    end_ms: int
    channel: str | None = None
    """The channel that has the fault; None for what befalls a stream."""

    chat_factor: float = 1.0
    viewers_factor: float = 1.0
    gifts_factor: float = 1.0

    @property
    def effect(self) -> Effect:
        """How this kind of incident comes and goes."""
        return EFFECTS.get(self.kind, NOTHING)

    @property
    def peak_ms(self) -> int:
        """When it is first felt in full."""
        if self.kind == "drift":
            return self.end_ms
        return min(self.start_ms + round(self.effect.rise_s * 1000), self.end_ms)
