"""A device is exchanged for another kind of device under the same id, and nobody has to reconnect.

A client watches and sends commands, while the simulator gives way to a device behind MQTT, and that
to the simulator again.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.fixtures.clients import open_client
from tests.fixtures.devices import Peer, a_client
from tests.fixtures.mosquittos import Mosquitto
from tests.fixtures.mqtt_devices import MqttPress, pressing, write_description
from tests.fixtures.processes import ModuleProcess
from tests.fixtures.products import Product
from tests.fixtures.waiting import eventually

DEVICE: Final = "bench_1"


@pytest.fixture
def press(mosquitto: Mosquitto) -> Iterator[MqttPress]:
    with pressing(mosquitto) as device:
        yield device


@asynccontextmanager
async def being(folder: Path, name: str, *arguments: str) -> AsyncIterator[ModuleProcess]:
    """Run a process that is the device for the length of a block."""
    environment = {"TELEMETRA_DATA_DIR": str(folder / name)}
    process = ModuleProcess([name, *arguments], folder / f"{name}.log", environment)
    process.start()
    try:
        yield process
    finally:
        process.kill()


async def hear_value(client: Peer, name: str) -> Any:
    told = await client.hear(lambda each: each["type"] == "data" and each["id"] == name)
    assert told["device_id"] == DEVICE
    return told["value"]


async def command(client: Peer, name: str, **parameters: Any) -> dict[str, Any]:
    """Have a command carried out over the socket, and return what is told of its end."""
    await client.say(type="command", command=name, parameters=parameters, device_id=DEVICE)
    told = await client.hear(
        lambda each: (
            each["type"] == "command_result"
            and each["value"]["command"] == name
            and each["value"]["status"] != "pending"
        )
    )
    value: dict[str, Any] = told["value"]
    return value


async def hear_link(client: Peer, state: str) -> None:
    await client.hear(lambda each: each["type"] == "device_link" and each["state"] == state)


async def test_a_client_sees_a_device_change_its_kind_and_loses_nothing(
    product: Product, mosquitto: Mosquitto, press: MqttPress, tmp_path: Path
) -> None:
    url = product.status()["api_url"]
    address = url.removeprefix("http://")
    config = write_description(tmp_path, DEVICE)
    simulated = ("streaming.devices.simulated", "--id", DEVICE, "--url", url)
    source = ("--broker", mosquitto.url, "--config", str(config))
    bridged = ("streaming.devices.mqtt", "--url", url, *source)
    async with a_client(address) as client, open_client(url) as http:
        async with being(tmp_path, *simulated) as simulator:
            await hear_link(client, "connected")
            assert 0 < await hear_value(client, "humidity") < 100
            done = await command(client, "get_status")
            assert done["details"]["status"] == "operational"
            async with being(tmp_path, *bridged):
                # The newer connection takes over; the older one ends by itself.
                await eventually(lambda: not simulator.is_running)
                assert "refuses" in simulator.read_log()
                await hear_link(client, "connected")
                await eventually(lambda: knows(http, "heat"))
                press.tell("temperature", "99.5")
                assert await hear_value(client, "temperature") is not None
                assert (await command(client, "heat", power=3))["message"] == "hot"
                refused = await command(client, "get_status")
                assert refused["status"] == "error"
        # Nobody is there: what is asked for now waits for the next one.
        await hear_link(client, "gone")
        assert press.done
        late = asyncio.create_task(command(client, "heat", power=4))
        await eventually(lambda: count_open(http))
        async with being(tmp_path, *bridged):
            assert (await late)["status"] == "success"
            async with being(tmp_path, *simulated):
                await eventually(lambda: knows(http, "get_status"))
                assert (await command(client, "get_status"))["status"] == "success"
                assert await hear_value(client, "humidity") is not None
        assert client.socket.close_code is None
        await require_links(http)


async def count_open(http: httpx.AsyncClient) -> int:
    answer = await http.get(f"/api/v1/devices/{DEVICE}/commands", params={"state": "queued"})
    return len(answer.raise_for_status().json()["data"])


async def knows(http: httpx.AsyncClient, name: str) -> bool:
    """Tell whether the device that is there can do something."""
    answer = await http.get(f"/api/v1/devices/{DEVICE}/command-templates")
    return name in answer.raise_for_status().json()["command_templates"]


async def require_links(http: httpx.AsyncClient) -> None:
    """Hold what is written of comings and goings against what happened."""

    async def list_states() -> list[str]:
        answer = await http.get(f"/api/v1/devices/{DEVICE}/links")
        return [row["state"] for row in answer.raise_for_status().json()["data"]]

    states = await eventually(list_states, holds=lambda found: found[0] == "gone")
    assert states.count("connected") == 4
    assert states.count("replaced") == 2
    rows = (await http.get(f"/api/v1/devices/{DEVICE}/commands")).raise_for_status().json()["data"]
    assert {row["state"] for row in rows} == {"succeeded"}
    assert len(rows) == 4
