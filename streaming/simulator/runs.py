"""Runs: a world sent to an API.

    live    probe -> titles -> history of new streams, minute by minute -> four times a second
    span    titles -> from one time to another, as fast as it goes or at a speed

What was sent is labelled as it is sent.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from math import inf
from typing import Final
from urllib.parse import quote

import orjson
import structlog

from core.clock import Clock
from streaming.ingest.senders import BODY_EVENTS_MAX, Sender, Sleep
from streaming.simulator.blocks import BLOCK_MS
from streaming.simulator.labels import LabelFile
from streaming.simulator.tables import Tables
from streaming.simulator.worlds import World

TICK_MS: Final = 250
MINUTE_MS: Final = 60_000

CAUGHT_UP_MS: Final = 1000
"""History is complete when it ends this close to the present."""

GAP_MS_MAX: Final = 2000
"""A longer gap between two ticks was a blocked API: it is skipped instead of made up for."""

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


@dataclass(slots=True)
class Run:
    """One run of the simulator."""

    world: World
    sender: Sender
    clock: Clock
    sleep: Sleep
    labels: LabelFile | None = None
    _tables: Tables = field(init=False)
    _sent_until_ms: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Prepare what lines are made of."""
        self._tables = Tables(self.world.profiles)

    def start(self, backfill_minutes: int) -> None:
        """Announce the streams, and give the new ones a past, up to the present."""
        new = self._find_new_streams()
        self._name_streams()
        start_ms = self.clock.now_ms() - backfill_minutes * MINUTE_MS
        self._sent_until_ms = start_ms
        if new:
            self.sender.send_events(self.world.starts_at(start_ms, new))
        if new and backfill_minutes:
            log.info("history_started", minutes=backfill_minutes, streams=sorted(new))
            self._send_history(new)
            log.info("history_sent", events=self.sender.events_sent)
        else:
            self._sent_until_ms = self.clock.now_ms()

    def send_live(self, duration_s: float | None) -> None:
        """Send what happens now, for a time or for ever."""
        end_ms = None if duration_s is None else self.clock.now_ms() + round(duration_s * 1000)
        while end_ms is None or self.clock.now_ms() < end_ms:
            now_ms = self.clock.now_ms()
            self._skip_gap(now_ms)
            self._send(self._sent_until_ms, now_ms)
            self._sent_until_ms = max(now_ms, self._sent_until_ms)
            self.sleep(max(0, now_ms + TICK_MS - self.clock.now_ms()) / 1000)

    def send_span(self, start_ms: int, end_ms: int, speed: float = inf) -> None:
        """Send what happens from one time until before another.

        Args:
            start_ms: Milliseconds since 1970.
            end_ms: The same.
            speed: Seconds of the world for each second of waiting; endless does not wait.
        """
        self._name_streams()
        began_ms = self.clock.now_ms()
        at_ms = start_ms
        while at_ms < end_ms:
            until_ms = min(at_ms + BLOCK_MS, end_ms)
            if speed < inf:
                due_ms = start_ms + round((self.clock.now_ms() - began_ms) * speed)
                until_ms = min(until_ms, max(due_ms, at_ms))
            self._send(at_ms, until_ms)
            if until_ms == at_ms:
                self.sleep(TICK_MS / 1000)
            at_ms = until_ms

    def _find_new_streams(self) -> frozenset[str]:
        """Return the streams that the API does not know yet."""
        paths = {each.stream_id: _path_of(each.stream_id) for each in self.world.profiles}
        return frozenset(
            stream_id
            for stream_id, path in paths.items()
            if self.sender.ask("GET", f"{path}/metrics?limit=1").status == 404
        )

    def _name_streams(self) -> None:
        for profile in self.world.profiles:
            body = orjson.dumps({"title": profile.title, "kind": profile.kind})
            headers = {"Content-Type": "application/json"}
            answer = self.sender.ask("PUT", _path_of(profile.stream_id), body, headers)
            if not answer.is_success:
                log.warning("title_refused", stream_id=profile.stream_id, status=answer.status)

    def _send_history(self, stream_ids: frozenset[str]) -> None:
        """Send the past of streams, oldest first, until the present is reached."""
        while (now_ms := self.clock.now_ms()) - self._sent_until_ms > CAUGHT_UP_MS:
            end_ms = min(self._sent_until_ms + MINUTE_MS, now_ms)
            self._send(self._sent_until_ms, end_ms, stream_ids)
            self._sent_until_ms = end_ms

    def _send(self, start_ms: int, end_ms: int, stream_ids: Collection[str] | None = None) -> None:
        """Send what happens from one time until before another, and label it."""
        if self.labels:
            self.labels.cover(start_ms, end_ms)
        for block in self.world.rows_between(start_ms, end_ms, stream_ids):
            for rows in block.split(BODY_EVENTS_MAX):
                self.sender.send_lines(self._tables.write_lines(rows), len(rows))

    def _skip_gap(self, now_ms: int) -> None:
        """Go on at the present when the API, or the machine, stood still too long."""
        gap_ms = now_ms - self._sent_until_ms
        if abs(gap_ms) > GAP_MS_MAX:
            log.warning("seconds_skipped", seconds=gap_ms / 1000)
            self._sent_until_ms = now_ms


def _path_of(stream_id: str) -> str:
    return f"/api/v1/streams/{quote(stream_id, safe='')}"
