"""Previews and counts through the API: what a rule would have told, and what became of alerts."""

from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from core.clock import SystemClock
from tests.fixtures.alerts import name_moment, write_moment, write_route
from tests.integration.api.problems import read_problem

PREVIEW = "/api/v1/alert-previews"
COUNTS = "/api/v1/deliveries/counts"

DELIVERY = """
    INSERT INTO deliveries (
        delivery_id, rule_id, route_id, group_key, severity, state, content, moment_ids,
        created_at, next_at
    )
    VALUES ($1, 'rul_1', $2, '{}', 'info', $3, '{}', '{}', now() - $4::interval, now())
"""


async def preview(client: httpx.AsyncClient, **given: Any) -> Any:
    answer = await client.post(PREVIEW, json=given)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def write_past(connection: asyncpg.Connection) -> None:
    """Write moments of some days, one older than the week, and what people said of two."""
    now = SystemClock().now()
    ages = {1: (0.02, 3.0), 2: (1, 3.0), 3: (2, 1.2), 4: (3, 2.6), 5: (8, 3.0)}
    for number, (days, score) in ages.items():
        began = now - timedelta(days=days)
        ended = began + timedelta(minutes=5)
        await write_moment(connection, number, started_at=began, ended_at=ended, score=score)
    label = "UPDATE moments SET label = $2 WHERE moment_id = $1"
    await connection.execute(label, name_moment(2), True)
    await connection.execute(label, name_moment(3), False)


async def test_a_rule_is_held_against_the_moments_of_a_week(
    client: httpx.AsyncClient, connection: asyncpg.Connection
):
    await write_past(connection)
    found = await preview(client, min_score=2.5, cool_down_s=0)
    assert (found["moments"], found["matched"], found["told"]) == (4, 3, 3)
    assert found["told_24h"] == 1
    assert (found["labelled_true"], found["labelled_false"]) == (1, 0)
    assert found["is_complete"] is True
    days = found["days"]
    assert len(days) == 7
    assert [sum(day[name] for day in days) for name in ("moments", "matched", "told")] == [4, 3, 3]
    at = {each["min_score"]: (each["told"], each["labelled_false"]) for each in found["at_scores"]}
    assert at == {1.0: (4, 1), 1.5: (3, 0), 2.5: (3, 0), 4.0: (0, 0)}


async def test_more_moments_than_are_looked_at_are_owned_up_to(
    client: httpx.AsyncClient, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
):
    await write_past(connection)
    for place in ("endpoints", "previews"):
        monkeypatch.setattr(f"api.alert_rules.{place}.MOMENTS_MAX", 3)
    found = await preview(client)
    assert (found["moments"], found["is_complete"]) == (3, False)


async def test_a_preview_says_what_is_wrong_with_its_conditions(client: httpx.AsyncClient):
    problem = read_problem(await client.post(PREVIEW, json={"min_score": -1}), 422, "invalid")
    assert [each["field"] for each in problem["errors"]] == ["min_score"]


async def test_deliveries_are_counted_by_rule_route_and_state(
    client: httpx.AsyncClient, connection: asyncpg.Connection
):
    route_id = await write_route(connection, "http://a.example/hook")
    ages = [("delivered", 0), ("delivered", 2), ("failed", 1), ("failed", 9)]
    for number, (state, days) in enumerate(ages):
        name = f"dlv_{number}"
        await connection.execute(DELIVERY, name, route_id, state, timedelta(days=days))
    shared = {"rule_id": "rul_1", "route_id": route_id}
    assert (await client.get(COUNTS)).json()["data"] == [
        {**shared, "state": "delivered", "deliveries": 2, "newer": 1},
        {**shared, "state": "failed", "deliveries": 1, "newer": 0},
    ]
