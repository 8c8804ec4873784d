"""News: what the flow tells Redis after a commit, and whether the flow is alive.

    version:stream:{id}   another value after each commit that touched the stream: what caches
    compare with
    touched:scopes        the same streams, for caches that listen
    latest:stream:{id}    the newest minute, for the first picture of a client
    live:shard:{n}        messages for the hubs
    live:backlog:{n}      those that nobody may miss, for clients that come back
    live:streams          which streams are live
    live:audiences        whose chat somebody looks at: what is said there is told, too
    heartbeat:flow:{n}    how far the flow has come, gone when it is

Losing Redis costs speed, never data: what could not be told is told again as an invalidation once
it is back.
"""

import secrets
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import orjson
import polars as pl
import redis
import structlog

from core.backlogs import (
    GAP_KEY,
    MARK_GAP,
    POSITION_KEY,
    PUBLISH,
    backlog_of_shard,
    list_publication,
)
from core.changes import Changes
from core.clock import Clock
from core.heartbeats import describe_process
from core.live import (
    LiveMessage,
    channel_of_shard,
    latest_of_stream,
    tell_stream,
)
from core.live_changes import describe_changes
from core.scopes import STREAMS_ALL, TOUCHED, pack_scopes, scope_of_stream, version_key
from streaming.flow.audiences import Audiences
from streaming.flow.presences import Presences

HEARTBEAT_S: Final = 1.0
HEARTBEAT_TTL_S: Final = 10
"""A flow that says nothing for so long counts as gone."""

LATEST: Final = frozenset({"metrics", "minute"})
LATEST_TTL_S: Final = 86_400
RATE_WINDOW_MS: Final = 10_000
"""Span over which events a second are counted, and of which commits and lags are told."""

COMMITS_MAX: Final = 1000
"""Commits whose times are remembered: more than ten seconds have."""

log = structlog.get_logger()


