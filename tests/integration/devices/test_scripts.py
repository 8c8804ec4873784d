"""Scripts over HTTP: looked at, taken once, one a device, listed; nobody runs them here."""

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from api.app import build_app
from core.settings import Settings
from core.yaml_texts import TEXT_BYTES_MAX
from tests.fixtures.apis import serving
from tests.fixtures.clients import open_client
from tests.fixtures.devices import a_client, a_device
from tests.fixtures.proxies import proxying
from tests.fixtures.scripts import DEVICE, abort_run, post_script, read_run, start_script
from tests.fixtures.stt_tasks import read_jobs

PATH = f"/api/v1/devices/{DEVICE}/scripts"
OPEN = "name: let in\nsteps:\n  - command: open\n    parameters: {side: left}\n  - pause: 5\n"


async def check(address: str, text: str) -> httpx.Response:
    async with open_client(timeout=60) as client:
        return await client.post(f"http://{address}{PATH}/check", json={"text": text})


@pytest.fixture
async def registered(served: str) -> str:
    """The address of an API that knows a device, which is away."""
    async with a_device(served):
        return served


async def test_a_script_is_looked_at_and_nothing_is_done(
    registered: str, connection: asyncpg.Connection
) -> None:
    answer = await check(registered, OPEN + "  - command: vent\n  - command: vent\n")
    assert answer.status_code == 200
    told = answer.json()
    assert (told["name"], told["dangerous"]) == ("let in", ["vent"])
    assert [(step["number"], step["line"], step["kind"], step["text"]) for step in told["steps"]][
        :2
    ] == [(1, 3, "command", "open side=left"), (2, 5, "pause", "pause 5 s")]
    assert {step["state"] for step in told["steps"]} == {"waiting"}
    assert await connection.fetchval("SELECT count(*) FROM script_runs") == 0


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("steps:\n- command: melt", ["line 2"]),
        ("steps:\n- command: open\n  parameters: {side: up}", ["line 2"]),
        ("steps:\n- pause: 1\n- wait: {telemetry: x}\n- pause: soon", ["line 3", "line 4"]),
        ("steps: [", []),
        ("a: &b 1\nc: *b", []),
        ("\x00", []),
        ('steps:\n- command: open\n  parameters: {side: "\\0"}', ["line 3"]),
        ('steps:\n- command: open\n  parameters: {side: "\\ud800"}', ["line 3"]),
        (f"steps:\n- command: count_to\n  parameters: {{number: {10**30}}}", ["line 3"]),
        ("x" * (TEXT_BYTES_MAX + 1), ["text"]),
        ("ä" * (TEXT_BYTES_MAX // 2 + 1), []),
        ("", ["text"]),
    ],
)
async def test_what_is_no_script_of_the_device_is_refused_line_by_line(
    registered: str, connection: asyncpg.Connection, text: str, fields: list[str]
) -> None:
    for answer in (await check(registered, text), await post_script(registered, text)):
        assert answer.status_code == 422, answer.text
        assert [error["field"] for error in answer.json().get("errors", [])] == fields
    assert await connection.fetchval("SELECT count(*) FROM script_runs") == 0
    assert await read_jobs(connection) == []


async def test_a_device_that_nobody_knows_runs_nothing(served: str) -> None:
    assert (await check(served, OPEN)).status_code == 404
    assert (await post_script(served, OPEN)).status_code == 404
    async with open_client() as client:
        assert (await client.get(f"http://{served}{PATH}")).status_code == 404


async def test_a_script_is_taken_with_its_job_and_told(
    registered: str, connection: asyncpg.Connection
) -> None:
    async with a_client(registered, "/ws/devices") as client:
        answer = await post_script(registered, OPEN)
        told = await client.hear_kind("script_run")
    run = answer.json()
    assert answer.status_code == 202
    assert (run["state"], run["name"], run["steps_total"], run["text"]) == (
        "queued",
        "let in",
        2,
        OPEN,
    )
    assert told["id"] == run["run_id"]
    assert told["value"] == {name: run[name] for name in run if name not in {"text", "steps"}}
    assert await read_run(registered, run["run_id"]) == run
    assert await read_jobs(connection) == ["todo"]


