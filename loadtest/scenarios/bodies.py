"""Bodies: requests full of made-up events, written once and stamped when they are sent.

    draw_templates ──► bytes with marks ── stamp(stream, now) ──► NDJSON of this moment

Stamping is three replacements in bytes, microseconds for a body of any size we send: making
events must not be what limits the load.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

import orjson
import polars as pl

from loadtest.bench.chats import ChatOptions, draw_chats

Event: TypeAlias = dict[str, object]

STREAM: Final = "@stream@"
NOW: Final = "@now@"
LATE: Final = "@late@"

LATE_BY: Final = timedelta(minutes=1)
"""So much earlier is surely the minute before, which is thereby revised."""

TEMPLATES: Final = 8
"""After so many bodies the same texts come again."""


@dataclass(frozen=True, slots=True)
class Template:
    """A body without its stream and its time."""

    text: bytes
    events: int
    chats: int

    def stamp(self, stream_id: str, now: datetime) -> bytes:
        """Return the body as it is sent."""
        return (
            self.text.replace(STREAM.encode(), stream_id.encode())
            .replace(NOW.encode(), _write_time(now))
            .replace(LATE.encode(), _write_time(now - LATE_BY))
        )


def draw_templates(events: int, *, seed: int, late: bool = False) -> Sequence[Template]:
    """Draw bodies of so many events: chat, and where there is room a viewer count and a reading.

    With ``late`` one message more is of the minute before.
    """
    others = _write_others(late=late) if events > 2 else []
    chats = max(events - len(others), 1)
    drawn = pl.concat(draw_chats(ChatOptions(events=chats * TEMPLATES, streams=1, seed=seed)))
    marked = drawn.with_columns(stream_id=pl.lit(STREAM), timestamp=pl.lit(NOW))
    return [
        Template(
            text=marked.slice(number * chats, chats).write_ndjson().encode() + b"\n".join(others),
            events=chats + len(others),
            chats=chats + late * (events > 2),
        )
        for number in range(TEMPLATES)
    ]


def _write_others(*, late: bool) -> list[bytes]:
    viewers: Event = {"type": "viewers", "timestamp": NOW, "value": 1200}
    reading: Event = {"type": "reading", "timestamp": NOW, "channel": "heat", "value": 61.4}
    chat: Event = {"type": "chat", "timestamp": LATE, "user": "slow_one", "text": "am I late"}
    events = [viewers, reading, chat] if late else [viewers, reading]
    return [orjson.dumps({"stream_id": STREAM, **event}) for event in events]


def _write_time(at: datetime) -> bytes:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode()
