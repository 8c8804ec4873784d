"""Moments as the flow finds them, and people who do something with them."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx
import polars as pl
import pytest
from fastapi import FastAPI

from api.app import build_app
from core.clock import ManualClock
from core.moments import Moment
from core.settings import Settings
from tests.fixtures.api_keys import make_key
from tests.fixtures.apis import calling
from tests.fixtures.changes import make_changes
from tests.fixtures.clocks import START
from tests.fixtures.events import STREAM
from tests.fixtures.flows import Flow
from tests.integration.api.conftest import wait_until_heard
from tests.integration.api.paths import MOMENTS

MINUTE = timedelta(minutes=1)
MOMENT_ID = "mom_" + "0" * 19 + "1"
PATH = f"{MOMENTS}/{MOMENT_ID}"


def make_moment(number: int = 1, *, revision: int = 1, **fields: Any) -> Moment:
    """Return a spike that goes on."""
    started_at = fields.pop("started_at", START)
    facts: dict[str, Any] = {
        "moment_id": f"mom_{number:020x}",
        "stream_id": STREAM,
        "moment_type": "chat_spike",
        "metric_name": "chat_count",
        "timestamp": started_at,
        "started_at": started_at,
        "peak_at": started_at,
        "last_at": started_at,
        "ended_at": None,
        "metric_value": 100.0 + revision,
        "expected": 5.0,
        "spread": 1.0,
        "threshold": 4.0,
        "z_score": 8.0,
        "score": 2.0,
        "direction": "up",
        "state": "open",
        "revision": revision,
    }
    return Moment(**(facts | fields))


async def find(flow: Flow, *moments: Moment, shard: int = 0) -> None:
    """Commit and tell moments, as the flow does."""
    revision = max(moment.revision for moment in moments)
    names = sorted({moment.stream_id for moment in moments})
    heard = {
        "stream_id": names,
        "title": [None for _ in names],
        "last_event_at": [START] * len(names),
    }
    streams = pl.DataFrame(heard, schema_overrides={"title": pl.String})
    await flow.commit([make_changes(shard, revision, events=1, moments=moments, streams=streams)])


@pytest.fixture
def app(settings: Settings, clock: ManualClock) -> FastAPI:
    """The application, at a time that a test moves."""
    return build_app(settings, clock)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the running application, which has heard all that was told."""
    async with calling(app) as client:
        await wait_until_heard(app)
        yield client


async def give_key(
    app: FastAPI, connection: asyncpg.Connection, *scopes: str, streams: list[str] | None = None
) -> tuple[str, dict[str, str]]:
    """Make a key that the application knows at once; return its id and the header that shows it."""
    made = await make_key(connection, *scopes, streams=streams)
    await app.state.resources.ring.refresh()
    return made


async def read(client: httpx.AsyncClient, path: str = PATH, **query: Any) -> Any:
    """Return what is answered."""
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def change(client: httpx.AsyncClient, action: str | None = None, **given: Any) -> Any:
    """Do something with the moment; return it."""
    answer = await client.patch(PATH, json=given | ({"action": action} if action else {}))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def list_states(client: httpx.AsyncClient, path: str = MOMENTS, **query: Any) -> list[str]:
    """Return the states of moments in a list."""
    return [moment["state"] for moment in (await read(client, path, **query))["data"]]


def tell(at: datetime) -> str:
    """Return a time as requests name it."""
    return at.isoformat()
