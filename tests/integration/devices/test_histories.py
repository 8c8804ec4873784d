"""The log of a device: complete, asked by time, type and id, and cleared only on purpose."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from core.clock import SystemClock
from tests.fixtures.api_keys import list_audit
from tests.fixtures.clients import open_client
from tests.fixtures.devices import a_client, a_device
from tests.fixtures.waiting import eventually
from tests.integration.devices.asking import ask

ALIAS = "/historical-data"
HISTORY = "/api/v1/devices/chamber-1/history"
START = SystemClock().now().replace(microsecond=0) - timedelta(hours=1)


def at(second: int) -> str:
    return (START + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")


async def read(address: str, path: str = ALIAS, **asked: Any) -> dict[str, Any]:
    async with open_client() as http:
        answer = await http.get(f"http://{address}{path}", params=asked)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


async def fill(address: str, *, points: int) -> None:
    """Say points, a second apart, and wait until all are in the log."""
    async with a_device(address) as device:
        for first in range(0, points, 5000):
            await device.say(
                type="points",
                points=[
                    {"id": "count", "value": n, "timestamp": at(n % 3000)}
                    for n in range(first, min(first + 5000, points))
                ],
            )
        await eventually(
            lambda: read(address, limit=1), holds=lambda page: page["total_records"] == points
        )


async def test_nothing_falls_out_of_the_log(served: str) -> None:
    await fill(served, points=12_000)
    page = await read(served, limit=1000)
    assert page["total_records"] == page["filtered_records"] == 12_000
    seen: list[int] = []
    page = await read(served, HISTORY, limit=1000)
    while True:
        seen += [row["value"] for row in page["data"]]
        if page["next_cursor"] is None:
            break
        page = await read(served, HISTORY, limit=1000, cursor=page["next_cursor"])
    assert sorted(seen) == list(range(12_000))


@pytest.mark.parametrize(
    "since",
    [
        at(7),
        at(7).removesuffix("Z"),
        at(7).replace("Z", "+00:00"),
        str(int(START.timestamp()) + 7),
        str((int(START.timestamp()) + 7) * 1000),
        str((int(START.timestamp()) + 7) * 1_000_000_000),
        (START + timedelta(seconds=7)).astimezone(UTC).isoformat(),
    ],
    # Workers must name tests alike, whenever they begin.
    ids=["Z", "without a zone", "offset", "seconds", "milliseconds", "nanoseconds", "Python's"],
)
async def test_times_are_understood_however_they_are_written(served: str, since: str) -> None:
    await fill(served, points=10)
    for path in (ALIAS, HISTORY):
        page = await read(served, path, since=since)
        assert [row["value"] for row in page["data"]] == [9, 8, 7]
        assert (page["total_records"], page["filtered_records"]) == (10, 3)
        page = await read(served, path, until=since, limit=2)
        assert [row["value"] for row in page["data"]] == [7, 6]
        assert page["filtered_records"] == 8


@pytest.mark.parametrize(
    "asked",
    [
        {"since": "yesterday"},
        {"since": "2026-13-01T00:00:00Z"},
        {"until": "null"},
        {"until": ""},
        {"since": "1e400"},
        {"limit": 0},
        {"limit": 1001},
        {"limit": "many"},
        {"type": "everything"},
        {"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"},
        {"cursor": "junk"},
        {"unknown": "1"},
    ],
)
async def test_junk_is_refused_and_never_a_crash(served: str, asked: dict[str, str]) -> None:
    async with a_device(served), open_client(f"http://{served}") as http:
        for path in (ALIAS, HISTORY):
            answer = await http.get(path, params=asked)
            assert answer.status_code == 422, answer.text
            assert answer.json()["detail"]


async def test_what_became_of_commands_stands_beside_what_was_measured(served: str) -> None:
    async with a_device(served) as device, a_client(served) as client:
        await device.point("status", "ok")
        await device.say(type="message", message="The door is open.", details={"door": 2})
        assert (await client.hear_kind("device_message"))["value"] == {
            "message": "The door is open.",
            "details": {"door": 2},
        }
        await ask(served, "open")
        command = await device.hear_command()
        await device.result(command, "succeeded")
        await client.hear_result("succeeded")
        page = await eventually(lambda: read(served), holds=lambda page: page["total_records"] == 5)
        by_type = {
            kind: [row["value"] for row in page["data"] if row["type"] == kind]
            for kind in ("data", "device_message", "command_result")
        }
        assert by_type["data"] == ["ok"]
        states = [value["state"] for value in by_type["command_result"]]
        assert states == ["succeeded", "sent", "queued"]
        only = await read(served, type="command_result", id="command_result")
        assert (only["filtered_records"], only["total_records"]) == (3, 5)
        assert (await read(served, id="status"))["filtered_records"] == 1


async def test_a_log_is_cleared_only_by_its_name_and_that_is_kept(
    served: str, connection: asyncpg.Connection
) -> None:
    await fill(served, points=10)
    async with open_client(f"http://{served}") as http:
        for path in (ALIAS, HISTORY):
            for asked in ({}, {"confirm": "true"}, {"confirm": "chamber-2"}):
                refused = await http.delete(path, params=asked)
                assert refused.status_code == 422
                assert "'chamber-1'" in refused.json()["detail"]
        assert (await read(served))["total_records"] == 10
        cleared = await http.delete(ALIAS, params={"confirm": "chamber-1"})
        assert cleared.json() == {
            "device_id": "chamber-1",
            "deleted_records": 10,
            "complete": True,
        }
        assert (await read(served))["total_records"] == 0
        assert (await http.delete(HISTORY, params={"confirm": "chamber-1"})).status_code == 404
    entries = [entry for entry in await list_audit(connection) if "device_log" in entry["action"]]
    assert [(entry["action"], entry["before"]) for entry in entries] == [
        ("device_log.clear", {"rows": 10})
    ]


async def test_a_log_survives_its_device_and_the_process(served: str) -> None:
    await fill(served, points=3)
    async with open_client(f"http://{served}") as http:
        await http.delete("/api/v1/devices/chamber-1")
        page = (await http.get(HISTORY)).json()
    assert [row["value"] for row in page["data"]] == [2, 1, 0]
    assert datetime.fromisoformat(page["data"][0]["timestamp"]) == START + timedelta(seconds=2)