async def test_of_two_at_once_one_runs_and_the_other_is_told_which(
    registered: str, app: FastAPI, settings: Settings, connection: asyncpg.Connection
) -> None:
    del app
    async with serving(build_app(settings)) as other:
        answers = await asyncio.gather(
            *(post_script(address, OPEN) for address in (registered, other) * 4)
        )
    taken = [answer.json()["run_id"] for answer in answers if answer.status_code == 202]
    refused = [answer for answer in answers if answer.status_code == 409]
    assert (len(taken), len(refused)) == (1, 7)
    assert all(taken[0] in answer.json()["detail"] for answer in refused)
    assert await read_jobs(connection) == ["todo"]


async def test_the_same_request_again_is_the_same_run(
    registered: str, connection: asyncpg.Connection
) -> None:
    answers = await asyncio.gather(*(post_script(registered, OPEN, key="k1") for _ in range(5)))
    assert {answer.status_code for answer in answers} == {202}
    (run_id,) = {answer.json()["run_id"] for answer in answers}
    await abort_run(registered, run_id)
    again = await post_script(registered, OPEN, key="k1")
    assert (again.json()["run_id"], again.json()["state"]) == (run_id, "aborted")
    other = await post_script(registered, OPEN + "  - pause: 1\n", key="k1")
    assert other.status_code == 409
    assert "Idempotency-Key" in other.json()["detail"]
    assert await read_jobs(connection) == ["cancelled"]


async def test_runs_are_listed_newest_first_and_by_state(registered: str) -> None:
    made = []
    for _ in range(3):
        made.append(await start_script(registered, OPEN))
        await abort_run(registered, made[-1])
    made.append(await start_script(registered, OPEN))

    async def read(**query: Any) -> dict[str, Any]:
        async with open_client() as client:
            answer = await client.get(f"http://{registered}{PATH}", params=query)
        assert answer.status_code == 200
        page: dict[str, Any] = answer.json()
        return page

    first = await read(limit=3)
    rest = await read(limit=3, cursor=first["next_cursor"])
    listed = [run["run_id"] for run in first["data"] + rest["data"]]
    assert (listed, rest["next_cursor"]) == (made[::-1], None)
    assert [run["run_id"] for run in (await read(state="queued"))["data"]] == [made[-1]]
    assert "text" not in first["data"][0]


async def test_when_too_many_wait_the_next_is_refused_and_nothing_is_kept(
    settings: Settings, connection: asyncpg.Connection
) -> None:
    few = settings.model_copy(update={"jobs_waiting_max": 1})
    async with serving(build_app(few)) as address:
        async with a_device(address), a_device(address, "chamber-2"):
            pass
        await start_script(address, OPEN)
        async with open_client() as client:
            answer = await client.post(
                f"http://{address}/api/v1/devices/chamber-2/scripts", json={"text": OPEN}
            )
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert await connection.fetchval("SELECT count(*) FROM script_runs") == 1


async def test_what_became_of_a_run_while_redis_was_away_is_told_later(
    registered: str, settings: Settings, redis_url: str
) -> None:
    del registered
    async with proxying(redis_url) as (proxy, url):
        apart = settings.model_copy(update={"redis_url": url})
        async with (
            serving(build_app(apart)) as deaf,
            serving(build_app(settings)) as other,
            a_client(deaf) as client,
        ):
            proxy.hang()
            run_id = await start_script(other, OPEN)
            await abort_run(other, run_id)
            told = await client.hear(
                lambda m: m["type"] == "script_run" and m["value"]["state"] == "aborted"
            )
    assert told["id"] == run_id
