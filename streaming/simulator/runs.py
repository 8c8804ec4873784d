"""Runs: a world sent to an API, first the past of new streams, then the present.

probe -> titles -> history, minute by minute -> live, four times a second
"""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

import orjson
import structlog

from core.clock import Clock
from streaming.ingest.senders import Sender, Sleep
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
    _sent_until_ms: int = field(default=0, init=False)

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
            self.sender.send_events(self.world.events_between(self._sent_until_ms, now_ms))
            self._sent_until_ms = max(now_ms, self._sent_until_ms)
            self.sleep(max(0, now_ms + TICK_MS - self.clock.now_ms()) / 1000)

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
            events = self.world.events_between(self._sent_until_ms, end_ms, stream_ids)
            self.sender.send_events(events)
            self._sent_until_ms = end_ms

    def _skip_gap(self, now_ms: int) -> None:
        """Go on at the present when the API, or the machine, stood still too long."""
        gap_ms = now_ms - self._sent_until_ms
        if abs(gap_ms) > GAP_MS_MAX:
            log.warning("seconds_skipped", seconds=gap_ms / 1000)
            self._sent_until_ms = now_ms


def _path_of(stream_id: str) -> str:
    return f"/api/v1/streams/{quote(stream_id, safe='')}"
