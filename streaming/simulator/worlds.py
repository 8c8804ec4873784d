"""Worlds: everything that happens in the streams of a demo, as a pure function of seed and time.

    plan -> blocks of ten seconds -> rows of each type -> any interval, cut out of them

The same seed, streams and rate give the same events with the same ids, however the interval is cut.
"""

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from streaming.simulator.blocks import BLOCK_MS, Block, Event, Rows, format_times
from streaming.simulator.chats import generate_chats
from streaming.simulator.incidents import Incident, Plan
from streaming.simulator.profiles import Profile
from streaming.simulator.raids import generate_raids
from streaming.simulator.readings import generate_readings
from streaming.simulator.seeds import make_seed
from streaming.simulator.transactions import generate_transactions
from streaming.simulator.viewers import generate_viewers

RATE_USUAL: Final = 60.0
"""Chat events per second of all streams together."""

FADE_MS: Final = 600_000
"""How long an incident is looked back for; by then nothing of it is felt any more."""

Generator = Callable[[Block], Rows]

CHAT_GENERATORS: Final[tuple[Generator, ...]] = (
    generate_raids,
    generate_viewers,
    generate_chats,
    generate_transactions,
)


class World:
    """Streams in which something happens."""

    def __init__(self, seed: int, profiles: Sequence[Profile], rate: float = RATE_USUAL) -> None:
        self.profiles = tuple(profiles)
        self._seed = seed
        self._rate = rate / (sum(profile.chat_share for profile in profiles) or 1)
        self._plan = Plan(seed, self.profiles)
        self._rows = lru_cache(maxsize=2 * len(self.profiles))(self._generate_rows)
        self._incidents_near = lru_cache(maxsize=2)(self._list_incidents_near)

    def events_between(
        self, start_ms: int, end_ms: int, stream_ids: Collection[str] | None = None
    ) -> list[Event]:
        """Return what happens from one time until before another, in the order of time.

        Args:
            start_ms: Milliseconds since 1970.
            end_ms: The same.
            stream_ids: Only these streams; None for all.
        """
        blocks_ms = range(start_ms // BLOCK_MS * BLOCK_MS, end_ms, BLOCK_MS)
        parts = [
            self._rows(profile, block_ms).cut(start_ms, end_ms)
            for profile in self.profiles
            if stream_ids is None or profile.stream_id in stream_ids
            for block_ms in blocks_ms
        ]
        return Rows.merge(parts).events

    def incidents_between(self, start_ms: int, end_ms: int) -> list[Incident]:
        """Return the incidents of which some part lies in the interval, oldest first."""
        return self._plan.list_between(start_ms, end_ms)

    def starts_at(self, at_ms: int, stream_ids: Collection[str]) -> list[Event]:
        """Return the events that say that these streams begin at a time."""
        return [
            {
                "stream_id": profile.stream_id,
                "type": "meta",
                "timestamp": format_times(np.array([at_ms]))[0],
                "event": "stream_start",
                "title": profile.title,
                "id": f"{make_seed(self._seed, profile.stream_id, 'start', at_ms):016x}",
            }
            for profile in self.profiles
            if profile.stream_id in stream_ids
        ]

    def _generate_rows(self, profile: Profile, block_ms: int) -> Rows:
        """Return all events of a block, numbered."""
        near = self._incidents_near(block_ms)
        block = Block(
            seed=self._seed,
            profile=profile,
            chat_rate=self._rate * profile.chat_share,
            start_ms=block_ms,
            incidents=tuple(each for each in near if each.stream_id == profile.stream_id),
        )
        parts = [generate(block) for generate in CHAT_GENERATORS] if profile.chat_share else []
        rows = Rows.merge([*parts, generate_readings(block)])
        stem = block.make_id_stem()
        for number, event in enumerate(rows.events):
            event["id"] = f"{stem}{number:x}"
        return rows

    def _list_incidents_near(self, block_ms: int) -> list[Incident]:
        return self._plan.list_between(block_ms - FADE_MS, block_ms + BLOCK_MS)
