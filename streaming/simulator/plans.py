"""Plans: when and where the incidents of a scenario come; a pure function of the seed and the time.

    policy, slot, lane -> where, what, when

A lane is as many streams as the cast has, so that twenty times as many streams see twenty times as
many incidents. Within a policy, no place is hit twice at a time.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, TypeAlias

import numpy as np

from streaming.simulator.incidents import EFFECTS, NOTHING, Incident
from streaming.simulator.profiles import CAST, Profile
from streaming.simulator.scenarios import USUAL, Scenario, SlotPolicy
from streaming.simulator.seeds import make_rng

SLOTS_KEPT: Final = 8192
"""Slots, each of one policy and lane, that are remembered: blocks ask for the same ones again."""

Place: TypeAlias = tuple[str, str | None]
"""A stream, and the channel of it that is meant."""


class Plan:
    """Knows every incident of a world."""

    def __init__(
        self, seed: int, profiles: tuple[Profile, ...], scenario: Scenario = USUAL
    ) -> None:
        self._seed = seed
        self._scenario = scenario
        self._places = {policy: list(_list_lanes(policy, profiles)) for policy in scenario.policies}
        self._find_in_slot = lru_cache(maxsize=SLOTS_KEPT)(self._draw_slot)

    def list_between(self, start_ms: int, end_ms: int) -> list[Incident]:
        """Return the incidents of which some part lies in the interval, oldest first."""
        found = [
            incident
            for policy in self._scenario.policies
            for slot in range(start_ms // policy.slot_ms, end_ms // policy.slot_ms + 1)
            for lane in range(len(self._places[policy]))
            for incident in self._find_in_slot(policy, slot, lane)
            if incident.start_ms < end_ms and incident.end_ms > start_ms
        ]
        return sorted(found, key=lambda incident: incident.start_ms)

    def _draw_slot(self, policy: SlotPolicy, slot: int, lane: int) -> tuple[Incident, ...]:
        places = self._places[policy][lane]
        rng = make_rng(self._seed, policy.name, slot, lane)
        start_s = slot * policy.slot_s + int(rng.integers(policy.delay_s_max))
        length_s = int(rng.integers(policy.length_s_min, policy.length_s_max, endpoint=True))
        hits = len(places) if policy.hits is None else min(policy.hits, len(places))
        hit = rng.choice(len(places), hits, replace=False).tolist()
        span = start_s * 1000, (start_s + length_s) * 1000
        return tuple(_draw(policy, places[place], span, rng) for place in hit)


def _draw(
    policy: SlotPolicy, place: Place, span: tuple[int, int], rng: np.random.Generator
) -> Incident:
    """Return an incident at a place, of a kind and of a size that are drawn."""
    kind = policy.kinds[int(rng.integers(len(policy.kinds)))]
    effect = EFFECTS.get(kind, NOTHING)
    least, most = zip(effect.chat, effect.viewers, effect.gifts, strict=True)
    chat, viewers, gifts = rng.uniform(least, most).tolist()
    stream_id, channel = place
    return Incident(stream_id, kind, *span, channel, chat, viewers, gifts)


def _list_lanes(policy: SlotPolicy, profiles: Sequence[Profile]) -> Iterator[list[Place]]:
    """Return the places of each lane that has any."""
    width = len(profiles) if policy.hits is None else len(CAST)
    for first in range(0, len(profiles), max(width, 1)):
        lane = profiles[first : first + width]
        if policy.places == "chats":
            places: list[Place] = [(each.stream_id, None) for each in lane if each.chat_share]
        else:
            places = [(each.stream_id, one.name) for each in lane for one in each.channels]
        if places:
            yield places
