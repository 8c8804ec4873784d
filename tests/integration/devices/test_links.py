"""Whether a device is there: silence, replacement, and what it has in hand when it comes back."""

import asyncio
from typing import Any

import asyncpg
import pytest
import redis.asyncio
from fastapi import FastAPI
from websockets.asyncio.client import connect

from api.app import build_app
from core.keys import Scope
from core.settings import Settings
from tests.fixtures.api_keys import make_key, wait_until_known
from tests.fixtures.apis import serving
from tests.fixtures.clients import open_client
from tests.fixtures.devices import REGISTRATION, Device, Peer, a_client, a_device
from tests.fixtures.waiting import eventually
from tests.integration.devices.asking import ask, read_command


async def list_links(address: str, device_id: str = "chamber-1") -> list[str]:
    async with open_client() as http:
        answer = await http.get(f"http://{address}/api/v1/devices/{device_id}/links")
    return [link["state"] for link in reversed(answer.json()["data"])]


async def test_a_device_that_falls_silent_is_stale_and_then_gone(served: str) -> None:
    async with a_client(served) as client, a_device(served, heartbeat_seconds=1) as device:
        states = [(await client.hear_kind("device_link"))["state"] for _ in range(3)]
        assert states == ["connected", "stale", "gone"]
        code, reason = await device.hear_close()
        assert (code, reason.partition(" for ")[0]) == (4408, "Nothing was heard")
    assert await list_links(served) == states


async def test_any_message_is_a_heartbeat(served: str) -> None:
    async with a_client(served) as client, a_device(served, heartbeat_seconds=1) as device:
        await client.hear(lambda m: m.get("state") == "stale")
        await device.say(type="heartbeat")
        await client.hear(lambda m: m.get("state") == "connected" and "again" in m["reason"])
        await device.point("count", 1)
        assert (await client.hear_kind("data"))["value"] == 1


async def test_a_newer_connection_takes_over_while_clients_stay(served: str) -> None:
    async with a_client(served) as client, a_device(served, title="Simulated") as simulated:
        asked = await ask(served, "open")
        assert (await simulated.hear_command())["command_id"] == asked
        async with a_device(served, title="Real") as real:
            assert (await simulated.hear_close())[0] == 4409
            again = await real.hear_command()
            assert again["command_id"] == asked
            await real.result(again, "succeeded")
            await client.hear_result("succeeded", asked)
            await real.point("count", 5)
            await client.hear(lambda m: m.get("value") == 5)
            async with open_client(f"http://{served}") as http:
                device = (await http.get("/api/v1/devices/chamber-1")).json()
            assert (device["title"], device["link"]) == ("Real", "connected")
    links = await eventually(lambda: list_links(served), holds=lambda states: states[-1] == "gone")
    assert links == ["connected", "replaced", "connected", "gone"]
    assert (await read_command(served, asked))["sends"] == 2


async def test_a_newer_connection_takes_over_from_another_process(
    served: str, settings: Settings
) -> None:
    async with (
        serving(build_app(settings)) as other,
        a_client(served) as client,
        a_device(served) as old,
        a_device(other) as new,
    ):
        assert (await old.hear_close())[0] == 4409
        await new.point("count", 5)
        # The client is not where the device is.
        assert (await client.hear_kind("data"))["value"] == 5
        await client.say(type="command", command="open")
        command = await new.hear_command()
        await new.result(command, "succeeded")
        await client.hear_result("succeeded")


async def test_a_device_is_given_again_what_it_has_not_ended(served: str) -> None:
    asked = []
    async with a_device(served) as device:
        for number in (1, 2, 3):
            asked.append(await ask(served, "count_to", number=number))
            await device.hear_command()
        await device.result({"command_id": asked[0]}, "succeeded")
        await device.result({"command_id": asked[1]}, "running")
        await device.hear(lambda m: m["type"] == "result_taken" and m["stage"] == "running")
    async with a_device(served) as device:
        again = {(await device.hear_command())["command_id"] for _ in range(2)}
        assert again == set(asked[1:])
        # It remembers the second, and says how that ended without doing it again.
        await device.result({"command_id": asked[1]}, "succeeded")
        row = await read_command(served, asked[1], wait=20)
    assert (row["state"], row["sends"]) == ("succeeded", 2)


async def test_a_process_that_dies_leaves_no_device_behind_as_there(
    app: FastAPI, connection: asyncpg.Connection
) -> None:
    async with serving(app) as address, a_device(address, heartbeat_seconds=1):
        # As the row looks when the process that held the connection is long dead.
        await connection.execute(
            "UPDATE devices SET link_id = nextval('device_link_ids'),"
            " last_seen_at = now() - INTERVAL '1 hour'"
        )
        await eventually(lambda: list_links(address), holds=lambda states: states[-1] == "gone")


