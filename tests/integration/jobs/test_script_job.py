"""The job that runs scripts: step by step, in the asker's name, to one end."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from core.clock import SystemClock
from core.settings import Settings
from db.device_logs import DeviceLogStore, LogRow
from tests.fixtures.api_keys import list_audit, make_key, wait_until_known
from tests.fixtures.clients import open_client
from tests.fixtures.devices import Peer, a_client, a_device
from tests.fixtures.scripts import (
    DEVICE,
    abort_run,
    post_script,
    read_run,
    start_script,
    wait_for_run,
    wait_for_step,
)
from tests.fixtures.stt_tasks import read_jobs
from tests.fixtures.waiting import eventually
from tests.integration.devices.asking import read_command
from tests.integration.jobs.conftest import working

HEAT = """\
name: count and heat
steps:
  - command: count_to
    parameters: {number: 3}
  - wait: {telemetry: temperature, is: ">=", value: 80, within_seconds: 60}
  - pause: 0.2
  - command: open
"""
OPEN = "steps:\n  - command: open\n"
LONG = "steps:\n  - command: open\n  - pause: 600\n"


def list_states(run: dict[str, Any]) -> list[str]:
    return [step["state"] for step in run["steps"]]


async def hear_runs(client: Peer, run_id: str, until: str) -> list[dict[str, Any]]:
    """Return what a client is told of a run, up to a state."""
    told: list[dict[str, Any]] = []
    while not told or told[-1]["value"]["state"] != until:
        told.append(await client.hear(lambda m: m["type"] == "script_run" and m["id"] == run_id))
    return told


async def test_a_script_is_done_step_by_step_and_told_to_every_client(
    served: str, connection: asyncpg.Connection, settings: Settings
) -> None:
    async with working(settings), a_device(served) as device, a_client(served) as client:
        run_id = await start_script(served, HEAT)
        first = await device.hear_command("count_to")
        await device.result(first, "succeeded", message="counted")
        running = await wait_for_step(served, run_id, 2, "running")
        assert running["current"] == {
            "number": 2,
            "line": 5,
            "kind": "wait",
            "text": "wait for temperature >= 80",
            "began_at": running["current"]["began_at"],
        }
        await device.point("temperature", 79.0)
        await device.point("temperature", 81.5)
        await device.result(await device.hear_command("open"), "succeeded")
        run = await wait_for_run(served, run_id, "succeeded")
        told = await hear_runs(client, run_id, "succeeded")
    assert (run["name"], run["asker"], run["message"]) == ("count and heat", "everyone", None)
    assert list_states(run) == ["succeeded"] * 4
    assert run["steps"][1]["message"] == "temperature is 81.5"
    assert run["steps"][0]["command_id"] == first["command_id"]
    assert (run["steps_done"], run["steps_total"], run["current"]) == (4, 4, None)
    states = [each["value"]["state"] for each in told]
    assert (states[-2:], "queued" in states[1:]) == (["running", "succeeded"], False)
    done = [each["value"]["steps_done"] for each in told]
    assert done == sorted(done)
    assert {each["value"]["run_id"] for each in told} == {run_id}
    assert set(told[-1]["value"]) == set(run) - {"text", "steps"}
    await eventually(lambda: read_jobs(connection), holds=lambda jobs: jobs == ["succeeded"])


async def test_what_was_measured_before_counts(served: str, settings: Settings) -> None:
    text = 'steps:\n  - wait: {telemetry: status, is: "==", value: ok, within_seconds: 60}\n'
    async with a_device(served) as device:
        await device.point("status", "ok")
        async with working(settings):
            run_id = await start_script(served, text)
            await wait_for_run(served, run_id, "succeeded")


async def test_what_was_told_before_and_is_stored_later_counts(
    served: str, settings: Settings, connection: asyncpg.Connection
) -> None:
    text = 'steps:\n  - wait: {telemetry: status, is: "==", value: ok, within_seconds: 60}\n'
    async with working(settings), a_device(served):
        run_id = await start_script(served, text)
        await wait_for_step(served, run_id, 1, "running")
        # It has looked by now, found nothing, and nobody tells it this.
        now = SystemClock().now()
        row = LogRow(DEVICE, now, 0, "data", "status", '"ok"', now)
        await DeviceLogStore(connection).insert([row])
        await wait_for_run(served, run_id, "succeeded")


async def test_a_step_that_fails_ends_it_with_the_reason(served: str, settings: Settings) -> None:
    late = 'wait: {telemetry: count, is: ">", value: 5, within_seconds: 0.3}'
    text = f"steps:\n  - {late}\n    on_failure: continue\n  - command: open\n  - pause: 1\n"
    async with working(settings), a_device(served) as device:
        run_id = await start_script(served, text)
        await device.result(await device.hear_command(), "failed", message="The door is stuck.")
        run = await wait_for_run(served, run_id, "failed")
    assert list_states(run) == ["failed", "failed", "skipped"]
    assert run["message"] == "Step 2, line 4: failed: The door is stuck."


async def test_a_device_that_is_gone_times_out_and_fails_the_run(
    served: str, settings: Settings
) -> None:
    text = "steps:\n  - command: open\n    timeout_seconds: 1\n  - pause: 1\n"
    async with a_device(served):
        pass
    async with working(settings):
        run_id = await start_script(served, text)
        run = await wait_for_run(served, run_id, "failed")
    assert list_states(run) == ["failed", "skipped"]
    command = await read_command(served, run["steps"][0]["command_id"], wait=10)
    assert command["state"] in {"cancelled", "timed_out"}


async def test_a_device_that_is_deleted_ends_its_run(
    served: str, connection: asyncpg.Connection, settings: Settings
) -> None:
    async with working(settings), a_client(served) as client:
        async with a_device(served) as device:
            run_id = await start_script(served, LONG)
            await device.result(await device.hear_command(), "succeeded")
            await wait_for_step(served, run_id, 2, "running")
        async with open_client() as http:
            answer = await http.delete(f"http://{served}/api/v1/devices/{DEVICE}")
        assert answer.status_code == 200
        told = await hear_runs(client, run_id, "failed")
        assert "deleted" in told[-1]["value"]["message"]
        await eventually(lambda: read_jobs(connection), holds=lambda jobs: jobs == ["succeeded"])
    assert await connection.fetchval("SELECT count(*) FROM script_runs") == 0


async def test_an_end_whose_answer_was_lost_is_told_all_the_same(
    served: str, connection: asyncpg.Connection, settings: Settings
) -> None:
    async with working(settings), a_device(served) as device, a_client(served) as client:
        run_id = await start_script(served, LONG)
        await device.result(await device.hear_command(), "succeeded")
        await wait_for_step(served, run_id, 2, "running")
        await connection.execute(
            "UPDATE script_runs SET state = 'succeeded', ended_at = now(), revision = revision + 1"
        )
        await hear_runs(client, run_id, "succeeded")
        await eventually(lambda: read_jobs(connection), holds=lambda jobs: jobs == ["succeeded"])


async def test_an_abort_cancels_the_command_in_hand_and_skips_the_rest(
    served: str, settings: Settings
) -> None:
    text = "steps:\n  - command: open\n    on_failure: continue\n  - command: open\n"
    async with working(settings), a_device(served) as device:
        run_id = await start_script(served, text)
        command = await device.hear_command()
        await device.result(command, "running")
        answer = await abort_run(served, run_id)
        assert answer.status_code == 200
        assert answer.json()["abort_asked_by"] == "everyone"
        cancelled = await device.hear_kind("cancel")
        assert cancelled["command_id"] == command["command_id"]
        run = await wait_for_run(served, run_id, "aborted")
        assert (await abort_run(served, run_id)).status_code == 409
    assert list_states(run) == ["aborted", "skipped"]
    assert run["message"] == "Aborted by everyone."
    assert (await read_command(served, command["command_id"]))["state"] == "cancelled"


async def test_an_abort_asked_twice_is_one_and_a_queued_run_ends_at_once(
    served: str, connection: asyncpg.Connection, settings: Settings
) -> None:
    async with a_device(served):
        run_id = await start_script(served, OPEN)
        first = (await abort_run(served, run_id)).json()
        assert (first["state"], first["steps_done"]) == ("aborted", 0)
        run = await read_run(served, run_id)
        assert list_states(run) == ["skipped"]
        assert await read_jobs(connection) == ["cancelled"]
        # The device is free for another one.
        again = await start_script(served, LONG)
        async with working(settings):
            await wait_for_step(served, again, 1, "running")
        # Nobody runs it any more: it is asked for, and done by the next worker.
        asked = (await abort_run(served, again)).json()
        twice = (await abort_run(served, again)).json()
        assert asked == twice
        assert (asked["state"], asked["abort_asked_at"] is None) == ("running", False)
        async with working(settings):
            await wait_for_run(served, again, "aborted")


async def test_a_worker_that_stops_lets_go_and_the_next_goes_on(
    served: str, connection: asyncpg.Connection, settings: Settings
) -> None:
    async with a_device(served) as device:
        async with working(settings):
            run_id = await start_script(served, HEAT)
            command = await device.hear_command()
        assert (await read_run(served, run_id))["state"] == "running"
        assert await read_jobs(connection) == ["todo"]
        # Done while nobody listened.
        await device.result(command, "succeeded")
        await device.hear_kind("result_taken")
        await device.point("temperature", 90.0)
        async with working(settings):
            await device.result(await device.hear_command("open"), "succeeded")
            run = await wait_for_run(served, run_id, "succeeded")
    assert list_states(run) == ["succeeded"] * 4
    assert await connection.fetchval("SELECT count(*) FROM commands") == 2
    assert await connection.fetchval("SELECT attempts FROM script_runs") == 2


async def test_dangerous_commands_are_confirmed_as_whoever_began_it(
    served: str, connection: asyncpg.Connection, settings: Settings
) -> None:
    text = "steps:\n  - command: vent\n"
    async with working(settings), a_device(served) as device:
        refused = await post_script(served, text)
        assert refused.status_code == 409
        assert "vent (line 2)" in refused.json()["detail"]
        run_id = await start_script(served, text, confirm_dangerous=True)
        await device.result(await device.hear_command("vent"), "succeeded")
        await wait_for_run(served, run_id, "succeeded")
    said = [(row["action"], row["actor_name"]) for row in await list_audit(connection)]
    assert said == [("command.ask", "everyone"), ("command.confirm", "everyone")]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("UPDATE api_keys SET revoked_at = now() WHERE key_id = $1", "was revoked"),
        ("UPDATE api_keys SET scopes = '{read}' WHERE key_id = $1", "has lost the scope operate"),
        ("UPDATE api_keys SET streams = '{other}' WHERE key_id = $1", "does not reach"),
    ],
)
async def test_a_key_that_may_no_longer_sends_no_more(
    served: str, connection: asyncpg.Connection, settings: Settings, change: str, reason: str
) -> None:
    _, admin = await make_key(connection, "admin")
    key_id, operator = await make_key(connection, "operate", "read")
    await asyncio.to_thread(wait_until_known, f"http://{served}", operator["Authorization"][7:])
    text = "steps:\n  - command: open\n  - command: open\n    on_failure: continue\n  - pause: 1\n"
    async with working(settings), a_device(served, headers=admin) as device:
        run_id = await start_script(served, text, headers=operator)
        command = await device.hear_command()
        await connection.execute(change, key_id)
        await device.result(command, "succeeded")
        run = await wait_for_run(served, run_id, "failed", admin)
    assert list_states(run) == ["succeeded", "failed", "skipped"]
    assert reason in run["message"]
    assert await connection.fetchval("SELECT count(*) FROM commands") == 1


async def test_a_script_begun_without_a_key_ends_when_keys_are_asked_for(
    served: str, connection: asyncpg.Connection, settings: Settings
) -> None:
    text = "steps:\n  - command: open\n  - command: open\n"
    async with working(settings), a_device(served) as device:
        await start_script(served, text)
        command = await device.hear_command()
        await make_key(connection, "admin")
        await device.result(command, "succeeded")
        row = await eventually(
            lambda: connection.fetchrow("SELECT state, message FROM script_runs"),
            holds=lambda row: row is not None and row["state"] == "failed",
        )
    assert row is not None
    assert "A key is needed by now" in row["message"]


async def test_scripts_and_speech_do_not_wait_for_one_another(
    served: str, settings: Settings
) -> None:
    names = [f"chamber-{number}" for number in range(1, 9)]
    async with working(settings):
        for name in names:
            async with a_device(served, name):
                pass
            async with open_client() as http:
                answer = await http.post(
                    f"http://{served}/api/v1/devices/{name}/scripts",
                    json={"text": "steps:\n  - pause: 600\n"},
                )
                assert answer.status_code == 202

        async def count_running() -> int:
            count = 0
            async with open_client() as http:
                for name in names:
                    url = f"http://{served}/api/v1/devices/{name}/scripts"
                    rows = (await http.get(url, params={"state": "running"})).json()["data"]
                    count += sum(row["current"] is not None for row in rows)
            return count

        # More than there are connections, and than speech has places.
        await eventually(count_running, holds=lambda count: count == len(names), within_s=60)


async def test_times_are_kept_when_a_run_is_taken_up_again(
    served: str, connection: asyncpg.Connection, settings: Settings
) -> None:
    async with a_device(served):
        async with working(settings):
            run_id = await start_script(served, "steps:\n  - pause: 3600\n")
            await wait_for_step(served, run_id, 1, "running")
        began_at = datetime(2026, 1, 1, tzinfo=UTC)
        await connection.execute("UPDATE script_runs SET step_began_at = $1", began_at)
        async with working(settings):
            run = await wait_for_run(served, run_id, "succeeded")
    assert run["steps"][0]["took_ms"] > 3_600_000
