"""What front ends of devices rely on: live telemetry, commands that run, types, and the whole log.

Written from the contract alone, through the paths that those front ends call.
"""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from websockets.asyncio.client import connect

from core.clock import SystemClock
from tests.acceptance.contracts import (
    WAIT_S,
    Row,
    read_row,
    require_fields,
    require_problem,
    require_time,
)
from tests.fixtures.api_processes import ApiProcess
from tests.fixtures.clients import open_client
from tests.fixtures.devices import REGISTRATION, TEMPLATES, TYPES, Device, Peer, a_client, a_device
from tests.fixtures.processes import ModuleProcess
from tests.fixtures.waiting import eventually

DEVICE: Final = "chamber-1"
HISTORY: Final = "/historical-data"
POINTS: Final = 12_000
"""More than a log of ten thousand would keep."""

BURST: Final = 40
LONG: Final = "x" * 10_000
"""All of them are more than what buffers on the way to a client hold."""
START: Final = SystemClock().now().replace(microsecond=0) - timedelta(hours=1)


def at(second: int) -> str:
    return (START + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
async def http(served: str) -> AsyncIterator[httpx.AsyncClient]:
    """A front end that asks."""
    async with open_client(f"http://{served}", timeout=60) as http:
        yield http


def tells(name: str, *values: object) -> Callable[[Row], bool]:
    """Return what tells the points of a name, with one of some values or with any."""
    return lambda each: (
        each["type"] == "data" and each["id"] == name and (not values or each["value"] in values)
    )


async def read_log(http: httpx.AsyncClient, **asked: Any) -> Row:
    """Return a page of the log, which always has the same three parts."""
    page = read_row(await http.get(HISTORY, params=asked))
    assert page.keys() >= {"data", "total_records", "filtered_records"}
    for row in page["data"]:
        assert row.keys() >= {"type", "id", "value", "timestamp"}
        require_time(row["timestamp"])
    return page


async def hear_outcome(client: Peer, status: str, command: str) -> Row:
    """Return what is told of a command, which always looks the same."""
    told = await client.hear(
        lambda each: (
            each["type"] == "command_result"
            and each["value"]["status"] == status
            and each["value"]["command"] == command
        ),
        within_s=WAIT_S,
    )
    assert told["id"] == "command_result"
    require_time(told["timestamp"])
    value: Row = told["value"]
    assert value.keys() >= {"command", "status", "message", "details"}
    return value


async def test_every_point_is_a_message_to_everybody(served: str) -> None:
    values: Row = {
        "temperature": 21.5,
        "count": 7,
        "status": "warning",
        "is_open": False,
        "position": [1, 2.5, "left"],
    }
    async with a_client(served) as one, a_client(served) as two, a_device(served) as device:
        await device.say(
            type="points",
            points=[
                {"id": name, "value": value, "timestamp": at(0)} for name, value in values.items()
            ],
        )
        for client in (one, two):
            for name, value in values.items():
                told = await client.hear(tells(name))
                assert told["value"] == value
                assert type(told["value"]) is type(value)
                assert require_time(told["timestamp"])[:19] == at(0)[:19]
        await device.say(type="message", message="The door is open.", details={"door": 2})
        for client in (one, two):
            told = await client.hear_kind("device_message")
            assert "The door is open." in str(told["value"])
            require_time(told["timestamp"])


async def test_a_command_runs_and_everybody_is_told_its_one_end(
    served: str, http: httpx.AsyncClient
) -> None:
    async with a_device(served) as device, a_client(served) as one, a_client(served) as two:
        asked = {"command": "count_to", "parameters": {"number": 3}, "request_id": "r7"}
        await one.say(type="command", **asked)
        command = await device.hear_command("count_to")
        assert command["parameters"] == {"number": 3}
        assert (await hear_outcome(one, "pending", "count_to"))["request_id"] == "r7"
        await hear_outcome(two, "pending", "count_to")
        await device.result(command, "succeeded", message="Counted.", details={"last": 3})
        for client in (one, two):
            told = await hear_outcome(client, "success", "count_to")
            assert (told["message"], told["details"]) == ("Counted.", {"last": 3})
        # A second end changes nothing.
        await device.result(command, "failed", message="No.")
        await one.say(type="command", command="open", parameters={})
        other = await device.hear_command("open")
        await device.result(other, "failed", message="It is stuck.")
        for client in (one, two):
            assert (await hear_outcome(client, "error", "open"))["message"] == "It is stuck."

        async def list_ends() -> list[tuple[str, str]]:
            page = await read_log(http, type="command_result", limit=100)
            values = [row["value"] for row in page["data"] if row["id"] == "command_result"]
            return [
                (value["command"], value["status"])
                for value in values
                if value["status"] != "pending"
            ]

        await eventually(list_ends, holds=[("open", "error"), ("count_to", "success")].__eq__)


async def test_a_command_that_does_not_fit_is_refused_with_the_reason(served: str) -> None:
    async with a_device(served) as device, a_client(served) as client:
        for command, parameters, words in (
            ("heat", {}, "target"),
            ("heat", {"target": "80"}, "target"),
            ("heat", {"target": True}, "target"),
            ("heat", {"target": None}, "target"),
            ("heat", {"target": 121}, "120"),
            ("heat", {"target": -1}, "0"),
            ("heat", {"target": 1, "fan": 1}, "fan"),
            ("open", {"side": "top"}, "side"),
            ("count_to", {"number": 1.5}, "number"),
            ("count_to", {"number": 0}, "1"),
            ("cool", {}, "cool"),
        ):
            await client.say(type="command", command=command, parameters=parameters)
            told = await hear_outcome(client, "error", command)
            assert words in told["message"], (command, parameters)
        for said in ("{", "[]", "null", '{"type": "dance"}', '{"type": "command"}'):
            await client.socket.send(said)
        await client.say(type="command", command="open", parameters=[1])
        # None of it reached the device, and nobody was cut off.
        await client.say(type="command", command="open", parameters={"side": "left"})
        assert (await device.hear(lambda each: each["type"] == "command"))["parameters"] == {
            "side": "left"
        }


async def test_values_of_another_type_are_refused_and_the_rest_is_taken(
    served: str, http: httpx.AsyncClient
) -> None:
    wrong: dict[str, list[Any]] = {
        "temperature": ["hot", True, None, 151, -41],
        "count": [1.5, "1", False],
        "status": ["broken", 1],
        "is_open": [1, "yes"],
        "position": [{"x": 1}, 5],
        "unheard": [1],
    }
    points = [{"id": name, "value": value} for name, values in wrong.items() for value in values]
    async with a_device(served) as device, a_client(served) as client:
        await device.say(type="points", points=[*points, {"id": "count", "value": 3}])
        refused = await device.hear_kind("refused")
        assert [each["index"] for each in refused["errors"]] == list(range(len(points)))
        assert all(each["reason"] for each in refused["errors"])
        assert (await client.hear_kind("data"))["value"] == 3
        page = await eventually(
            lambda: read_log(http, type="data"), holds=lambda page: page["data"]
        )
        assert [row["value"] for row in page["data"]] == [3]


async def test_what_a_device_can_do_is_told_at_the_root(
    served: str, http: httpx.AsyncClient
) -> None:
    for path in ("/telemetry-types", "/command-templates"):
        # Nobody has registered.
        answer = await http.get(path)
        assert answer.status_code in {200, 404}, answer.text
    async with a_device(served):
        told = read_row(await http.get("/telemetry-types"))
        require_time(told["last_updated"])
        types = told["telemetry_types"]
        assert types.keys() == TYPES.keys()
        assert types["temperature"].items() >= TYPES["temperature"].items()
        assert types["status"]["enum"] == TYPES["status"]["enum"]
        for each in types.values():
            assert each["data_type"] in {"int", "float", "string", "boolean", "array", "object"}
            require_time(each["last_updated"])
        told = read_row(await http.get("/command-templates"))
        require_time(told["last_updated"])
        templates = told["command_templates"]
        assert templates.keys() == TEMPLATES.keys()
        for each in templates.values():
            require_time(each["last_updated"])
        target = templates["heat"]["parameters"]["target"]
        assert target.items() >= TEMPLATES["heat"]["parameters"]["target"].items()
        assert read_row(await http.get("/config-summary"))
        needed = read_row(await http.get("/command-validation/heat"))
        assert "target" in str(needed)
        problem = require_problem(await http.get("/command-validation/cool"), 404)
        assert "cool" in problem["detail"]


ASKED: Final[tuple[tuple[Row, int], ...]] = (
    ({"id": "count"}, 10),
    ({"type": "data"}, 11),
    ({"type": "device_message"}, 0),
    ({"since": at(7)}, 4),
    ({"since": at(7).removesuffix("Z")}, 4),
    ({"since": at(7).replace("Z", "+00:00")}, 4),
    ({"since": str(int(START.timestamp()) + 7)}, 4),
    ({"since": str((int(START.timestamp()) + 7) * 1000)}, 4),
    ({"until": at(2)}, 3),
    ({"since": at(2), "until": at(4), "id": "count"}, 3),
    ({"limit": 2}, 11),
)
"""What is asked of eleven points, and how many of them it names."""


async def test_the_log_is_asked_by_limit_type_id_and_time(
    served: str, http: httpx.AsyncClient
) -> None:
    async with a_device(served) as device:
        await device.say(
            type="points",
            points=[{"id": "count", "value": n, "timestamp": at(n)} for n in range(10)],
        )
        await device.say(
            type="points", points=[{"id": "status", "value": "ok", "timestamp": at(20)}]
        )
        await eventually(lambda: read_log(http), holds=lambda page: page["total_records"] == 11)
        for asked, filtered in ASKED:
            page = await read_log(http, **asked)
            assert (page["total_records"], page["filtered_records"]) == (11, filtered), asked
            assert len(page["data"]) == min(filtered, asked.get("limit", filtered))
        for name, junk in (
            *[("since", junk) for junk in ("yesterday", "2026-13-01T00:00:00Z", "", "null")],
            *[("until", junk) for junk in ("yesterday", "2026-02-30T00:00:00Z", "nan")],
            *[("limit", junk) for junk in ("-1", "0", "many", "99999999999999999999")],
            ("type", "everything"),
        ):
            require_fields(await http.get(HISTORY, params={name: junk}), name)
        # It is cleared on purpose only.
        require_problem(await http.delete(HISTORY), 422)
        assert (await read_log(http))["total_records"] == 11
        assert (await http.delete(HISTORY, params={"confirm": DEVICE})).is_success
        page = await read_log(http)
        assert (page["data"], page["total_records"], page["filtered_records"]) == ([], 0, 0)


async def test_the_log_holds_everything_and_survives_the_process(api_process: ApiProcess) -> None:
    await api_process.start()
    address = api_process.url.removeprefix("http://")
    async with open_client(api_process.url, timeout=60) as http:
        async with a_device(address) as device:
            for first in range(0, POINTS, 4000):
                points = [
                    {"id": "count", "value": n, "timestamp": at(n // 10)}
                    for n in range(first, first + 4000)
                ]
                await device.say(type="points", points=points)
            await eventually(
                lambda: read_log(http, limit=1),
                holds=lambda page: page["total_records"] == POINTS,
                within_s=WAIT_S,
            )
        api_process.kill()
        await api_process.start()
        page = await read_log(http, limit=1)
        assert (page["total_records"], page["filtered_records"]) == (POINTS, POINTS)
        # The first and the last that were told are there.
        for moment, last in ((at(0), 0), (at((POINTS - 1) // 10), POINTS - 1)):
            page = await read_log(http, since=moment, until=moment, limit=100)
            assert page["filtered_records"] == 10
            assert last in [row["value"] for row in page["data"]]


async def test_one_slow_client_holds_up_nobody(served: str) -> None:
    async with (
        a_device(served, telemetry_types={**TYPES, "text": {"data_type": "string"}}) as device,
        # It reads nothing that comes after its greeting.
        connect(f"ws://{served}/ws", max_queue=1, compression=None) as slow,
        a_client(served) as client,
    ):
        for number in range(BURST):
            texts = [{"id": "text", "value": f"{LONG}{n}"} for n in range(50)]
            await device.say(type="points", points=[*texts, {"id": "count", "value": number}])
            await client.hear(tells("count", number), within_s=WAIT_S)
        await client.say(type="command", command="open", parameters={})
        await device.result(await device.hear_command("open"), "succeeded")
        await hear_outcome(client, "success", "open")
        slow.transport.abort()


async def test_a_registration_that_does_not_fit_is_refused(served: str) -> None:
    refused: tuple[tuple[Row, str], ...] = (
        ({"telemetry_types": {"a": {"data_type": "number"}}}, "data_type"),
        ({"command_templates": {"a": {"parameters": {"n": {"type": "date"}}}}}, "type"),
    )
    for changed, words in refused:
        async with connect(f"ws://{served}/ws/devices/{DEVICE}") as socket:
            device = Device(socket)
            await device.say(**{**REGISTRATION, **changed})
            assert words in (await device.hear_kind("error"))["detail"]
            await device.hear_close()


@pytest.fixture
async def simulator(served: str, tmp_path: Path) -> AsyncIterator[ModuleProcess]:
    """The simulated device as a process."""
    command = ["streaming.devices.simulated", "--url", f"http://{served}"]
    environment = {"TELEMETRA_DATA_DIR": str(tmp_path / "device")}
    process = ModuleProcess(command, tmp_path / "device.log", environment)
    process.start()
    yield process
    process.kill()


async def test_the_simulator_measures_and_does_as_it_is_told(
    served: str, http: httpx.AsyncClient, simulator: ModuleProcess
) -> None:
    async with a_client(served) as client:
        for name in ("temperature", "pressure", "humidity", "system_status"):
            await client.hear(tells(name), within_s=WAIT_S)
        assert simulator.is_running
        types = read_row(await http.get("/telemetry-types"))["telemetry_types"]
        assert types.keys() >= {"temperature", "pressure", "humidity", "system_status"}
        templates = read_row(await http.get("/command-templates"))["command_templates"]
        interval = templates["set_update_interval"]["parameters"]["interval"]
        assert (interval["min"], interval["max"]) == (0.1, 60)
        assert templates.keys() >= {
            *("set_update_interval", "reset_sensors", "set_sensor_value"),
            *("get_status", "calibrate_sensors"),
        }
        for refused in (0.05, 61, "fast"):
            await client.say(
                type="command", command="set_update_interval", parameters={"interval": refused}
            )
            told = await hear_outcome(client, "error", "set_update_interval")
            assert "interval" in told["message"]
        for command, parameters in (
            ("get_status", {}),
            ("set_update_interval", {"interval": 0.1}),
            ("reset_sensors", {}),
            ("calibrate_sensors", {"duration": 1}),
        ):
            await client.say(type="command", command=command, parameters=parameters)
            await hear_outcome(client, "pending", command)
            await hear_outcome(client, "success", command)
