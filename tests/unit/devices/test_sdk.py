"""The SDK of devices against a server that speaks their protocol: what is told, kept, repeated."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import orjson
import pytest

from core.settings import REPOSITORY
from streaming.devices import sdk
from streaming.devices.sdk import Command, Device, DeviceError
from tests.fixtures.device_servers import DeviceServer
from tests.fixtures.waiting import eventually


def make_device(server: DeviceServer, **more: Any) -> Device:
    device = Device("bench_1", url=server.url, **more)
    device.telemetry("temperature", "°C", "float", min=-40, max=120)
    return device


@asynccontextmanager
async def serving(device: Device, server: DeviceServer) -> AsyncIterator[asyncio.Task[None]]:
    """Run a device for the length of a block that begins when it is registered."""
    task = asyncio.create_task(device.serve())
    before = len(server.registrations)
    try:
        await server.wait_for_devices(before + 1)
        await asyncio.wait_for(device.connected.wait(), 30)
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_it_registers_what_it_measures_and_what_it_can_do(device_server):
    device = make_device(device_server, title="Bench", kind="bench")

    @device.command("heat", parameters={"power": {"min": 0, "max": 100}}, timeout_seconds=5)
    async def heat(command: Command, power: int, mode: Literal["eco", "full"] = "eco") -> None:
        """Heat it."""

    async with serving(device, device_server):
        assert device_server.paths == ["/ws/devices/bench_1"]
        assert device_server.registrations == [
            {
                "type": "register",
                "title": "Bench",
                "kind": "bench",
                "telemetry_types": {
                    "temperature": {
                        "unit": "°C",
                        "data_type": "float",
                        "range": {"min": -40, "max": 120},
                    }
                },
                "command_templates": {
                    "heat": {
                        "description": "Heat it.",
                        "timeout_seconds": 5,
                        "parameters": {
                            "power": {"required": True, "type": "int", "min": 0, "max": 100},
                            "mode": {
                                "required": False,
                                "default": "eco",
                                "type": "string",
                                "enum": ["eco", "full"],
                            },
                        },
                    }
                },
            }
        ]


async def test_points_travel_together_in_their_order(device_server):
    device = make_device(device_server)
    async with serving(device, device_server):
        for number in range(1200):
            await device.send("temperature", number / 10)
        await eventually(lambda: len(device_server.points) == 1200)
    assert [point["value"] for point in device_server.points] == [n / 10 for n in range(1200)]
    messages = [each for each in device_server.heard if each["type"] == "points"]
    assert max(len(each["points"]) for each in messages) == sdk.POINTS_A_MESSAGE_MAX
    assert len(messages) < 100


async def test_points_are_kept_while_the_server_is_away_and_lost_ones_are_counted():
    server = DeviceServer()
    async with server.listening():
        pass
    device = make_device(server, points_held_max=100)
    for number in range(130):
        device.post("temperature", number)
    async with server.listening(), serving(device, server):
        await eventually(lambda: len(server.points) == 100)
        assert [point["value"] for point in server.points] == list(range(30, 130))
        told = await eventually(
            lambda: [each for each in server.heard if each["type"] == "message"]
        )
        assert told == [{"type": "message", "message": "points_dropped", "details": {"count": 30}}]


async def test_what_cannot_be_sent_is_refused_at_once(device_server):
    device = make_device(device_server)
    with pytest.raises(DeviceError, match="not declared"):
        device.post("pressure", 1)
    for value in (float("nan"), object()):
        with pytest.raises(DeviceError, match="cannot be sent"):
            device.post("temperature", value)
    async with serving(device, device_server):
        device.post("temperature", 1.0)
        assert await eventually(lambda: device_server.points)


async def test_a_command_is_carried_out_and_its_outcome_told(device_server):
    device = make_device(device_server)

    @device.command("heat")
    async def heat(command: Command, power: int) -> dict[str, object]:
        command.progress("half way", percent=50)
        await asyncio.sleep(0)
        return {"power": power}

    async with serving(device, device_server):
        await device_server.order("cmd_1", "heat", power=3)
        assert (await device_server.wait_for_end("cmd_1"))["details"] == {"power": 3}
        assert device_server.list_stages("cmd_1") == ["acknowledged", "running", "succeeded"]
        assert device_server.list_results("cmd_1")[1]["message"] == "half way"


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (("melt", {}), "The device knows no command 'melt'."),
        (("fail", {}), "no power"),
        (("fail", {"odd": 1}), "odd"),
        (("crash", {}), "ZeroDivisionError"),
    ],
)
async def test_a_failure_is_told_with_its_reason(device_server, order, reason):
    device = make_device(device_server)

    @device.command("fail")
    async def fail() -> None:
        message = "no power"
        raise RuntimeError(message)

    @device.command("crash")
    def crash() -> None:
        raise ZeroDivisionError

    async with serving(device, device_server):
        await device_server.order("cmd_1", order[0], **order[1])
        end = await device_server.wait_for_end("cmd_1")
        assert end["stage"] == "failed"
        assert reason in end["message"]


async def test_a_result_is_sent_again_until_it_is_taken_and_the_command_done_once(device_server):
    device = make_device(device_server)
    done: list[int] = []

    @device.command("step")
    async def step() -> None:
        done.append(1)

    device_server.takes_results = False
    async with serving(device, device_server):
        await device_server.order("cmd_1", "step")
        await device_server.wait_for_end("cmd_1")
        device_server.cut()
        await device_server.wait_for_devices(2)
        wanted = ["acknowledged", "succeeded"]
        await eventually(lambda: device_server.list_stages("cmd_1") == wanted * 2)
        device_server.takes_results = True
        device_server.cut()
        await device_server.wait_for_devices(3)
        await eventually(lambda: device_server.list_stages("cmd_1") == wanted * 3)
        # Taken: a further connection repeats nothing, and a repeated order only its end.
        device_server.cut()
        await device_server.wait_for_devices(4)
        await device_server.order("cmd_1", "step")
        await eventually(lambda: device_server.list_stages("cmd_1") == [*wanted * 3, "succeeded"])
    assert done == [1]


async def test_a_cancelled_coroutine_hears_it_and_a_function_can_look(device_server):
    device = make_device(device_server)
    heard: list[str] = []
    begun = threading.Event()

    @device.command("wait")
    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            heard.append("wait")
            raise

    @device.command("block")
    def block(command: Command) -> str:
        begun.set()
        while not command.is_cancelled:
            command.progress("still here")
        return "done as far as it was"

    async with serving(device, device_server):
        await device_server.order("cmd_1", "wait")
        await device_server.order("cmd_2", "block")
        await eventually(lambda: device_server.list_stages("cmd_1") and begun.is_set())
        await device_server.say(type="cancel", command_id="cmd_1")
        await device_server.say(type="cancel", command_id="cmd_2")
        end = await device_server.wait_for_end("cmd_1")
        assert (end["stage"], end["message"]) == ("failed", "cancelled")
        assert (await device_server.wait_for_end("cmd_2"))["message"] == "done as far as it was"
    assert heard == ["wait"]


async def test_a_command_goes_on_while_the_server_is_away(device_server):
    device = make_device(device_server)
    go = asyncio.Event()

    @device.command("wait")
    async def wait() -> str:
        await go.wait()
        return "there"

    async with serving(device, device_server):
        await device_server.order("cmd_1", "wait")
        await eventually(lambda: device_server.list_stages("cmd_1"))
        device_server.cut()
        await device_server.wait_for_devices(2)
        await device_server.order("cmd_1", "wait")
        go.set()
        assert (await device_server.wait_for_end("cmd_1"))["message"] == "there"
    assert device_server.list_stages("cmd_1").count("succeeded") == 1


async def test_too_many_commands_at_a_time_are_refused(device_server):
    device = make_device(device_server)

    @device.command("wait")
    async def wait() -> None:
        await asyncio.Event().wait()

    async with serving(device, device_server):
        for number in range(sdk.RUNNING_MAX + 1):
            await device_server.order(f"cmd_{number}", "wait")
        end = await device_server.wait_for_end(f"cmd_{sdk.RUNNING_MAX}")
        assert end["stage"] == "failed"


async def test_a_device_that_stops_tells_what_it_left(device_server):
    device = make_device(device_server)

    @device.command("wait")
    async def wait() -> None:
        await asyncio.Event().wait()

    async with serving(device, device_server):
        await device_server.order("cmd_1", "wait")
        await eventually(lambda: device_server.list_stages("cmd_1"))
        device.post("temperature", 7)
    end = await device_server.wait_for_end("cmd_1")
    assert (end["stage"], end["message"]) == ("failed", "The device was stopped.")
    assert await eventually(lambda: device_server.points)


async def test_a_memory_tells_a_restarted_device_what_was_done(device_server, tmp_path):
    memory = tmp_path / "bench.json"
    done: list[str] = []

    def build() -> Device:
        device = make_device(device_server, memory=memory)

        @device.command("step")
        async def step(name: str) -> str:
            done.append(name)
            return name

        return device

    async with serving(build(), device_server):
        await device_server.order("cmd_1", "step", name="a")
        await device_server.wait_for_end("cmd_1")
    # As a process leaves it that was killed in the middle of the second.
    memory.write_bytes(orjson.dumps(orjson.loads(memory.read_bytes()) | {"cmd_2": None}))
    async with serving(build(), device_server):
        await device_server.order("cmd_1", "step", name="a")
        await device_server.order("cmd_2", "step", name="b")
        assert (await device_server.wait_for_end("cmd_2"))["message"] == sdk.UNKNOWN
        await eventually(lambda: device_server.list_stages("cmd_1").count("succeeded") == 2)
    assert done == ["a"]


def test_a_memory_that_is_none_is_refused(tmp_path):
    memory = tmp_path / "bench.json"
    memory.write_text("[")
    with pytest.raises(DeviceError, match="no memory"):
        Device("bench_1", memory=memory)


@pytest.mark.parametrize("code", sorted(sdk.REFUSED_CODES))
async def test_a_refusal_for_good_ends_it_with_the_servers_words(device_server, code):
    device_server.refuses = (code, "not you")
    with pytest.raises(DeviceError, match="not you"):
        await asyncio.wait_for(make_device(device_server).serve(), 30)


async def test_a_wrong_key_ends_it(device_server):
    device_server.key = "right"
    with pytest.raises(DeviceError, match="401"):
        await asyncio.wait_for(make_device(device_server, api_key="wrong").serve(), 30)
    async with serving(make_device(device_server, api_key="right"), device_server):
        pass


async def test_a_missed_heartbeat_is_no_reason_to_give_up(device_server):
    device_server.refuses = (4408, "no heartbeat")
    device_server.heartbeat_seconds = 0.05
    task = asyncio.create_task(make_device(device_server).serve())
    await eventually(lambda: len(device_server.registrations) > 1)
    device_server.refuses = None
    await eventually(lambda: any(each["type"] == "heartbeat" for each in device_server.heard))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_garbage_of_a_server_costs_a_connection_and_no_device(device_server):
    device = make_device(device_server)
    async with serving(device, device_server):
        await device_server.say(type="of tomorrow")
        await device_server.say(command_id="no type")
        await device_server.wait_for_devices(2)
        device.post("temperature", 1)
        assert await eventually(lambda: device_server.points)


async def test_a_coroutine_beside_it_that_fails_ends_it(device_server):
    async def measure() -> None:
        message = "no sensor"
        raise RuntimeError(message)

    with pytest.raises(RuntimeError, match="no sensor"):
        await asyncio.wait_for(make_device(device_server).serve(measure), 30)


@pytest.mark.parametrize("url", ["", "bench:1", "ftp://127.0.0.1", "http://"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(DeviceError, match="no address"):
        Device("bench_1", url=url)


def test_a_handler_whose_parameters_are_not_known_is_refused():
    device = Device("bench_1")
    with pytest.raises(DeviceError, match="'given'"):
        device.command("a", parameters={"given": {"type": "int"}})(lambda: None)
    with pytest.raises(DeviceError, match="which type"):
        device.command("a")(lambda odd: odd)


async def test_the_example_runs_with_nothing_but_the_file_beside_it(device_server, tmp_path):
    folder = REPOSITORY / "streaming" / "devices"
    text = (folder / "example.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 30
    (tmp_path / "sdk.py").write_bytes((folder / "sdk.py").read_bytes())
    (tmp_path / "example.py").write_text(text.replace("streaming.devices.sdk", "sdk"))
    command = [sys.executable, str(tmp_path / "example.py"), device_server.url, "key"]
    process = subprocess.Popen(  # noqa: ASYNC220 - it is there at once.
        command, cwd=tmp_path, env={}, stderr=subprocess.PIPE
    )
    try:
        await device_server.wait_for_devices()
        await device_server.order("cmd_1", "heat", celsius=22)
        end = await device_server.wait_for_end("cmd_1")
        assert (end["stage"], end["message"]) == ("succeeded", "reached 22 °C")
        assert device_server.list_stages("cmd_1")[1] == "running"
        assert device_server.points
    finally:
        process.terminate()
        _, errors = await asyncio.to_thread(process.communicate)
    assert process.returncode == 0, errors
    assert errors == b""


def test_the_file_stands_alone():
    lines = Path(sdk.__file__).read_text(encoding="utf-8").splitlines()
    found = [line.split()[1] for line in lines if line.startswith(("import ", "from "))]
    others = {name.split(".")[0] for name in found} - set(sys.stdlib_module_names)
    assert others == {"websockets"}


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ({"message": "a\0b" + "x" * 3000}, ("ab" + "x" * 1997, None)),
        ({"message": "half \ud800"}, ("half ?", None)),
        ({"message": "", "details": {"a": float("nan")}}, ("", {"text": "{'a': nan}"})),
        ({"message": "", "details": {"a": Path("b")}}, ("", {"a": "b"})),
        ({"message": "", "details": {"a": "x" * 70_000}}, None),
        ({"message": "", "details": {"a": "\0"}}, None),
    ],
)
def test_what_no_server_would_take_is_made_fit(told, wanted):
    written = orjson.loads(sdk._write(dict(told)))
    if wanted is None:
        assert written["details"].keys() == {"left_out"}
    else:
        assert (written["message"], written.get("details")) == wanted


def test_a_value_that_would_break_the_connection_is_refused():
    device = Device("bench_1")
    device.telemetry("text", data_type="string")
    device.post("text", "half \ud800")
    with pytest.raises(DeviceError, match="at most"):
        device.post("text", "x" * 20_000)
