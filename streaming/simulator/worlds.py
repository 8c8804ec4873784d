"""Worlds: everything that happens in the streams of a demo, as a pure function of seed and time.

    plan -> blocks of ten seconds -> rows of each type -> any interval, cut out of them

The same seed, streams, rate and scenario give the same events with the same ids, however the
interval is cut. Where no incident is felt, all scenarios are the same.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from streaming.simulator.blocks import BLOCK_MS, Block
from streaming.simulator.chats import generate_chats
from streaming.simulator.incidents import Incident
from streaming.simulator.paces import Paces
from streaming.simulator.plans import Plan
from streaming.simulator.profiles import Profile
from streaming.simulator.raids import generate_raids
from streaming.simulator.readings import generate_readings
from streaming.simulator.rows import FloatArray, Records, Rows
from streaming.simulator.scenarios import USUAL, Scenario
from streaming.simulator.seeds import make_seed
from streaming.simulator.transactions import generate_transactions
from streaming.simulator.viewers import generate_viewers

RATE_USUAL: Final = 60.0
"""Messages per second of all streams together."""

FADE_MS: Final = 600_000
"""How long an incident is looked back for; by then nothing of it is felt any more."""

BLOCKS_KEPT: Final = 2
"""An interval may lie in two; at the highest rate one takes about 80 MB."""

Generator = Callable[[Block], Records]

CHAT_GENERATORS: Final[tuple[Generator, ...]] = (
    generate_raids,
    generate_viewers,
    generate_chats,
    generate_transactions,
)


class World:
    """Streams in which something happens."""

    def __init__(
        self,
        seed: int,
        profiles: Sequence[Profile],
        chat_rate: float = RATE_USUAL,
        scenario: Scenario = USUAL,
    ) -> None:
        self.seed = seed
        self.profiles = tuple(profiles)
        self.chat_rate = chat_rate
        self.scenario = scenario
        self._rate = chat_rate / (sum(profile.chat_share for profile in profiles) or 1)
        self._paces = Paces(seed, self.profiles, chat_rate)
        self._plan = Plan(seed, self.profiles, scenario)
        self._block_rows = lru_cache(maxsize=BLOCKS_KEPT)(self._generate_rows)

    def rows_between(
        self, start_ms: int, end_ms: int, stream_ids: Collection[str] | None = None
    ) -> Iterator[Rows]:
        """Generate what happens from one time until before another, in the order of time.

        Args:
            start_ms: Milliseconds since 1970.
            end_ms: The same.
            stream_ids: Only these streams; None for all.
        """
        wanted = tuple(
            place
            for place, profile in enumerate(self.profiles)
            if stream_ids is None or profile.stream_id in stream_ids
        )
        if not wanted:
            return
        for block_ms in range(start_ms // BLOCK_MS * BLOCK_MS, end_ms, BLOCK_MS):
            yield self._block_rows(block_ms, wanted).cut(start_ms, end_ms)

    def incidents_between(self, start_ms: int, end_ms: int) -> list[Incident]:
        """Return the incidents of which some part lies in the interval, oldest first."""
        return self._plan.list_between(start_ms, end_ms)

    def starts_at(self, at_ms: int, stream_ids: Collection[str]) -> list[dict[str, object]]:
        """Return the events that say that these streams begin at a time."""
        at = np.datetime64(at_ms, "ms")
        return [
            {
                "stream_id": profile.stream_id,
                "type": "meta",
                "timestamp": str(np.datetime_as_string(at, unit="ms", timezone="UTC")),
                "event": "stream_start",
                "title": profile.title,
                "id": f"{make_seed(self.seed, profile.stream_id, 'start', at_ms):016x}",
            }
            for profile in self.profiles
            if profile.stream_id in stream_ids
        ]

    def _generate_rows(self, block_ms: int, places: tuple[int, ...]) -> Rows:
        """Return all events of ten seconds in the streams at some places."""
        near: dict[str, list[Incident]] = {}
        for each in self._plan.list_between(block_ms - FADE_MS, block_ms + BLOCK_MS):
            near.setdefault(each.stream_id, []).append(each)
        paces = self._paces.find(block_ms)
        return Rows.merge(
            [
                self._generate_stream(
                    place, block_ms, paces[place], near.get(self.profiles[place].stream_id, [])
                )
                for place in places
            ]
        )

    def _generate_stream(
        self, place: int, block_ms: int, pace: FloatArray, incidents: Sequence[Incident]
    ) -> Rows:
        """Return the events of a block, numbered."""
        profile = self.profiles[place]
        chat_share = self._rate * profile.chat_share
        block = Block(self.seed, profile, chat_share, block_ms, pace, tuple(incidents))
        parts = [generate(block) for generate in CHAT_GENERATORS] if profile.chat_share else []
        records = np.concatenate([*parts, generate_readings(block)])
        records["stream"], records["number"] = place, np.arange(len(records))
        return Rows(records, (block.make_id_stem(),))
