"""Committers: changes of many shards into TimescaleDB, a group at a time, beside the computing.

    sinks ──submit──► pending ──a thread takes all there is──► one transaction ──► news

While the database is away the thread tries again, what is pending fills up, ``submit`` waits, the
flow stands still, the bus fills up, senders are told to wait, and nothing is lost. A snapshot of
the flow waits until nothing is pending.
"""

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

import asyncpg
import structlog

from core import metrics
from core.changes import Changes
from core.clock import Clock
from db.commits import CommitStore, Committed
from db.pool import AWAY, prepare_connection
from streaming.flow.news import NewsRoom
from streaming.flow.traces import FlowTraces
from streaming.flow.usual_lags import DIRECTIONS, UsualLag

WAIT_S_MAX: Final = 5.0
"""The longest pause between two attempts to reach the database."""

EVENTS_PENDING_MAX: Final = 400_000
"""Events whose changes may wait for the database: a few frames, some hundred megabytes at most."""

CHANGES_PENDING_MAX: Final = 512
"""Changes that may wait, those without events among them."""

GROUP_MAX: Final = 64
"""Changes in one transaction: four of each shard."""

LOOK_EVERY_S: Final = 0.5
"""How often a thread that waits looks up, so that a signal is not kept waiting."""

log = structlog.get_logger()


