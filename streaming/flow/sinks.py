"""Sinks: changes into TimescaleDB, then the news of them to Redis.

One partition a shard. While the database is away the sink waits and tries again: the flow stands
still, the bus fills up, senders are told to wait, and nothing is lost.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import asyncpg
import structlog
from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition
from typing_extensions import override

from core import metrics
from core.batches import split_offset
from core.changes import Changes
from core.clock import Clock
from db.commits import CommitStore, Committed
from db.pool import AWAY, prepare_connection
from streaming.flow.news import NewsRoom

WAIT_S_MAX: Final = 5.0
"""The longest pause between two attempts to reach the database."""

log = structlog.get_logger()


class Committer:
    """Commits changes one at a time, over a connection that it opens again when it breaks."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._loop = asyncio.new_event_loop()
        self._connection: asyncpg.Connection | None = None

    def commit(self, changes: Changes, *, on_wait: Callable[[], None]) -> Committed:
        """Write changes, however long the database is away."""
        wait_s = 0.1
        while True:
            try:
                return self._loop.run_until_complete(self._commit(changes))
            except AWAY as error:
                log.warning("database_away", error=type(error).__name__, retry_in_s=wait_s)
                metrics.flow_commits_retried_total.inc()
                self._forget_connection()
                on_wait()
                time.sleep(wait_s)
                wait_s = min(wait_s * 2, WAIT_S_MAX)

    async def _commit(self, changes: Changes) -> Committed:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(
                self._database_url,
                timeout=5,
                command_timeout=60,
                server_settings={"application_name": "telemetra-flow"},
            )
            await prepare_connection(self._connection)
        return await CommitStore(self._connection).commit(changes)

    def _forget_connection(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


class ShardSinkPartition(StatefulSinkPartition[Changes, None]):
    """Commits and tells the changes of one shard."""

    def __init__(self, committer: Committer, news: NewsRoom, clock: Clock) -> None:
        self._committer = committer
        self._news = news
        self._clock = clock

    @override
    def write_batch(self, values: list[Changes]) -> None:
        for changes in values:
            with metrics.flow_commit_seconds.time():
                committed = self._committer.commit(changes, on_wait=self._news.report_waiting)
            if committed.skipped:
                metrics.flow_batches_skipped_total.inc()
                continue
            self._news.tell(changes, committed.events)
            self._measure(changes, committed.events)

    @override
    def snapshot(self) -> None:
        return None

    def _measure(self, changes: Changes, events: int) -> None:
        metrics.flow_events_applied_total.inc(events)
        if not changes.late.is_empty():
            metrics.flow_events_late_total.inc(float(changes.late["events"].sum()))
        if events:
            lag_ms = self._clock.now_ms() - split_offset(changes.offset)[0]
            metrics.flow_lag_seconds.labels(str(changes.shard)).set(lag_ms / 1000)


class TimescaleSink(FixedPartitionedSink[Changes, None]):
    """The database, one partition a shard."""

    def __init__(self, committer: Committer, news: NewsRoom, clock: Clock, *, shards: int) -> None:
        self._committer = committer
        self._news = news
        self._clock = clock
        self._shards = shards

    @override
    def list_parts(self) -> list[str]:
        return [str(shard) for shard in range(self._shards)]

    @override
    def part_fn(self, item_key: str) -> int:
        return int(item_key)

    @override
    def build_part(self, step_id: str, for_part: str, resume_state: None) -> ShardSinkPartition:
        return ShardSinkPartition(self._committer, self._news, self._clock)
