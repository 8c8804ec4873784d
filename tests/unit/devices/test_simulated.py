"""The simulated device as a process, against a server that speaks the protocol of devices."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.fixtures.device_servers import DeviceServer, Message
from tests.fixtures.processes import ModuleProcess
from tests.fixtures.waiting import eventually

SENSORS = {"temperature", "pressure", "humidity"}


class Bench:
    """The process, and the server that it talks to."""

    def __init__(self, server: DeviceServer, folder: Path, *arguments: str) -> None:
        self.server = server
        self.labels = folder / "truth.ndjson"
        command = ["streaming.devices.simulated", "--id", "bench_1", "--url", server.url]
        command += ["--labels", str(self.labels), *arguments]
        environment = {"TELEMETRA_DATA_DIR": str(folder), "LOG_LEVEL": "INFO"}
        self.process = ModuleProcess(command, folder / "log", environment)
        self._orders = 0

    async def order(self, command: str, **parameters: Any) -> Message:
        """Have a command carried out, and return how it ended."""
        self._orders += 1
        command_id = f"cmd_{self._orders}"
        await self.server.order(command_id, command, **parameters)
        return await self.server.wait_for_end(command_id)

    def read_labels(self) -> list[dict[str, Any]]:
        """Return the labels that are written down."""
        return [orjson.loads(line) for line in self.labels.read_bytes().splitlines()]


@pytest.fixture
def bench(device_server: DeviceServer, tmp_path: Path) -> Iterator[Bench]:
    running = Bench(device_server, tmp_path)
    yield running
    running.process.kill()


@pytest.fixture
async def running(bench: Bench) -> Bench:
    bench.process.start()
    await bench.server.wait_for_devices()
    return bench


async def test_it_measures_at_once_and_says_what_it_can_do(running):
    (registration,) = running.server.registrations
    assert registration["telemetry_types"].keys() == {*SENSORS, "system_status"}
    assert registration["command_templates"].keys() == {
        "set_update_interval",
        "reset_sensors",
        "set_sensor_value",
        "get_status",
        "calibrate_sensors",
        "inject_fault",
        "clear_faults",
    }
    points = await eventually(lambda: running.server.points)
    assert {point["id"] for point in points[:4]} == {*SENSORS, "system_status"}
    assert len({point["timestamp"] for point in points[:4]}) == 1


async def test_another_interval_is_felt_at_once(running):
    end = await running.order("set_update_interval", interval=0.1)
    assert end["message"] == "measures every 0.1 s"
    before = len(running.server.points)
    await eventually(lambda: len(running.server.points) > before + 40)
    assert (await running.order("get_status"))["details"]["interval_s"] == 0.1


async def test_calibration_is_told_while_it_goes_on(running):
    end = await running.order("calibrate_sensors", duration=1)
    assert end["details"].keys() == SENSORS
    stages = running.server.list_stages("cmd_1")
    assert stages[0] == "acknowledged"
    assert stages[1:-1]
    assert set(stages[1:-1]) == {"running"}
    shown = [point["value"] for point in running.server.points if point["id"] == "system_status"]
    assert "calibrating" in shown


async def test_a_calibration_that_is_cancelled_leaves_the_device_as_it_was(running):
    await running.server.order("cmd_0", "calibrate_sensors", duration=30)
    await eventually(lambda: "running" in running.server.list_stages("cmd_0"))
    await running.server.say(type="cancel", command_id="cmd_0")
    assert (await running.server.wait_for_end("cmd_0"))["message"] == "cancelled"
    status = await running.order("get_status")
    assert status["details"]["status"] == "operational"


async def test_a_value_that_is_set_is_measured_and_a_wrong_one_refused(running):
    await running.order("set_sensor_value", sensor="temperature", value=70.0)

    def read_last() -> float:
        found = [each["value"] for each in running.server.points if each["id"] == "temperature"]
        return float(found[-1]) if found else 0.0

    await eventually(read_last, holds=lambda value: abs(value - 70) < 3)
    refused = await running.order("set_sensor_value", sensor="temperature", value=700.0)
    assert (refused["stage"], refused["message"]) == (
        "failed",
        "temperature shows -40 to 85 °C.",
    )
    await running.order("reset_sensors")
    await eventually(read_last, holds=lambda value: abs(value - 22) < 3)


async def test_a_fault_that_is_asked_for_is_labelled_when_it_is_cleared(running):
    end = await running.order("inject_fault", kind="dropout", sensor="humidity", seconds=600)
    assert end["stage"] == "succeeded"
    again = await running.order("inject_fault", kind="spike", sensor="humidity", seconds=600)
    assert again["stage"] == "failed"
    await eventually(
        lambda: [point["id"] for point in running.server.points[-1:]] == ["system_status"]
    )
    assert (await running.order("get_status"))["details"]["faults"] == ["dropout humidity"]
    await running.order("clear_faults")
    (label,) = await eventually(running.read_labels)
    assert (label["kind"], label["channel"], label["stream_id"]) == (
        "dropout",
        "humidity",
        "bench_1",
    )


async def test_a_signal_stops_it_and_what_was_wrong_is_labelled(running):
    await running.order("inject_fault", kind="stuck", sensor="pressure", seconds=600)
    await eventually(lambda: any(each["id"] == "pressure" for each in running.server.points))
    assert await asyncio.to_thread(running.process.stop) == 0
    (label,) = running.read_labels()
    assert label["kind"] == "stuck"
    assert '"device_stopped"' in running.process.read_log()


async def test_a_server_that_comes_later_is_found(tmp_path):
    server = DeviceServer()
    async with server.listening():
        pass
    bench = Bench(server, tmp_path)
    bench.process.start()
    try:
        await eventually(lambda: "server is away" in bench.process.read_log())
        async with server.listening():
            await server.wait_for_devices()
            assert await eventually(lambda: server.points)
            bench.process.kill()
    finally:
        bench.process.kill()


async def test_a_refusal_ends_it_with_one_line(device_server, bench):
    device_server.refuses = (4409, "replaced by a newer connection")
    bench.process.start()
    await eventually(lambda: not bench.process.is_running)
    last = bench.process.read_log().splitlines()[-1]
    assert last == (
        "telemetra device simulate: The server refuses: replaced by a newer connection."
    )