class Committer:
    """Commits what is submitted, in order, in a thread of its own."""

    def __init__(
        self, database_url: str, news: NewsRoom, clock: Clock, traces: FlowTraces | None = None
    ) -> None:
        self._database_url = database_url
        self._news = news
        self._clock = clock
        self._traces = traces or FlowTraces(None)
        self._usual = UsualLag()
        for direction in DIRECTIONS:
            # A counter that appears with its first shift would show Prometheus no increase.
            metrics.flow_lag_shifts_total.labels(direction)
        self._pending: deque[Changes] = deque()
        self._busy = 0
        """Changes of the group that is being committed."""

        self._changed = threading.Condition()
        self._failure: BaseException | None = None
        self._stopped = False
        self._connection: asyncpg.Connection | None = None
        self._store: CommitStore | None = None
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)

    def start(self) -> None:
        """Begin to commit."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the group that is being committed; what is pending is offered again later."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join(timeout=WAIT_S_MAX)

    def submit(self, changes: Changes) -> None:
        """Hand over changes; wait while there are too many.

        Raises:
            BaseException: What ended the committing.
        """
        self._wait_until(self._has_room)
        with self._changed:
            self._pending.append(changes)
            self._changed.notify_all()

    def drain(self) -> None:
        """Wait until everything submitted is committed.

        Raises:
            BaseException: What ended the committing.
        """
        self._wait_until(lambda: not self._pending and not self._busy)

    def _wait_until(self, is_so: Callable[[], bool]) -> None:
        with self._changed:
            while not is_so() and not self._stopped:
                if self._failure is not None:
                    raise self._failure
                self._changed.wait(LOOK_EVERY_S)
            if self._failure is not None:
                raise self._failure

    def _has_room(self) -> bool:
        events = sum(changes.events for changes in self._pending)
        return events < EVENTS_PENDING_MAX and len(self._pending) < CHANGES_PENDING_MAX

    def _run(self) -> None:
        try:
            with asyncio.Runner() as runner:
                try:
                    runner.run(self._try_to_connect())
                    self._commit_groups(runner)
                finally:
                    runner.run(self._disconnect())
        except BaseException as error:  # noqa: BLE001 - raised again where it ends the flow.
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    def _commit_groups(self, runner: asyncio.Runner) -> None:
        while group := self._take():
            with self._traces.commit(group) as trace:
                committed = self._commit(runner, group)
            if committed is not None:
                with self._traces.publish(trace):
                    self._tell(group, committed)
            with self._changed:
                self._busy = 0
                self._changed.notify_all()

    def _take(self) -> list[Changes]:
        """Wait for changes and return a group of them; none when it is time to stop."""
        with self._changed:
            while not self._pending and not self._stopped:
                self._changed.wait(LOOK_EVERY_S)
            if self._stopped:
                return []
            group = [self._pending.popleft() for _ in range(min(GROUP_MAX, len(self._pending)))]
            self._busy = len(group)
            self._changed.notify_all()
            return group

    def _commit(self, runner: asyncio.Runner, group: list[Changes]) -> list[Committed] | None:
        """Write a group, however long the database is away; None when told to stop meanwhile."""
        wait_s = 0.1
        while not self._stopped:
            try:
                started_s = time.perf_counter()
                committed = runner.run(self._write(group))
                took_s = time.perf_counter() - started_s
                metrics.flow_commit_seconds.observe(took_s)
                self._news.report_commit(took_s)
            except AWAY as error:
                log.warning("database_away", error=type(error).__name__, retry_in_s=wait_s)
                metrics.flow_commits_retried_total.inc()
                self._forget_connection()
                self._news.report_waiting()
                with self._changed:
                    self._changed.wait_for(lambda: self._stopped, timeout=wait_s)
                wait_s = min(wait_s * 2, WAIT_S_MAX)
            else:
                return committed
        return None

    async def _write(self, group: list[Changes]) -> list[Committed]:
        if self._store is None or self._connection is None or self._connection.is_closed():
            self._store = await self._connect()
        return await self._store.commit(group)

    async def _try_to_connect(self) -> None:
        """Have a connection ready for the first group, if the database is there already."""
        with contextlib.suppress(*AWAY):
            self._store = await self._connect()

    async def _connect(self) -> CommitStore:
        self._connection = await asyncpg.connect(
            self._database_url,
            timeout=5,
            command_timeout=60,
            server_settings={"application_name": "telemetra-flow"},
        )
        await prepare_connection(self._connection)
        return CommitStore(self._connection)

    async def _disconnect(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(*AWAY):
                await self._connection.close(timeout=WAIT_S_MAX)

    def _forget_connection(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
            self._store = None

    def _tell(self, group: list[Changes], committed: list[Committed]) -> None:
        told = [
            changes
            for changes, outcome in zip(group, committed, strict=True)
            if not outcome.skipped
        ]
        metrics.flow_batches_skipped_total.inc(len(group) - len(told))
        events = sum(outcome.events for outcome in committed)
        self._news.tell(told, events, [row for outcome in committed for row in outcome.moments])
        for changes, outcome in zip(group, committed, strict=True):
            self._measure(changes, outcome.events)

    def _measure(self, changes: Changes, events: int) -> None:
        metrics.flow_events_applied_total.inc(events)
        if not changes.late.is_empty():
            metrics.flow_events_late_total.inc(float(changes.late["events"].sum()))
        metrics.flow_dead_letters_total.inc(len(changes.dead))
        if events:
            lag_s = (self._clock.now() - changes.arrived_at).total_seconds()
            metrics.flow_lag_seconds.labels(str(changes.shard)).set(lag_s)
            self._learn(lag_s)
        if events and changes.newest_at is not None:
            lag = self._clock.now() - changes.newest_at
            metrics.flow_event_lag_seconds.labels(str(changes.shard)).set(lag.total_seconds())

    def _learn(self, lag_s: float) -> None:
        shift = self._usual.note(lag_s, self._clock.now())
        if self._usual.usual_s is not None:
            metrics.flow_lag_usual_seconds.set(self._usual.usual_s)
            self._news.report_usual_lag(self._usual.usual_s)
        if shift is not None:
            metrics.flow_lag_shifts_total.labels(shift.direction).inc()
            log.warning(
                "flow_lag_shifted",
                direction=shift.direction,
                before_s=round(shift.before_s, 3),
                after_s=round(shift.after_s, 3),
            )