class NewsRoom:
    """Publishes what was committed."""

    def __init__(self, url: str, clock: Clock, *, process: int) -> None:
        self._redis = redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
        self._mark_gap = self._redis.register_script(MARK_GAP)
        self._is_gap = True
        """Whether something may be committed that was not told: a flow that crashed did not say."""

        self._publish_script = self._redis.register_script(PUBLISH)
        self._presences = Presences(self._redis)
        self.audiences = Audiences(self._redis)
        self._clock = clock
        self._process = process
        self._untold: set[str] = set()
        self._progress = Progress(clock)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin to say that the flow is alive."""
        self._thread.start()

    def stop(self) -> None:
        """Say that the flow is gone."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        self._redis.close()

    def report_waiting(self) -> None:
        """Remember that the database is away."""
        self._progress.wait()

    def report_commit(self, took_s: float) -> None:
        """Remember how long a transaction took."""
        self._progress.note_commit(took_s)

    def report_usual_lag(self, usual_s: float) -> None:
        """Remember how far behind the flow usually is."""
        self._progress.settle(usual_s)

    def tell(
        self, group: Sequence[Changes], events: int, moments: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        """Publish what was committed; a Redis that is away is told later what it missed.

        Args:
            group: The changes.
            events: How many events came with them.
            moments: Those that were written, as they are stored.
        """
        self._progress.move(group, events)
        streams = {stream_id for changes in group for stream_id in _list_touched(changes)}
        if not streams and not self._untold:
            return
        try:
            self._publish(group, streams | self._untold, moments)
            self._untold.clear()
            self._is_gap = False
        except (redis.RedisError, OSError) as error:
            self._untold |= streams
            self._is_gap = True
            log.warning("redis_away", error=type(error).__name__, untold=len(self._untold))

    def _publish(
        self,
        group: Sequence[Changes],
        streams: set[str],
        moments: Sequence[Mapping[str, Any]],
    ) -> None:
        now = self._clock.now()
        stored = {row["moment_id"]: row for row in moments}
        # Not from offset and time alone: processes of the flow may share both.
        version = f"{self._clock.now_ms()}.{secrets.token_hex(6)}"
        touched = {STREAMS_ALL, *map(scope_of_stream, streams)}
        values: dict[str, str | bytes] = {version_key(scope): version for scope in touched}
        told: list[tuple[int, Sequence[LiveMessage]]] = []
        ended: set[str] = set()
        for changes in group:
            begun = self._presences.note(changes.shard, changes.streams, now)
            named = (stored.pop(moment.moment_id, None) for moment in changes.moments)
            written = [row for row in named if row is not None]
            messages = [
                *(tell_stream(stream_id, "live", now) for stream_id in begun),
                *describe_changes(changes, now, written),
            ]
            newest = _list_newest(changes.chat)
            latest = {
                latest_of_stream(message.stream_id): message
                for message in messages
                if message.kind in LATEST and message.stream_id in newest
            }
            values |= {key: message.body for key, message in latest.items()}
            ended |= {key for key, message in latest.items() if message.kind == "minute"}
            if messages:
                told.append((changes.shard, messages))
        with self._redis.pipeline(transaction=False) as pipeline:
            if self._is_gap:
                self._mark_gap(keys=[POSITION_KEY, GAP_KEY], client=pipeline)
            # One command for all of them, and after it the few that end: a minute that runs will
            # be told again, one that is complete may have been its stream's last.
            pipeline.mset(values)
            for key in ended:
                pipeline.expire(key, LATEST_TTL_S)
            # Last, so that who hears of a commit finds its versions and minutes when it asks.
            for payload in pack_scopes(touched):
                pipeline.publish(TOUCHED, payload)
            for shard, publication in told:
                self._send(shard, publication, pipeline)
            pipeline.execute()

    def tell_silent(self) -> None:
        """Publish which streams fell silent; nothing is committed when that happens."""
        now = self._clock.now()
        with self._redis.pipeline(transaction=False) as pipeline:
            for shard, stream_id in self._presences.take_silent(now):
                self._send(shard, [tell_stream(stream_id, "silent", now)], pipeline)
            pipeline.execute()

    def _send(
        self, shard: int, messages: Sequence[LiveMessage], client: redis.client.Pipeline
    ) -> None:
        self._publish_script(
            keys=[POSITION_KEY, backlog_of_shard(shard), GAP_KEY],
            args=list_publication(channel_of_shard(shard), messages),
            client=client,
        )

    def _beat(self) -> None:
        key = f"heartbeat:flow:{self._process}"
        while not self._stopped.wait(HEARTBEAT_S):
            try:
                beat = orjson.dumps({**self._progress.describe(), **describe_process()})
                self._redis.set(key, beat, ex=HEARTBEAT_TTL_S)
                self.tell_silent()
                self.audiences.look(self._clock.now_ms())
            except (redis.RedisError, OSError) as error:
                log.debug("heartbeat_failed", error=type(error).__name__)


def _list_newest(chat: pl.DataFrame) -> set[str]:
    """Return the streams whose newest minute is among the rows, not only an older one revised."""
    is_newest = pl.col("minute") >= pl.col("watermark").dt.truncate("1m")
    return set() if chat.is_empty() else set(chat.filter(is_newest)["stream_id"].to_list())


def _list_touched(changes: Changes) -> set[str]:
    """Return the streams whose answers are not what they were."""
    rows = (changes.chat, changes.readings, changes.transactions)
    frames = (*rows, changes.points, changes.streams)
    touched = {moment.stream_id for moment in changes.moments}
    for frame in frames:
        if frame.height:
            touched.update(frame["stream_id"].unique().to_list())
    return touched


class Progress:
    """How far and how fast the flow has come."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._recent: deque[tuple[int, int]] = deque()
        self._commits: deque[tuple[int, float]] = deque(maxlen=COMMITS_MAX)
        self._shards: dict[int, tuple[int, int]] = {}
        """When a shard last committed events, and how far behind it was, in milliseconds."""

        self._lag_ms = 0
        self._lag_usual_ms: int | None = None
        self._is_waiting = False

    def move(self, group: Sequence[Changes], events: int) -> None:
        """Count a commit."""
        now = self._clock.now()
        with self._lock:
            self._is_waiting = False
            if events:
                oldest = min(changes.arrived_at for changes in group if changes.events)
                self._lag_ms = (now - oldest) // timedelta(milliseconds=1)
                now_ms = self._clock.now_ms()
                self._recent.append((now_ms, events))
                for changes in group:
                    if changes.events:
                        lag_ms = (now - changes.arrived_at) // timedelta(milliseconds=1)
                        self._shards[changes.shard] = (now_ms, lag_ms)

    def note_commit(self, took_s: float) -> None:
        """Count how long a transaction took."""
        with self._lock:
            self._commits.append((self._clock.now_ms(), took_s))

    def wait(self) -> None:
        """Note that the database is away."""
        with self._lock:
            self._is_waiting = True

    def settle(self, usual_s: float) -> None:
        """Note what lag is usual."""
        with self._lock:
            self._lag_usual_ms = round(usual_s * 1000)

    def describe(self) -> dict[str, object]:
        """Return the heartbeat."""
        now_ms = self._clock.now_ms()
        since_ms = now_ms - RATE_WINDOW_MS
        with self._lock:
            while self._recent and self._recent[0][0] < since_ms:
                self._recent.popleft()
            took_s = sorted(took for at_ms, took in self._commits if at_ms >= since_ms)
            if not self._recent and not self._is_waiting:
                self._lag_ms = 0
            return {
                "at_ms": now_ms,
                "lag_ms": self._lag_ms,
                "lag_usual_ms": self._lag_usual_ms,
                "events_per_second": sum(events for _, events in self._recent)
                / (RATE_WINDOW_MS / 1000),
                "waiting_for_database": self._is_waiting,
                "commit_ms": round(took_s[len(took_s) // 2] * 1000, 1) if took_s else None,
                "commit_ms_most": round(took_s[-1] * 1000, 1) if took_s else None,
                "shards": {
                    str(shard): lag_ms
                    for shard, (at_ms, lag_ms) in sorted(self._shards.items())
                    if at_ms >= since_ms
                },
            }
