"""Labels: the truth about incidents, a line of JSON for each metric or channel that one moves.

    {"incident_id": "inc_5f…", "scenario": "raid", "seed": 7, "kind": "raid",
     "stream_id": "mara_cooks", "metric": "chat_count", "channel": null, "direction": "up",
     "started_at": "…", "peak_at": "…", "ended_at": "…", "magnitude": 4.21}

What a detector found is held against this. ``docs/connectors.md`` says what each field means.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import orjson

from core.errors import InvalidError
from core.times import EPOCH
from streaming.simulator.chats import CHEER_SWING
from streaming.simulator.incidents import Incident
from streaming.simulator.profiles import Profile
from streaming.simulator.readings import SCATTER
from streaming.simulator.seeds import make_seed
from streaming.simulator.worlds import FADE_MS, World

Effect = tuple[str, str | None, float | None]
"""What is moved, in which direction, and how far."""

DIGITS: Final = 4


class LabelFile:
    """Writes the labels of what was generated, each incident once."""

    def __init__(self, path: Path, world: World) -> None:
        """Begin the file anew.

        Raises:
            InvalidError: It cannot be written.
        """
        self.path = path
        self.incidents = 0
        self._world = world
        self._ends_ms: dict[str, int] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("wb")
        except OSError as error:
            raise InvalidError(f"{path} cannot be written: {error.strerror}.") from error

    def __enter__(self) -> Self:
        """Write to it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._file.close()

    def cover(self, start_ms: int, end_ms: int) -> None:
        """Write down the incidents of which a part lies in an interval."""
        known = {key: end for key, end in self._ends_ms.items() if end > start_ms - FADE_MS}
        self._ends_ms = known
        for incident in self._world.incidents_between(start_ms, end_ms):
            key = name_incident(self._world, incident)
            if key not in known:
                known[key] = incident.end_ms
                self.incidents += 1
                self._file.writelines(write_labels(self._world, incident))
                self._file.flush()


def name_incident(world: World, incident: Incident) -> str:
    """Return the id of an incident, the same whenever it is asked for."""
    parts = (incident.stream_id, incident.kind, incident.channel, incident.start_ms)
    return f"inc_{make_seed(world.seed, world.scenario.name, *parts):016x}"


def write_labels(world: World, incident: Incident) -> Iterator[bytes]:
    """Write a line for each thing that an incident moves."""
    profile = next(each for each in world.profiles if each.stream_id == incident.stream_id)
    for metric, direction, magnitude in _list_effects(profile, incident):
        label = {
            "incident_id": name_incident(world, incident),
            "scenario": world.scenario.name,
            "seed": world.seed,
            "kind": incident.kind,
            "stream_id": incident.stream_id,
            "metric": metric,
            "channel": incident.channel,
            "direction": direction,
            "started_at": _read_ms(incident.start_ms),
            "peak_at": _read_ms(incident.peak_ms),
            "ended_at": _read_ms(incident.end_ms),
            "magnitude": None if magnitude is None else round(magnitude, DIGITS),
        }
        yield orjson.dumps(label, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)


def _list_effects(profile: Profile, incident: Incident) -> list[Effect]:
    if incident.channel is not None:
        return [_describe_fault(profile, incident)]
    chat = incident.chat_factor
    factors = {
        "chat_count": chat,
        "transaction_count": chat * incident.gifts_factor,
        "avg_viewers": incident.viewers_factor,
    }
    effects: list[Effect] = [
        (metric, "up" if factor > 1 else "down", factor)
        for metric, factor in factors.items()
        if factor != 1
    ]
    if chat > 1:
        effects.append(("avg_sentiment", "up", CHEER_SWING * (1 - 1 / chat)))
    return effects


def _describe_fault(profile: Profile, fault: Incident) -> Effect:
    size = next(each.fault_size for each in profile.channels if each.name == fault.channel)
    match fault.kind:
        case "spike" | "drift":
            return "reading", "up" if size > 0 else "down", size
        case "noise":
            return "reading", None, SCATTER * abs(size)
        case "stuck":
            return "reading", None, 0.0
        case _:
            return "reading", "down", None


def _read_ms(at_ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=at_ms)
