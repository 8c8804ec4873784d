"""The bridge to MQTT: a device behind a real Mosquitto, as a device of Telemetra."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.device_servers import DeviceServer
from tests.fixtures.mosquittos import Mosquitto
from tests.fixtures.mqtt_devices import MqttPress, pressing, write_description
from tests.fixtures.processes import ModuleProcess
from tests.fixtures.waiting import eventually


@pytest.fixture
def press(mosquitto: Mosquitto) -> Iterator[MqttPress]:
    with pressing(mosquitto) as device:
        yield device


def make_bridge(
    server: DeviceServer, broker: Mosquitto, folder: Path, answer_s: float = 30
) -> ModuleProcess:
    config = write_description(folder, answer_s=answer_s)
    command = ["streaming.devices.mqtt", "--broker", broker.url, "--config", str(config)]
    return ModuleProcess(
        [*command, "--url", server.url], folder / "log", {"TELEMETRA_DATA_DIR": str(folder)}
    )


def list_told(server: DeviceServer) -> list[str]:
    return [each["message"] for each in server.heard if each["type"] == "message"]


def list_values(server: DeviceServer, name: str) -> list[Any]:
    return [point["value"] for point in server.points if point["id"] == name]


@pytest.fixture
async def bridge(
    device_server: DeviceServer, mosquitto: Mosquitto, tmp_path: Path
) -> AsyncIterator[ModuleProcess]:
    """A bridge that both sides know."""
    process = make_bridge(device_server, mosquitto, tmp_path)
    process.start()
    await eventually(lambda: "broker_back" in list_told(device_server))
    yield process
    process.kill()


async def test_it_registers_as_it_is_described(bridge, device_server):
    (registration,) = device_server.registrations
    assert device_server.paths == ["/ws/devices/press_7"]
    assert registration["kind"] == "mqtt"
    assert registration["telemetry_types"]["temperature"] == {
        "data_type": "float",
        "unit": "°C",
        "range": {"min": -40.0, "max": 400.0},
    }
    assert registration["command_templates"]["heat"] == {
        "timeout_seconds": 30.0,
        "parameters": {"power": {"type": "int", "required": True, "min": 0, "max": 100}},
    }
    assert bridge.is_running


@pytest.mark.usefixtures("bridge")
async def test_values_come_as_numbers_fields_and_words(press, device_server):
    press.tell("temperature", "21.5")
    press.tell("temperature", b'{"value": 22}')
    press.tell("state", '{"ts": "2026-03-04T18:00:00Z", "load": {"percent": 40}, "mode": "run"}')
    press.tell("door", "on")
    await eventually(lambda: len(device_server.points) == 5)
    assert list_values(device_server, "temperature") == [21.5, 22.0]
    assert list_values(device_server, "load") == [40.0]
    assert list_values(device_server, "mode") == ["run"]
    assert list_values(device_server, "door") == [True]
    timed = next(point for point in device_server.points if point["id"] == "load")
    assert timed["timestamp"] == "2026-03-04T18:00:00+00:00"


async def test_junk_costs_nothing_but_itself_and_is_told(bridge, press, device_server):
    for junk in (b"", b"\xff\xfe", b"warm", b"[1]", b"{", b"1e999", b"true"):
        press.tell("temperature", junk)
    press.tell("state", "{}")
    press.tell("results", "what?")
    press.tell("temperature", "3")
    await eventually(lambda: list_values(device_server, "temperature") == [3.0])
    assert "payloads_unreadable" in list_told(device_server)
    assert bridge.is_running


async def test_what_the_broker_kept_counts_only_where_it_was_asked_for(
    device_server, mosquitto, press, tmp_path
):
    press.tell("temperature", "99", retain=True)
    press.tell("door", "off", retain=True)
    press.tell("results", '{"order": "cmd_1", "status": "done"}', retain=True)
    process = make_bridge(device_server, mosquitto, tmp_path)
    process.start()
    try:
        await eventually(lambda: list_values(device_server, "door") == [False])
        press.tell("temperature", "1")
        await eventually(lambda: list_values(device_server, "temperature") == [1.0])
    finally:
        process.kill()


@pytest.mark.usefixtures("bridge")
async def test_what_says_when_it_was_counts_once(press, device_server):
    said = '{"ts": 1772647200, "load": {"percent": 40}, "mode": "run"}'
    press.tell("state", said)
    press.tell("state", said)
    press.tell("state", said.replace("200,", "201,"))
    await eventually(lambda: len(list_values(device_server, "mode")) == 2)
    press.tell("temperature", "1")
    await eventually(lambda: list_values(device_server, "temperature"))
    assert list_values(device_server, "load") == [40.0, 40.0]


@pytest.mark.usefixtures("bridge")
async def test_an_order_reaches_the_device_and_its_words_come_back(press, device_server):
    press.answers = [{"status": "busy", "message": "heating"}, *press.answers]
    press.repeats = 2
    await device_server.order("cmd_1", "heat", power=3)
    end = await device_server.wait_for_end("cmd_1")
    assert (end["stage"], end["message"]) == ("succeeded", "hot")
    await device_server.order("cmd_2", "heat", power=3)
    await device_server.wait_for_end("cmd_2")
    assert press.done == ["cmd_1", "cmd_2"]
    assert device_server.list_stages("cmd_1") == ["acknowledged", "running", "succeeded"]


@pytest.mark.usefixtures("bridge")
async def test_a_device_that_fails_says_why(press, device_server):
    press.answers = [{"status": "failed", "message": "no water"}]
    await device_server.order("cmd_1", "heat", power=3)
    assert (await device_server.wait_for_end("cmd_1"))["message"] == "no water"


@pytest.mark.usefixtures("bridge")
async def test_a_device_that_answers_nothing_is_told_when_the_broker_has_it(press, device_server):
    await device_server.order("cmd_1", "lamp", on=True)
    assert (await device_server.wait_for_end("cmd_1"))["stage"] == "succeeded"
    await eventually(lambda: press.lamp == [b"true"])


async def test_a_device_that_never_answers_fails(device_server, mosquitto, press, tmp_path):
    press.answers = []
    process = make_bridge(device_server, mosquitto, tmp_path, answer_s=0.5)
    process.start()
    try:
        await eventually(lambda: "broker_back" in list_told(device_server))
        await device_server.order("cmd_1", "heat", power=3)
        end = await device_server.wait_for_end("cmd_1")
        assert end["message"] == "No answer within 0.5 s."
        # What it says too late moves nothing.
        press.answer("cmd_1", "done")
        press.tell("temperature", "1")
        await eventually(lambda: list_values(device_server, "temperature"))
        assert device_server.list_stages("cmd_1")[-1] == "failed"
    finally:
        process.kill()


@pytest.mark.usefixtures("bridge")
async def test_a_cancel_reaches_the_device(press, device_server):
    press.answers = []
    await device_server.order("cmd_1", "heat", power=3)
    await eventually(lambda: press.done == ["cmd_1"])
    await device_server.say(type="cancel", command_id="cmd_1")
    assert (await device_server.wait_for_end("cmd_1"))["message"] == "cancelled"
    await eventually(lambda: press.cancelled == ["cmd_1"])


@pytest.mark.usefixtures("bridge")
async def test_a_broker_that_goes_is_told_and_no_order_waits_for_it(
    press, mosquitto, device_server
):
    press.answers = []
    await device_server.order("cmd_1", "heat", power=3)
    await eventually(lambda: press.done == ["cmd_1"])
    await asyncio.to_thread(mosquitto.stop)
    await eventually(lambda: "broker_away" in list_told(device_server))
    await device_server.order("cmd_2", "heat", power=3)
    end = await device_server.wait_for_end("cmd_2")
    # Going down, it says in the name of the device that that is gone, too.
    assert end["message"].endswith("nothing was sent.")
    before = list_told(device_server).count("broker_back")
    await asyncio.to_thread(mosquitto.start)
    await eventually(lambda: list_told(device_server).count("broker_back") > before)
    # The order that was under way has its end all the same, and is not done again.
    press.answer("cmd_1", "done", message="after all")
    assert (await device_server.wait_for_end("cmd_1"))["message"] == "after all"
    assert press.done == ["cmd_1"]


@pytest.mark.usefixtures("bridge")
async def test_a_device_that_loses_its_power_is_told_and_gets_no_order(press, device_server):
    press.stop()
    await eventually(lambda: "device_offline" in list_told(device_server))
    await device_server.order("cmd_1", "heat", power=3)
    assert "offline" in (await device_server.wait_for_end("cmd_1"))["message"]


@pytest.mark.usefixtures("bridge")
async def test_a_server_that_goes_and_comes_back_misses_no_value_and_no_result(
    press, device_server
):
    press.answers = []
    await device_server.order("cmd_1", "heat", power=3)
    await eventually(lambda: press.done == ["cmd_1"])
    device_server.cut()
    for number in range(20):
        press.tell("temperature", str(number))
    press.answer("cmd_1", "done")
    await device_server.wait_for_devices(2)
    await eventually(lambda: list_values(device_server, "temperature") == list(range(20)))
    assert (await device_server.wait_for_end("cmd_1"))["stage"] == "succeeded"


async def test_a_signal_stops_it(bridge):
    assert await asyncio.to_thread(bridge.stop) == 0
    assert "bridge_stopped" in bridge.read_log()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("device: [", "is no YAML"),
        ("device: a b\ntelemetry: {x: {topic: x}}", "device"),
        ("device: a", "measures nothing"),
        ("device: a\ntelemetry: {x: {topic: a/+}}", "no single topic"),
        ("device: a\ntelemetry: {x: {topic: a, typo: 1}}", "telemetry.x.typo"),
        ("device: a\ncommands: {x: {topic: a}}", "x answers where"),
        ("device: a\ncommands: {x: {topic: a, answers: false, payload: $y}}", "$y is no parameter"),
        (
            "device: a\ncommands: {x: {topic: a, answers: false, parameters: {y: {min: 1}}}}",
            "of which type is 'y'",
        ),
    ],
)
def test_a_description_that_cannot_work_ends_it_with_one_line(tmp_path, text, reason):
    config = tmp_path / "press.yaml"
    config.write_text(text)
    process = ModuleProcess(
        ["streaming.devices.mqtt", "--config", str(config)],
        tmp_path / "log",
        {"TELEMETRA_DATA_DIR": str(tmp_path)},
    )
    process.start()
    assert process._process is not None
    assert process._process.wait(60) == 1
    assert reason in process.read_log().splitlines()[-1] + process.read_log()
    assert "Traceback" not in process.read_log()
