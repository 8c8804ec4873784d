"""Outlets of tests: real ones, before an API that answers from a script."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from core.clock import Clock, SystemClock
from core.tasks import end
from streaming.connectors.deliveries import Delivery
from streaming.connectors.health import Health
from streaming.connectors.outlets import Outlet, OutletPolicy
from streaming.connectors.refusals import Refusals
from streaming.ingest.clients import ApiClient
from tests.unit.simulator.scripted_apis import Reply


def refuse(*indexes: int, count: int | None = None) -> Reply:
    """Return an answer that refuses rows; the count may be more than are named."""
    errors = [{"index": index, "reason": "type is missing"} for index in indexes]
    body = {"accepted": 0, "rejected": count or len(indexes), "errors": errors}
    return Reply(202, body=orjson.dumps(body))


@dataclass(frozen=True)
class Gate:
    """An outlet, and what it tells."""

    outlet: Outlet
    health: Health
    refusals: Refusals


@contextmanager
def make_gate(
    url: str,
    policy: OutletPolicy | None = None,
    *,
    clock: Clock | None = None,
    path: Path | None = None,
) -> Iterator[Gate]:
    """Lend an outlet that sends to a URL."""
    clock = clock or SystemClock()
    health, refusals = Health("tested", clock), Refusals(path)
    client = ApiClient(url)
    try:
        yield Gate(Outlet(Delivery(client, clock, refusals), health, policy), health, refusals)
    finally:
        client.close()


@asynccontextmanager
async def sending(
    url: str,
    policy: OutletPolicy | None = None,
    *,
    clock: Clock | None = None,
    path: Path | None = None,
) -> AsyncIterator[Gate]:
    """Lend an outlet that sends for the length of a block."""
    with make_gate(url, policy, clock=clock, path=path) as gate:
        task = asyncio.create_task(gate.outlet.run())
        try:
            yield gate
        finally:
            gate.outlet.give_up()
            await end(task)
