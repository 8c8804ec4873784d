"""Connectors: which there are, and which of them ``telemetra up`` runs (setting CONNECTORS)."""

import shlex
from collections import Counter
from dataclasses import dataclass
from typing import Final

from core.errors import SettingsInvalidError

CONNECTORS: Final = {
    "kafka": "Topics of single events in Kafka: chat, viewers, transactions and news of streams.",
    "mqtt": "Topics of an MQTT broker: numbers, objects of numbers, or events.",
    "twitch": "Chats of Twitch, and with an application's key viewers, titles and categories.",
}
"""Each is ``streaming.connectors.NAME``."""


@dataclass(frozen=True, slots=True)
class ConnectorEntry:
    """A connector to run."""

    process: str
    module: str
    arguments: tuple[str, ...]


def name_module(name: str) -> str:
    """Return the module that a connector is."""
    return f"streaming.connectors.{name}"


def read_connectors(text: str) -> list[ConnectorEntry]:
    """Return the connectors that a setting names, each with a name of its own as a process.

    Raises:
        SettingsInvalidError: One of them is none.
    """
    entries: list[ConnectorEntry] = []
    counts: Counter[str] = Counter()
    for part in filter(str.strip, text.split(";")):
        try:
            name, *arguments = shlex.split(part)
        except ValueError as error:
            raise SettingsInvalidError(f"CONNECTORS: {part.strip()!r}: {error}.") from None
        if name not in CONNECTORS:
            known = ", ".join(CONNECTORS)
            raise SettingsInvalidError(f"CONNECTORS: {name!r} is none of {known}.")
        counts[name] += 1
        number = f"-{counts[name]}" if counts[name] > 1 else ""
        entries.append(ConnectorEntry(f"{name}{number}", name_module(name), tuple(arguments)))
    return entries
