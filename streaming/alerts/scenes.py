"""Scenes: moments as they are now, with what rules ask about each.

That is its stream, and whether another moment of that stream says it all already.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from core.alerts import (
    HISTORY_AFTER,
    INHIBITED,
    INHIBITIONS,
    Subject,
    is_inhibited,
)
from db.alerts import AlertStore, read_subject

MOMENTS_MAX: Final = 1000
"""Of the streams of a round, that may inhibit or be inhibited."""

INHIBITING_FOR: Final = timedelta(days=7)
"""A moment that began longer ago says nothing of what begins now."""


class Scene:
    """What one round of deciding looks at."""

    def __init__(self, store: AlertStore, now: datetime) -> None:
        self._store = store
        self._now = now
        self.rows: dict[str, dict[str, Any]] = {}
        """Moments as they are stored."""

        self.subjects: dict[str, Subject] = {}
        """The same as rules look at them."""

    async def load(
        self, places: Mapping[str, datetime], noted: Mapping[str, datetime] | None = None
    ) -> None:
        """Load moments by id and time; those that are known stay as they are.

        Args:
            places: Which.
            noted: When each was written; now where it does not say.
        """
        wanted = {name: time for name, time in places.items() if name not in self.rows}
        rows = await self._store.list_subjects(wanted)
        await self._add(rows, noted or {})

    async def load_released(self) -> None:
        """Load what moments of the scene keep from being told, or do so no longer."""
        streams = {
            subject.stream_id
            for subject in self.subjects.values()
            if subject.moment_type in INHIBITIONS
        }
        if not streams:
            return
        rows = await self._list_of(streams, INHIBITED, HISTORY_AFTER)
        open_ones = [
            row for row in rows if row["ended_at"] is None and row["moment_id"] not in self.rows
        ]
        await self._add(open_ones, {})

    async def _add(self, rows: Collection[dict[str, Any]], noted: Mapping[str, datetime]) -> None:
        subjects = [read_subject(row, noted.get(row["moment_id"]), self._now) for row in rows]
        inhibitors = await self._load_inhibitors(subjects)
        for row, subject in zip(rows, subjects, strict=True):
            self.rows[subject.moment_id] = row
            self.subjects[subject.moment_id] = _mark(subject, inhibitors, self._now)

    async def _load_inhibitors(self, subjects: Collection[Subject]) -> list[Subject]:
        streams = {subject.stream_id for subject in subjects if subject.moment_type in INHIBITED}
        if not streams:
            return []
        rows = await self._list_of(streams, INHIBITIONS, INHIBITING_FOR)
        return [read_subject(row, None, self._now) for row in rows]

    async def _list_of(
        self, streams: Collection[str], types: Collection[str], past: timedelta
    ) -> list[dict[str, Any]]:
        return await self._store.list_of_streams(
            streams, types, since=self._now - past, limit=MOMENTS_MAX
        )


def _mark(subject: Subject, inhibitors: Collection[Subject], now: datetime) -> Subject:
    if not is_inhibited(subject, inhibitors, now):
        return subject
    return replace(subject, is_inhibited=True)
