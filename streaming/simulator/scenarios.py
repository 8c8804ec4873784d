"""Scenarios: which incidents a world has, as data.

calm     none
raid     another stream's viewers come over, channels fail
launch   all chats at once: a rise over minutes, a plateau, and people give
outage   chats fall silent or lose most of their people, channels fail often; then all is back
"""

from dataclasses import dataclass
from typing import Final, Literal

from streaming.simulator.incidents import FAULT_KINDS, IncidentKind


@dataclass(frozen=True, slots=True)
class SlotPolicy:
    """Decides which incidents come, how often, and how long they last.

    time  |--- slot ---|--- slot ---|--- slot ---|      once a slot, early in it
          |.RRRR.......|...RR.......|RRRRR.......|
    """

    name: str
    places: Literal["chats", "channels"]
    kinds: tuple[IncidentKind, ...]
    slot_s: int
    delay_s_max: int
    """Where in its slot it begins at the latest; two begin at least ``slot_s`` minus this apart."""

    length_s_min: int
    length_s_max: int
    """Added to the delay still within the slot, so that an incident lies in one slot only."""

    hits: int | None = 1
    """Of each lane, how many places it befalls at once; None for all places of the world."""

    @property
    def slot_ms(self) -> int:
        """The slot in milliseconds."""
        return self.slot_s * 1000


@dataclass(frozen=True, slots=True)
class Scenario:
    """What may happen in a world."""

    name: str
    policies: tuple[SlotPolicy, ...] = ()


RAIDS: Final = SlotPolicy(
    "raids", "chats", ("raid",), slot_s=300, delay_s_max=60, length_s_min=60, length_s_max=180
)
"""Every four to six minutes: whoever opens the page sees one before losing patience."""

FAULTS: Final = SlotPolicy(
    "faults",
    "channels",
    FAULT_KINDS,
    slot_s=420,
    delay_s_max=120,
    length_s_min=40,
    length_s_max=100,
)

LAUNCHES: Final = SlotPolicy(
    "launches",
    "chats",
    ("launch",),
    slot_s=1800,
    delay_s_max=240,
    length_s_min=720,
    length_s_max=900,
    hits=None,
)
"""Twice an hour, so that any half hour holds one, with ten calm minutes after it."""

OUTAGES: Final = SlotPolicy(
    "outages",
    "chats",
    ("silence", "chat_drop", "viewer_drop"),
    slot_s=600,
    delay_s_max=120,
    length_s_min=150,
    length_s_max=300,
    hits=2,
)
"""At least one whole minute of each lies within it, however it begins."""

BREAKDOWNS: Final = SlotPolicy(
    "breakdowns",
    "channels",
    FAULT_KINDS,
    slot_s=300,
    delay_s_max=60,
    length_s_min=90,
    length_s_max=180,
    hits=2,
)

SCENARIOS: Final = {
    scenario.name: scenario
    for scenario in (
        Scenario("calm"),
        Scenario("raid", (RAIDS, FAULTS)),
        Scenario("launch", (LAUNCHES,)),
        Scenario("outage", (OUTAGES, BREAKDOWNS)),
    )
}
USUAL: Final = SCENARIOS["raid"]
