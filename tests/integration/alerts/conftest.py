"""Alerts step by step: decided and sent when a test says so, at a time that it moves."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from core.alert_routes import RouteKind
from core.clock import ManualClock
from core.settings import Settings
from db.pool import Pool
from streaming.alerts.couriers import Courier, CourierPolicy
from streaming.alerts.deciders import Decider, Round
from streaming.alerts.transports.alertmanagers import AlertmanagerTransport
from streaming.alerts.transports.apprises import AppriseTransport
from streaming.alerts.transports.base import Transport
from streaming.alerts.transports.webhooks import WebhookTransport
from tests.fixtures.alerts import write_moment
from tests.fixtures.clients import open_client
from tests.fixtures.receivers import Receiver

SET_CLOCK = (
    "UPDATE moment_changes SET at = $1 WHERE at > $1",
    "UPDATE alert_rules SET created_at = $1::timestamptz - INTERVAL '1 day' WHERE created_at > $1",
)


@dataclass(frozen=True, slots=True)
class Bench:
    """A worker in parts."""

    connection: asyncpg.Connection
    clock: ManualClock
    decider: Decider
    courier: Courier
    receiver: Receiver

    async def write(self, *numbers: int, **chosen: Any) -> None:
        """Write moments that begin now."""
        for number in numbers:
            at = chosen.get("started_at", self.clock.now())
            await write_moment(self.connection, number, **{**chosen, "started_at": at})

    async def decide(self, after_s: float = 0) -> Round:
        """Decide after a while."""
        self.clock.advance(timedelta(seconds=after_s))
        await self.set_clock()
        return await self.decider.run_round()

    async def set_clock(self) -> None:
        """Let what the database noted by its own clock be of the test's time."""
        for statement in SET_CLOCK:
            await self.connection.execute(statement, self.clock.now())

    async def send(self) -> int:
        """Send what is due, and wait for what comes of it; return how much it was."""
        sent = 0
        while count := await self.courier.run_round():
            await self.courier.finish(10)
            sent += count
        return sent

    async def run(self, after_s: float = 0) -> list[tuple[str, str]]:
        """Decide and send; return what is told by that."""
        before = len(self.receiver.told)
        await self.decide(after_s)
        await self.send()
        return self.receiver.told[before:]


@pytest.fixture
async def bench(
    connection: asyncpg.Connection, settings: Settings, clock: ManualClock, receiver: Receiver
) -> AsyncIterator[Bench]:
    """A worker in parts, and whoever it tells."""
    pool = Pool(settings, process="alerts")
    apprise = AppriseTransport()
    async with open_client() as client:
        transports: dict[RouteKind, Transport] = {
            RouteKind.WEBHOOK: WebhookTransport(client, clock, "https://x.example"),
            RouteKind.ALERTMANAGER: AlertmanagerTransport(client, clock, timedelta(minutes=1)),
            RouteKind.APPRISE: apprise,
        }
        courier = Courier(pool, clock, transports, CourierPolicy.of(settings), asyncio.Event())
        decider = Decider(pool, clock, "https://x.example")
        yield Bench(connection, clock, decider, courier, receiver)
    apprise.close()
    await pool.close()
