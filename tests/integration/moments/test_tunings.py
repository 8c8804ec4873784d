"""Tunings: made, changed, listed and deleted over HTTP, and written down."""

from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from api.tunings.schemas import TuningOut, TuningPage
from core.errors import ConflictError
from core.tunings import RULES_MAX, Tuning, TuningRule
from db.tunings import TuningStore
from tests.fixtures.api_keys import ACTOR, list_audit
from tests.integration.api.problems import list_fields, read_problem

TUNINGS = "/api/v1/tunings"
BENCH = {"stream_pattern": "bench-*", "metric_pattern": "cell_?_temp"}


async def create(client: httpx.AsyncClient, **given: Any) -> dict[str, Any]:
    answer = await client.post(TUNINGS, json=BENCH | given)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    TuningOut.model_validate(made)
    return made


async def test_a_tuning_is_made_read_changed_and_deleted_and_each_is_written_down(
    client: httpx.AsyncClient, connection: asyncpg.Connection
):
    made = await create(client, strictness=2, cool_down_s=1800.0, direction="up", is_watched=True)
    path = f"{TUNINGS}/{made['tuning_id']}"
    assert (await client.get(path)).json() == made
    assert (made["strictness"], made["merge_s"], made["created_by"]) == (2.0, None, "everyone")

    changed = await client.put(path, json=BENCH | {"merge_s": 0, "silence_after_s": 600})
    assert changed.status_code == 200, changed.text
    told = changed.json()
    # What is left out is no longer set.
    assert (told["strictness"], told["merge_s"], told["silence_after_s"]) == (None, 0, 600)
    assert told["updated_at"] > made["updated_at"]
    # The same again changes nothing.
    assert (
        await client.put(path, json=BENCH | {"merge_s": 0, "silence_after_s": 600})
    ).json() == told

    deleted = await client.delete(path)
    assert (deleted.status_code, deleted.json()) == (200, told)
    for answer in (
        await client.get(path),
        await client.delete(path),
        await client.put(path, json=BENCH | {"merge_s": 0}),
    ):
        read_problem(answer, 404, "not_found")

    log = await list_audit(connection)
    assert [entry["action"] for entry in log] == ["tuning.create", "tuning.put", "tuning.delete"]
    assert {entry["target"] for entry in log} == {made["tuning_id"]}
    assert [entry["before"] is None for entry in log] == [True, False, False]
    assert [entry["after"] is None for entry in log] == [False, False, True]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "body"),
        ({"strictness": None}, "body"),
        ({"strictness": 0.05}, "strictness"),
        ({"strictness": 101}, "strictness"),
        ({"strictness": "much"}, "strictness"),
        ({"merge_s": False}, "merge_s"),
        ({"merge_s": 60.5}, "merge_s"),
        ({"deviation_min": -1}, "deviation_min"),
        ({"direction": "sideways"}, "direction"),
        ({"merge_s": 3601}, "merge_s"),
        ({"cool_down_s": 86_401}, "cool_down_s"),
        ({"silence_after_s": 4}, "silence_after_s"),
        ({"strictness": 2, "stream_pattern": "a b"}, "stream_pattern"),
        ({"strictness": 2, "stream_pattern": ""}, "stream_pattern"),
        ({"strictness": 2, "metric_pattern": "x" * 129}, "metric_pattern"),
        ({"strictness": 2, "metric_pattern": "[ab]"}, "metric_pattern"),
        ({"strictness": 2, "tuning_id": "tun_0123456789abcdef"}, "tuning_id"),
    ],
)
async def test_what_makes_no_sense_is_named_and_not_kept(
    client: httpx.AsyncClient, given: dict[str, Any], field: str
):
    answer = await client.post(TUNINGS, json=BENCH | given)
    assert list_fields(read_problem(answer, 422, "invalid")) == {field}
    assert (await client.get(TUNINGS)).json()["data"] == []


async def test_there_is_one_tuning_for_the_same_streams_and_metrics(client: httpx.AsyncClient):
    first = await create(client, strictness=2)
    again = await client.post(TUNINGS, json=BENCH | {"strictness": 3})
    assert first["tuning_id"] in read_problem(again, 409, "conflict")["detail"]
    other = await create(client, stream_pattern="*", strictness=3)
    moved = await client.put(f"{TUNINGS}/{other['tuning_id']}", json=BENCH | {"strictness": 3})
    assert first["tuning_id"] in read_problem(moved, 409, "conflict")["detail"]


async def test_tunings_are_listed_by_what_they_are_about_page_by_page(client: httpx.AsyncClient):
    about = [("*", "*"), ("*", "chat_count"), ("a", "*"), ("a", "temp"), ("b*", "*")]
    for stream, metric in reversed(about):
        await create(client, stream_pattern=stream, metric_pattern=metric, strictness=2)
    seen, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(TUNINGS, params=query)).json()
        TuningPage.model_validate(page)
        seen += [(one["stream_pattern"], one["metric_pattern"]) for one in page["data"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == about
    read_problem(await client.get(TUNINGS, params={"cursor": "bm9uZQ"}), 422, "invalid")


async def test_there_are_no_more_tunings_than_the_flow_holds(connection: asyncpg.Connection):
    await connection.execute(
        "INSERT INTO tunings (tuning_id, stream_pattern, metric_pattern, strictness, created_by,"
        " updated_by) SELECT 'tun_' || n, 's' || n, '*', 2, 'me', 'me'"
        " FROM generate_series(1, $1) AS n",
        RULES_MAX - 1,
    )
    store = TuningStore(connection)
    await store.insert(TuningRule("tun_a", "last", strictness=2.0), actor=ACTOR)
    with pytest.raises(ConflictError, match="Delete one first"):
        await store.insert(TuningRule("tun_b", "one_more", strictness=2.0), actor=ACTOR)
    assert len((await store.load()).rules) == RULES_MAX


async def test_what_is_stored_is_what_the_flow_judges_by(connection: asyncpg.Connection):
    store = TuningStore(connection)
    assert (await store.load()).version == 0
    rule = TuningRule(
        "tun_a",
        "north*",
        "temp",
        is_watched=False,
        strictness=0.5,
        deviation_min=1e100,
        direction="down",
        merge=timedelta(),
        cool_down=timedelta(hours=24),
        silence_after=timedelta(seconds=5),
    )
    await store.insert(rule, actor=ACTOR)
    tunings = await store.load()
    assert tunings.rules == (rule,)
    assert tunings.version == await store.stamp() != 0
    assert tunings.find("northlight", "temp") == Tuning(
        is_watched=False,
        strictness=0.5,
        deviation_min=1e100,
        direction="down",
        merge=timedelta(),
        cool_down=timedelta(hours=24),
        silence_after=timedelta(seconds=5),
    )
