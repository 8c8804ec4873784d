"""Profiles: the cast of the demo, what each stream is called and what it is like.

Chats of different size, benches that only measure, and a runner who does both. The simulator takes
as many as it is asked for from the top; past the cast, names repeat with a number.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal

STREAMS_MAX: Final = 1000
"""One process generates them all; beyond this the ticks of a small machine come late."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A series of readings and how it behaves."""

    name: str
    unit: str
    level: float
    noise: float
    """Standard deviation of one reading."""

    swing: float
    """How far the level wanders within hours."""

    fault_size: float
    """How far a fault moves the value, with the direction in which this thing fails."""

    interval_s: int = 2


@dataclass(frozen=True, slots=True)
class Profile:
    """A stream and its character."""

    stream_id: str
    title: str
    kind: Literal["chat", "bench"]
    chat_share: float = 0.0
    """Part of all chat, relative to the other streams; 0 for a stream without chat."""

    viewers: int = 0
    """On a usual day; 0 for a stream that nobody watches."""

    peak_hour: float = 20.0
    """Hour of the day in UTC at which most happens."""

    channels: tuple[Channel, ...] = ()


CAST: Final = (
    Profile("northlight_live", "Aurora watch from the Lofoten", "chat", 0.32, 4200, 22.0),
    Profile(
        "bench-07",
        "Bench 07: encoder soak test",
        "bench",
        channels=(
            Channel("encoder_fps", "fps", 60.0, 0.25, 0.4, -21.0, interval_s=1),
            Channel("bitrate", "Mbit/s", 6.2, 0.12, 0.4, -2.8, interval_s=1),
            Channel("temperature", "°C", 61.0, 0.3, 2.5, 17.0),
        ),
    ),
    Profile(
        "hex_marathon",
        "24 h relay: any% until we drop",
        "chat",
        0.25,
        2600,
        4.0,
        channels=(Channel("heart_rate", "bpm", 84.0, 1.5, 7.0, 46.0),),
    ),
    Profile("mara_cooks", "Dumplings from scratch", "chat", 0.08, 640, 17.0),
    Profile(
        "wind-cell-11",
        "Wind cell 11: blade fatigue run",
        "bench",
        channels=(
            Channel("rotor_speed", "rpm", 1450.0, 6.0, 40.0, -320.0, interval_s=1),
            Channel("vibration", "mm/s", 2.4, 0.12, 0.3, 4.5, interval_s=1),
            Channel("pressure", "kPa", 101.3, 0.04, 0.3, -2.6),
            Channel("temperature", "°C", 38.0, 0.25, 2.0, 14.0),
        ),
    ),
    Profile("tavern_of_odds", "Session 41: the lich wants a word", "chat", 0.18, 1500, 12.0),
    Profile("quiet_harbour", "Lo-fi and rain to study by", "chat", 0.07, 900, 8.0),
    Profile("pixel_foundry", "Sprites on request, come in", "chat", 0.10, 410, 15.0),
)

CHANNELS: Final = tuple(
    dict.fromkeys((each.name, each.unit) for profile in CAST for each in profile.channels)
)
"""The names and units that there are; several streams may measure the same."""


def list_profiles(count: int) -> tuple[Profile, ...]:
    """Return the first profiles of the cast, repeated with a number when it is too small."""
    return tuple(_number(CAST[i % len(CAST)], i // len(CAST) + 1) for i in range(count))


def _number(profile: Profile, copy: int) -> Profile:
    if copy == 1:
        return profile
    return replace(
        profile, stream_id=f"{profile.stream_id}-{copy}", title=f"{profile.title} ({copy})"
    )
