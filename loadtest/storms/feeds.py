"""Feeds: events whose minutes are known, in the order a storm sends them.

    drawn by time -> some held back, some sent twice, some far too late -> entries for the bus

The expectation is worked out in plain Python from what was drawn, by nothing that the flow uses.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

Event: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[str, datetime]

TEXTS: Final = ("what a play", "Kappa", "LUL LUL", "again", "gg Kappa LUL", "nice one", "hello")
EMOTES: Final = frozenset({"Kappa", "LUL"})
KINDS: Final = ("bits", "donation")

HELD_BACK: Final = timedelta(minutes=4)
"""How late an event may come and still count: a minute less than the flow allows."""

TOO_LATE: Final = timedelta(minutes=9)
"""How long an event is held back that must not count."""


@dataclass(frozen=True, slots=True)
class FeedOptions:
    """What a storm sends."""

    started_at: datetime
    minutes: int = 40
    events: int = 200_000
    streams: int = 30
    late: float = 0.10
    repeated: float = 0.05
    too_late: float = 0.002
    seed: int = 7


@dataclass(slots=True)
class ExpectedMinute:
    """What a minute of a stream must hold."""

    chatters: Counter[str] = field(default_factory=Counter)
    emotes: Counter[str] = field(default_factory=Counter)
    viewers: list[int] = field(default_factory=list)
    readings: list[float] = field(default_factory=list)
    transactions: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Feed:
    """Events in the order of sending, and what must come of them."""

    events: list[Event]
    minutes: dict[Key, ExpectedMinute]
    late: int


def draw_feed(options: FeedOptions) -> Feed:
    """Draw a feed; the same options give the same one."""
    rng = random.Random(options.seed)  # noqa: S311 - the same events every time.
    minutes: defaultdict[Key, ExpectedMinute] = defaultdict(ExpectedMinute)
    sent: list[tuple[datetime, int, Event]] = []
    late = 0
    span_s = options.minutes * 60
    for number in range(options.events):
        at = options.started_at + timedelta(seconds=span_s * number / options.events)
        event = _draw_event(rng, options, number, at)
        turn = rng.random()
        if turn < options.too_late and at + TOO_LATE < options.started_at + timedelta(
            seconds=span_s
        ):
            late += 1
            sent.append((at + TOO_LATE, number, event))
            continue
        _expect(minutes[event["stream_id"], at.replace(second=0, microsecond=0)], event)
        delay = HELD_BACK * rng.random() if turn < options.late else timedelta(0)
        sent.append((at + delay, number, event))
        if rng.random() < options.repeated:
            again = delay + (HELD_BACK - delay) * rng.random()
            sent.append((at + again, number, event))
    sent.sort(key=lambda item: item[:2])
    return Feed([event for _, _, event in sent], dict(minutes), late)


def cut_feed(events: list[Event], size: int) -> Iterator[list[Event]]:
    """Cut events into requests."""
    for place in range(0, len(events), size):
        yield events[place : place + size]


def _draw_event(rng: random.Random, options: FeedOptions, number: int, at: datetime) -> Event:
    stream_id = f"stream-{rng.randrange(options.streams)}"
    event: Event = {"stream_id": stream_id, "timestamp": at, "id": f"e{number}"}
    kind = rng.random()
    if kind < 0.8:
        user = f"user{rng.randrange(500)}"
        return event | {"type": "chat", "user": user, "text": rng.choice(TEXTS)}
    if kind < 0.88:
        return event | {"type": "viewers", "value": float(rng.randrange(10_000))}
    if kind < 0.97:
        value = rng.randrange(-8_000, 8_000) / 8
        return event | {"type": "reading", "channel": "temp", "value": value}
    amount = float(rng.randrange(1, 500))
    return event | {"type": "transaction", "kind": rng.choice(KINDS), "amount": amount}


def _expect(minute: ExpectedMinute, event: Event) -> None:
    match event["type"]:
        case "chat":
            minute.chatters[event["user"]] += 1
            minute.emotes.update(word for word in event["text"].split() if word in EMOTES)
        case "viewers":
            minute.viewers.append(int(event["value"]))
        case "reading":
            minute.readings.append(event["value"])
        case _:
            minute.transactions[event["kind"]] += int(event["amount"])
