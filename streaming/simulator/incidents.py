"""Incidents: the unusual things that are planned to happen, the truth that tests compare with.

    time  |--- slot ---|--- slot ---|--- slot ---|      one incident a slot, early in it
          |.RRRR.......|...RR.......|RRRRR.......|

A plan is a pure function of the seed. A raid hits one of the chats, a fault one of the channels.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from streaming.simulator.profiles import Profile
from streaming.simulator.seeds import make_rng

IncidentKind: TypeAlias = Literal["raid", "spike", "drift", "stuck", "noise", "dropout"]

FAULT_KINDS: Final[tuple[IncidentKind, ...]] = ("spike", "drift", "stuck", "noise", "dropout")


@dataclass(frozen=True, slots=True)
class SlotPolicy:
    """Decides how often a sort of incident comes and how long it lasts."""

    slot_s: int
    delay_s_max: int
    """Where in its slot it begins at the latest; two begin at least ``slot_s`` minus this apart."""

    length_s_min: int
    length_s_max: int
    """Added to the delay still within the slot, so that an incident lies in one slot only."""

    @property
    def slot_ms(self) -> int:
        """The slot in milliseconds."""
        return self.slot_s * 1000


RAIDS: Final = SlotPolicy(slot_s=300, delay_s_max=60, length_s_min=60, length_s_max=180)
"""Every four to six minutes: whoever opens the page sees one before losing patience."""

FAULTS: Final = SlotPolicy(slot_s=420, delay_s_max=120, length_s_min=40, length_s_max=100)


@dataclass(frozen=True, slots=True)
class Incident:
    """Something unusual in one stream, from ``start_ms`` until before ``end_ms``."""

    stream_id: str
    kind: IncidentKind
    start_ms: int
    end_ms: int
    channel: str | None = None
    """The channel that has the fault; None for a raid."""

    chat_factor: float = 1.0
    viewers_factor: float = 1.0


class Plan:
    """Knows every incident of a world."""

    def __init__(self, seed: int, profiles: tuple[Profile, ...]) -> None:
        self._seed = seed
        self._chats = [profile.stream_id for profile in profiles if profile.chat_share]
        self._channels = [(p.stream_id, channel.name) for p in profiles for channel in p.channels]

    def list_between(self, start_ms: int, end_ms: int) -> list[Incident]:
        """Return the incidents of which some part lies in the interval, oldest first."""
        found = [
            incident
            for policy in (RAIDS, FAULTS)
            for slot in range(start_ms // policy.slot_ms, end_ms // policy.slot_ms + 1)
            if (incident := self._find_in_slot(policy, slot))
            and incident.start_ms < end_ms
            and incident.end_ms > start_ms
        ]
        return sorted(found, key=lambda incident: incident.start_ms)

    def _find_in_slot(self, policy: SlotPolicy, slot: int) -> Incident | None:
        places = self._chats if policy is RAIDS else self._channels
        if not places:
            return None
        rng = make_rng(self._seed, "raid" if policy is RAIDS else "fault", slot)
        start_s = slot * policy.slot_s + int(rng.integers(policy.delay_s_max))
        length_s = int(rng.integers(policy.length_s_min, policy.length_s_max, endpoint=True))
        start_ms, end_ms = start_s * 1000, (start_s + length_s) * 1000
        if policy is RAIDS:
            stream_id = self._chats[int(rng.integers(len(self._chats)))]
            chat_factor, viewers_factor = rng.uniform((3.0, 1.5), (5.0, 3.0)).tolist()
            return Incident(
                stream_id,
                "raid",
                start_ms,
                end_ms,
                chat_factor=chat_factor,
                viewers_factor=viewers_factor,
            )
        stream_id, channel = self._channels[int(rng.integers(len(self._channels)))]
        kind = FAULT_KINDS[int(rng.integers(len(FAULT_KINDS)))]
        return Incident(stream_id, kind, start_ms, end_ms, channel=channel)
