"""Couriers: deliveries that are due, sent beside one another, each with its end written down.

    due ─ lease (one transaction) ─► a task each ─ transport ─► what came of it ─► delivered,
                                                                 failed, or again later

A slow receiver keeps a few tasks busy and nobody else waiting. A worker that is killed leaves
leases behind, which end.
"""

import asyncio
import traceback
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final

import structlog

from core import metrics
from core.alert_routes import IN_FLIGHT_MAX, AlertRoute, RouteKind
from core.clock import Clock
from core.deliveries import (
    Attempt,
    DeliveryPolicy,
    DeliveryState,
    Outcome,
    draw_pause,
    is_given_up,
)
from core.errors import DatabaseAwayError
from core.settings import Settings
from db.deliveries import DeliveryStore, Ending, LeasedDelivery
from db.pool import Pool
from streaming.alerts.transports.base import Message, Transport

RATE_SPAN: Final = timedelta(minutes=1)
"""What a route's rate is counted over."""

WRITE_AGAIN_S: Final = 0.5
"""Between attempts to write down what came of a delivery, while the database is away."""

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class CourierPolicy:
    """Decides how much is sent at once, and how long somebody is asked again."""

    sends_max: int
    lease: timedelta
    """Beyond the time-out of a route."""

    delivery: DeliveryPolicy

    @classmethod
    def of(cls, settings: Settings) -> "CourierPolicy":
        """Return the policy that the settings ask for."""
        return cls(
            sends_max=settings.alerts_sends_max,
            lease=timedelta(seconds=settings.alerts_lease_seconds),
            delivery=DeliveryPolicy(
                attempts_max=settings.alerts_attempts_max,
                retried_for=timedelta(hours=settings.alerts_retry_hours),
                pause_s_max=settings.alerts_pause_max_seconds,
            ),
        )


class Courier:
    """Sends what is due."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        transports: Mapping[RouteKind, Transport],
        policy: CourierPolicy,
        wake: asyncio.Event,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._transports = transports
        self._policy = policy
        self._wake = wake
        self._random = Random()  # noqa: S311 - it spreads load and guards nothing.
        self._busy: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run_round(self) -> int:
        """Begin to send what may be sent now; return how much that is.

        Raises:
            DatabaseAwayError: Nothing was begun.
        """
        leased = await self._lease()
        for route, item in leased:
            self._busy[route.route_id] += 1
            task = asyncio.create_task(self._deliver(route, item))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return len(leased)

    async def finish(self, within_s: float) -> None:
        """Wait for what is being sent; what takes longer is taken over by somebody else."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=within_s)
            for task in late:
                task.cancel()

    async def _lease(self) -> list[tuple[AlertRoute, LeasedDelivery]]:
        now = self._clock.now()
        leased: list[tuple[AlertRoute, LeasedDelivery]] = []
        async with (
            self._pool.connection() as connection,
            connection.transaction(isolation="read_committed"),
        ):
            store = DeliveryStore(connection)
            for route in await store.list_waiting_routes(now):
                free = self._policy.sends_max - len(self._tasks) - len(leased)
                room = min(free, await self._find_room(store, route, now))
                if room > 0:
                    found = await store.lease(
                        route,
                        limit=room,
                        now=now,
                        until=now + timedelta(seconds=route.time_out_s) + self._policy.lease,
                    )
                    leased += [(route, item) for item in found]
        return leased

    async def _find_room(self, store: DeliveryStore, route: AlertRoute, now: datetime) -> int:
        room = IN_FLIGHT_MAX - self._busy[route.route_id]
        if room > 0 and route.per_minute_max is not None:
            sent = await store.count_attempts(route.route_id, now - RATE_SPAN)
            room = min(room, route.per_minute_max - sent)
        return room

    async def _deliver(self, route: AlertRoute, item: LeasedDelivery) -> None:
        try:
            with metrics.alert_attempt_seconds.labels(route.kind).time():
                attempt = await self._try(route, item)
            metrics.alert_attempts_total.labels(route.kind, attempt.outcome).inc()
            await self._write_down(route, item, attempt)
        finally:
            self._busy[route.route_id] -= 1
            self._wake.set()

    async def _try(self, route: AlertRoute, item: LeasedDelivery) -> Attempt:
        message = Message(item.delivery_id, item.content)
        try:
            async with asyncio.timeout(route.time_out_s):
                return await self._transports[route.kind].send(route, message)
        except TimeoutError:
            return Attempt(Outcome.RETRIED, None, f"No answer within {route.time_out_s:g} s.")
        except Exception as error:  # noqa: BLE001 - whatever it is, others are to be sent.
            # Its text, and what stood around it, may name the target.
            log.error(  # noqa: TRY400
                "delivery_broke",
                delivery_id=item.delivery_id,
                route_id=route.route_id,
                error=type(error).__name__,
                place=_find_place(error),
            )
            return Attempt(Outcome.RETRIED, None, f"It could not be sent: {type(error).__name__}.")

    async def _write_down(self, route: AlertRoute, item: LeasedDelivery, attempt: Attempt) -> None:
        """Write down what came of it; after the lease somebody else finds out anew."""
        now = self._clock.now()
        ending = self._conclude(item, attempt, now)
        _tell(route, item, attempt, ending)
        until = now + self._policy.lease
        while True:
            try:
                async with self._pool.connection() as connection:
                    return await DeliveryStore(connection).end(item, attempt, ending, now)
            except DatabaseAwayError:
                if self._clock.now() >= until:
                    log.warning("delivery_not_noted", delivery_id=item.delivery_id)
                    return None
                await asyncio.sleep(WRITE_AGAIN_S)

    def _conclude(self, item: LeasedDelivery, attempt: Attempt, now: datetime) -> Ending:
        policy = self._policy.delivery
        if attempt.outcome is Outcome.DELIVERED:
            return Ending(DeliveryState.DELIVERED, now)
        reason = _describe(attempt)
        is_done = item.is_test or attempt.outcome is Outcome.REFUSED
        if is_done or is_given_up(policy, attempts=item.tries, first_at=item.first_at, now=now):
            return Ending(DeliveryState.FAILED, now, reason)
        pause = draw_pause(policy, item.tries, self._random)
        return Ending(
            DeliveryState.QUEUED, now + max(pause, attempt.retry_after or timedelta()), reason
        )


def _find_place(error: Exception) -> str:
    """Return where an error came from, without what it says."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""


def _describe(attempt: Attempt) -> str:
    status = "" if attempt.status is None else f"Status {attempt.status}. "
    return f"{status}{attempt.detail or ''}".strip() or "It was not accepted."


def _tell(route: AlertRoute, item: LeasedDelivery, attempt: Attempt, ending: Ending) -> None:
    facts = {
        "delivery_id": item.delivery_id,
        "route_id": route.route_id,
        "attempt": item.number,
        "status": attempt.status,
    }
    if ending.state is DeliveryState.FAILED:
        metrics.alert_deliveries_failed_total.labels(route.kind).inc()
        log.error("delivery_failed", **facts, reason=ending.reason)
    elif attempt.outcome is Outcome.DELIVERED:
        log.info("delivery_made", **facts)
    else:
        log.warning("delivery_retried", **facts, reason=ending.reason)