async def test_a_device_needs_a_key_that_reaches_its_stream(
    served: str, connection: asyncpg.Connection
) -> None:
    _, good = await make_key(connection, Scope.INGEST, streams=["chamber-*"])
    _, reader = await make_key(connection, Scope.READ)
    key = good["Authorization"].removeprefix("Bearer ")
    await asyncio.to_thread(wait_until_known, f"http://{served}", key)
    for headers, code in ((None, 4401), (reader, 4403)):
        async with connect(
            f"ws://{served}/ws/devices/chamber-1", additional_headers=headers
        ) as socket:
            assert (await Peer(socket).hear_close())[0] == code
    async with connect(f"ws://{served}/ws/devices/oven-1", additional_headers=good) as socket:
        assert (await Peer(socket).hear_close())[0] == 4403
    async with connect(f"ws://{served}/ws/devices/chamber-1", additional_headers=good) as socket:
        device = Device(socket)
        await device.say(**REGISTRATION)
        await device.hear_kind("registered")
        async with connect(f"ws://{served}/ws", additional_headers=reader) as follower:
            client = Peer(follower)
            await client.say(type="command", command="open")
            refused = (await client.hear_kind("command_result"))["value"]
            assert refused["message"] == "This needs a key with the scope operate."


async def test_a_key_of_some_streams_hears_only_their_devices(
    served: str, connection: asyncpg.Connection
) -> None:
    _, admin = await make_key(connection, Scope.ADMIN)
    _, headers = await make_key(connection, Scope.READ, streams=["mine"])
    key = headers["Authorization"].removeprefix("Bearer ")
    await asyncio.to_thread(wait_until_known, f"http://{served}", key)
    async with (
        a_device(served, "mine", headers=admin) as mine,
        a_device(served, "theirs", headers=admin) as theirs,
        a_client(served, headers=headers) as client,
        open_client(f"http://{served}", headers=headers) as http,
    ):
        await theirs.point("count", 1)
        await mine.point("count", 2)
        assert (await client.hear_kind("data"))["device_id"] == "mine"
        listed = (await http.get("/api/v1/devices")).json()["data"]
        assert [device["device_id"] for device in listed] == ["mine"]
        assert (await http.get("/telemetry-types")).json()["device_id"] == "mine"
        assert (await http.get("/command-validation/heat")).status_code == 200
        assert (await http.get("/api/v1/devices/theirs")).status_code == 403
        assert (await http.get("/telemetry-types?device_id=theirs")).status_code == 403


async def test_a_process_takes_so_many_devices(
    settings: Settings, redis_client: redis.asyncio.Redis
) -> None:
    del redis_client
    few = settings.model_copy(update={"device_links_max": 1})
    async with (
        serving(build_app(few)) as address,
        a_device(address),
        connect(f"ws://{address}/ws/devices/second") as socket,
    ):
        code, reason = await Peer(socket).hear_close()
    assert (code, "has 1 devices" in reason) == (1013, True)


@pytest.mark.parametrize(
    "said",
    [
        {"type": "dance"},
        {"type": "points"},
        {"type": "points", "points": 5},
        {"type": "result", "stage": "succeeded"},
        {"type": "message"},
        {"points": []},
    ],
)
async def test_what_is_wrong_is_said_and_the_rest_goes_on(
    served: str, said: dict[str, Any]
) -> None:
    async with a_device(served) as device, a_client(served) as client:
        await device.say(**said)
        assert (await device.hear_kind("error"))["detail"]
        await device.socket.send(b"\x00\x01")
        assert (await device.hear_kind("error"))["detail"]
        await device.socket.send("{" * 1000)
        assert (await device.hear_kind("error"))["detail"]
        await device.point("count", 1)
        assert (await client.hear_kind("data"))["value"] == 1


async def test_a_device_that_is_deleted_has_to_register_again(served: str) -> None:
    async with a_device(served) as device, open_client(f"http://{served}") as http:
        await ask(served, "open")
        await device.hear_command()
        assert (await http.delete("/api/v1/devices/chamber-1")).status_code == 200
        assert (await device.hear_close())[0] == 4409
        assert (await http.get("/api/v1/devices/chamber-1")).status_code == 404
        async with a_device(served) as again:
            await again.point("count", 1)
            assert (await http.get("/api/v1/devices/chamber-1/commands")).json()["data"] == []


async def test_a_title_that_people_gave_stays(served: str) -> None:
    async with open_client(f"http://{served}") as http:
        async with a_device(served):
            named = await http.put("/api/v1/devices/chamber-1", json={"title": "In the cellar"})
            assert named.json()["title"] == "In the cellar"
        async with a_device(served):
            row = (await http.get("/api/v1/devices/chamber-1")).json()
            assert row["title"] == "In the cellar"
            await http.put("/api/v1/devices/chamber-1", json={"title": None})
        async with a_device(served):
            row = (await http.get("/api/v1/devices/chamber-1")).json()
            assert row["title"] == "Chamber 1"
