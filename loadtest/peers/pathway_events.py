"""Pathway, one worker: its own connector, its own grouping, a stateful reducer of its user's.

    jsonlines -> groupby (stream, minute) -> stateful_many -> rows

The file is read in ``static`` mode, its fastest. One stateful reducer that is handed many rows at
once was the fastest of six ways to have the emotes as well; without emotes Pathway is limited by
its reading of JSON.
"""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

os.environ["PATHWAY_THREADS"] = "1"  # noqa: TID251

import pathway as pw

from loadtest.peers.tasks import EMOTES, MinuteRow, run_task

KNOWN: Final = frozenset(EMOTES)


class Chat(pw.Schema):
    """The columns that are read."""

    stream_id: str
    timestamp: str
    user: str
    text: str


class Minute:
    """What is known of a stream and minute."""

    def __init__(self) -> None:
        self.count = 0
        self.users: set[str] = set()
        self.emotes: Counter[str] = Counter()


@pw.reducers.stateful_many
def count_chats(
    state: pw.PyObjectWrapper[Minute] | None, rows: Sequence[tuple[Sequence[Any], int]]
) -> pw.PyObjectWrapper[Minute]:
    """Count rows in their minute; a row comes with how often it occurs."""
    minute = Minute() if state is None else state.value
    users, emotes = minute.users, minute.emotes
    for (user, text), times in rows:
        minute.count += times
        users.add(user)
        for word in text.split(" "):
            if word in KNOWN:
                emotes[word] += times
    return pw.wrap_py_object(minute)


def count_minutes(file: Path) -> list[MinuteRow]:
    """Run the tables over a file."""
    found: dict[tuple[str, datetime], MinuteRow] = {}

    def take(*, row: Mapping[str, Any], is_addition: bool, **_: object) -> None:
        if is_addition:
            minute: Minute = row["counted"].value
            at = row["minute"].to_pydatetime()
            found[row["stream_id"], at] = MinuteRow(
                row["stream_id"], at, minute.count, len(minute.users), minute.emotes
            )

    lines = pw.io.jsonlines.read(file, schema=Chat, mode="static")
    chats = lines.select(
        pw.this.stream_id,
        pw.this.user,
        pw.this.text,
        minute=pw.this.timestamp.dt.strptime("%Y-%m-%dT%H:%M:%S%.fZ").dt.floor("1min"),
    )
    minutes = chats.groupby(pw.this.stream_id, pw.this.minute).reduce(
        pw.this.stream_id, pw.this.minute, counted=count_chats(pw.this.user, pw.this.text)
    )
    pw.io.subscribe(minutes, take)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    return list(found.values())


if __name__ == "__main__":
    run_task("pathway_events", version("pathway"), count_minutes)
