"""A device connects, says points and is given commands, over real sockets."""

from typing import Any

import polars as pl
import pytest
import redis.asyncio
from websockets.asyncio.client import connect

from tests.fixtures.clients import open_client
from tests.fixtures.devices import REGISTRATION, TEMPLATES, TYPES, Device, a_client, a_device
from tests.fixtures.redises import count_entries
from tests.fixtures.waiting import eventually
from tests.integration.devices.asking import ask, read_command

COMMANDS = "/api/v1/devices/chamber-1/commands"


async def test_points_reach_every_client_as_they_are(served: str) -> None:
    async with a_device(served) as device, a_client(served) as one, a_client(served) as two:
        await device.say(
            type="points",
            points=[
                {"id": "temperature", "value": 21.5, "timestamp": "2026-11-22T00:00:00Z"},
                {"id": "temperature", "value": "hot"},
                {"id": "position", "value": [1, 2]},
            ],
        )
        for client in (one, two):
            told = await client.hear(lambda m: m.get("id") == "temperature")
            assert (told["type"], told["value"]) == ("data", 21.5)
            assert told["timestamp"] == "2026-11-22T00:00:00.000000Z"
            assert (await client.hear(lambda m: m.get("id") == "position"))["value"] == [1, 2]
        refused = await device.hear_kind("refused")
        assert refused["errors"] == [{"index": 1, "reason": 'value: "hot" is not of type "number"'}]


async def test_who_comes_later_is_told_the_newest_points(served: str) -> None:
    async with a_device(served) as device:
        async with a_client(served) as early:
            await device.point("count", 1)
            await device.point("count", 2)
            await early.hear(lambda m: m.get("value") == 2)
        async with a_client(served, "/ws/devices?device=chamber-1") as late:
            assert (await late.hear_kind("data"))["value"] == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 151),
        ("temperature", True),
        ("temperature", None),
        ("status", "broken"),
        ("is_open", 1),
        ("count", 1.5),
        ("count", "1"),
        ("position", {"x": 1}),
        ("pressure", 1),
        ("status", "o\x00k"),
    ],
)
async def test_values_of_another_type_are_refused(served: str, name: str, value: object) -> None:
    async with a_device(served) as device:
        await device.say(
            type="points", points=[{"id": name, "value": value}, {"id": "count", "value": 3}]
        )
        refused = await device.hear_kind("refused")
        assert [each["index"] for each in refused["errors"]] == [0]


async def test_numbers_become_readings_of_the_stream(
    served: str, redis_client: redis.asyncio.Redis
) -> None:
    async with a_device(served) as device:
        await device.say(
            type="points",
            points=[
                {"id": "temperature", "value": 20.0},
                {"id": "count", "value": 7},
                {"id": "status", "value": "ok"},
                {"id": "is_open", "value": True},
            ],
        )
        await eventually(lambda: count_entries(redis_client))
    shards = [shard async for shard in redis_client.scan_iter("bus:shard:*")]
    found: list[Any] = list(await redis_client.xrange(shards[0]) or ())
    ((_, entry),) = found
    events = pl.read_ipc_stream(max(entry.values(), key=len))
    assert sorted(events.select("stream_id", "type", "channel", "value", "unit").rows()) == [
        ("chamber-1", "reading", "count", 7.0, None),
        ("chamber-1", "reading", "temperature", 20.0, "\u00b0C"),
    ]


async def test_a_command_runs_and_ends_once(served: str) -> None:
    async with a_device(served) as device, a_client(served) as client:
        await client.say(type="command", command="open", parameters={"side": "left"})
        command = await device.hear_command("open")
        assert command["parameters"] == {"side": "left"}
        for stage in ("acknowledged", "running"):
            await device.result(command, stage)
            assert (await client.hear_result(stage))["value"]["status"] == "pending"
        await device.result(command, "succeeded", message="Open.", details={"angle": 90})
        told = (await client.hear_result("succeeded"))["value"]
        assert (told["status"], told["message"]) == ("success", "Open.")
        assert told["details"] == {"angle": 90}
        taken = await device.hear(
            lambda m: m["type"] == "result_taken" and m["stage"] == "succeeded"
        )
        assert taken["command_id"] == command["command_id"]


async def test_a_command_is_done_when_telemetry_shows_it(served: str) -> None:
    async with a_device(served) as device, a_client(served) as client:
        await device.point("temperature", 80.0)
        asked = await ask(served, "heat", target=80)
        command = await device.hear_command("heat")
        # It was warm already: that shows nothing before the command is accepted.
        await device.point("temperature", 80.0)
        await device.result(command, "succeeded")
        await device.hear_kind("result_taken")
        assert (await read_command(served, asked))["state"] == "sent"
        await device.result(command, "acknowledged")
        await client.hear_result("acknowledged")
        await device.point("temperature", 70.0)
        await device.point("temperature", 79.6)
        told = (await client.hear_result("succeeded"))["value"]
        assert told["message"] == "temperature is 79.6."
        events = (await read_command(served, asked))["events"]
        assert [(e["stage"], e["source"], e["verdict"]) for e in events] == [
            ("queued", "person", "moved"),
            ("sent", "clock", "moved"),
            ("succeeded", "device", "awaited"),
            ("acknowledged", "device", "moved"),
            ("succeeded", "telemetry", "moved"),
        ]


async def test_a_stage_that_nothing_verifies_in_time_ends_the_command(served: str) -> None:
    verifiers = {"completed": {"result": True, "within_seconds": 0.5}}
    templates = {"slow": {"verifiers": verifiers}}
    async with a_device(served, command_templates=templates) as device, a_client(served) as client:
        await ask(served, "slow")
        command = await device.hear_command()
        await device.result(command, "acknowledged")
        told = (await client.hear_result("timed_out"))["value"]
        assert told["message"] == "That it is done was not verified in time."
        assert (await device.hear_kind("cancel"))["command_id"] == command["command_id"]


async def test_a_device_that_is_away_is_given_what_waits_by_priority(served: str) -> None:
    async with a_device(served):
        pass
    for number, priority in ((1, 5), (2, 1), (3, 9), (4, 5)):
        await ask(served, "count_to", priority=priority, number=number)
    async with a_device(served) as device:
        given = [(await device.hear_command())["parameters"]["number"] for _ in range(4)]
    assert given == [3, 1, 4, 2]


async def test_a_device_is_given_no_more_at_once_than_it_says(served: str) -> None:
    async with a_device(served, commands_at_once=1) as device, a_client(served) as client:
        for number in (1, 2):
            await ask(served, "count_to", number=number)
        first = await device.hear_command()
        assert first["parameters"] == {"number": 1}
        await device.result(first, "failed", message="No.")
        await client.hear_result("failed")
        second = await device.hear_command()
        assert second["parameters"] == {"number": 2}


async def test_a_command_for_nobody_is_given_up_at_its_deadline(served: str) -> None:
    async with a_device(served), a_client(served):
        pass
    asked = await ask(served, "open", deadline_seconds=0.3)
    row = await read_command(served, asked, wait=20)
    assert (row["state"], row["message"]) == (
        "timed_out",
        "The device did not take it before its deadline.",
    )


async def test_a_template_says_how_long_a_command_may_take(served: str) -> None:
    async with a_device(served) as device:
        asked = await ask(served, "hurry")
        await device.hear_command("hurry")
        row = await read_command(served, asked, wait=20)
    assert (row["state"], row["message"]) == (
        "timed_out",
        "Its deadline passed before it was done.",
    )


async def test_a_request_sent_twice_is_one_command(served: str) -> None:
    async with a_device(served), open_client(f"http://{served}") as http:
        headers = {"Idempotency-Key": "once"}
        body = {"command": "open"}
        first = await http.post(COMMANDS, json=body, headers=headers)
        again = await http.post(COMMANDS, json=body, headers=headers)
        assert (first.status_code, again.status_code) == (202, 202)
        assert first.json()["command_id"] == again.json()["command_id"]
        other = await http.post(
            COMMANDS, json={"command": "open", "parameters": {"side": "left"}}, headers=headers
        )
        assert other.status_code == 409
        assert len((await http.get(COMMANDS)).json()["data"]) == 1


@pytest.mark.parametrize(
    ("command", "parameters", "status", "words"),
    [
        ("cool", {}, 404, "has no command 'cool'. It has: count_to, heat, hurry, open, vent."),
        ("heat", {}, 422, "target"),
        ("heat", {"target": "80"}, 422, 'parameters.target: "80" is not of type "number"'),
        ("heat", {"target": 121}, 422, "greater than the maximum of 120"),
        ("heat", {"target": True}, 422, "is not of type"),
        ("heat", {"target": 1, "fan": 1}, 422, "fan"),
        ("open", {"side": "top"}, 422, "is not one of"),
        ("count_to", {"number": 1.5}, 422, "is not of type"),
    ],
)
async def test_a_command_that_does_not_fit_is_refused_with_the_reason(
    served: str, command: str, parameters: dict[str, object], status: int, words: str
) -> None:
    async with a_device(served), a_client(served) as client:
        async with open_client(f"http://{served}") as http:
            answer = await http.post(COMMANDS, json={"command": command, "parameters": parameters})
            assert answer.status_code == status
            assert words in answer.json()["detail"]
        await client.say(type="command", command=command, parameters=parameters, request_id="r1")
        refused = (await client.hear_kind("command_result"))["value"]
        assert (refused["status"], refused["request_id"]) == ("error", "r1")
        assert words in refused["message"]


async def test_a_dangerous_command_is_held_until_it_is_confirmed(served: str) -> None:
    async with (
        a_device(served) as device,
        a_client(served) as client,
        open_client(f"http://{served}") as http,
    ):
        held = (await http.post(COMMANDS, json={"command": "vent"})).json()
        assert (held["state"], held["held"]) == ("queued", True)
        path = f"{COMMANDS}/{held['command_id']}"
        assert (await http.post(f"{path}/confirm", json={"token": "wrong"})).status_code == 409
        # What is asked later is given to the device, and this one is not.
        await ask(served, "open")
        assert (await device.hear_command())["command"] == "open"
        assert "confirm_token" not in (await http.get(path)).json()
        token = {"token": held["confirmation"]["token"]}
        confirmed = await http.post(f"{path}/confirm", json=token)
        assert confirmed.json()["confirmed_by"] == "everyone"
        assert (await device.hear_command())["command"] == "vent"
        assert (await http.post(f"{path}/confirm", json=token)).status_code == 200
        # The same over a socket, where only who asked is told the token.
        await client.say(type="command", command="vent")
        needed = await client.hear_kind("confirmation_needed")
        await client.say(**{**needed, "type": "confirm"})
        assert (await device.hear_command())["command_id"] == needed["command_id"]


async def test_what_nobody_confirms_is_cancelled(served: str) -> None:
    async with a_device(served):
        asked = await ask(served, "vent", deadline_seconds=0.3)
        row = await read_command(served, asked, wait=20)
    assert (row["state"], row["message"]) == ("cancelled", "Nobody confirmed it in time.")


async def test_a_cancelled_command_is_taken_back_from_the_device(served: str) -> None:
    async with a_device(served) as device, open_client(f"http://{served}") as http:
        asked = await ask(served, "open")
        command = await device.hear_command()
        cancelled = await http.post(f"{COMMANDS}/{asked}/cancel")
        assert cancelled.json()["state"] == "cancelled"
        assert cancelled.json()["message"].startswith("Cancelled by everyone. The device had it")
        assert (await device.hear_kind("cancel"))["command_id"] == command["command_id"]
        assert (await http.post(f"{COMMANDS}/{asked}/cancel")).json()["state"] == "cancelled"
        done = await ask(served, "open")
        await device.result(await device.hear_command(), "succeeded")
        await eventually(
            lambda: read_command(served, done), holds=lambda row: row["state"] == "succeeded"
        )
        assert (await http.post(f"{COMMANDS}/{done}/cancel")).status_code == 409


async def test_commands_find_the_only_device_that_knows_them(served: str) -> None:
    async with (
        a_device(served, "one") as one,
        a_device(served, "two", command_templates={"spin": {}, "open": {}}) as two,
        a_client(served) as client,
    ):
        await client.say(type="command", command="spin")
        assert (await two.hear_command())["command"] == "spin"
        await client.say(type="command", command="open")
        refused = (await client.hear(lambda m: m.get("value", {}).get("state") == "refused"))[
            "value"
        ]
        assert refused["message"].startswith("There are several devices: one, two.")
        await client.say(type="command", command="open", device_id="one")
        assert (await one.hear_command())["command"] == "open"


async def test_what_a_device_registers_is_read_at_the_root_and_by_its_id(served: str) -> None:
    async with a_device(served), open_client(f"http://{served}") as http:
        at_root = (await http.get("/telemetry-types")).json()
        assert at_root == (await http.get("/api/v1/devices/chamber-1/telemetry-types")).json()
        assert set(at_root["telemetry_types"]) == set(TYPES)
        temperature = at_root["telemetry_types"]["temperature"]
        assert temperature["range"] == {"min": -40, "max": 150}
        assert temperature["last_updated"] == at_root["last_updated"]
        templates = (await http.get("/command-templates")).json()["command_templates"]
        assert set(templates) == set(TEMPLATES)
        assert templates["heat"]["parameters"]["target"]["max"] == 120
        summary = (await http.get("/config-summary")).json()
        assert summary["dangerous_commands"] == ["vent"]
        needed = (await http.get("/command-validation/heat")).json()
        assert needed["required_parameters"] == ["target"]
        assert (await http.get("/command-validation/cool")).status_code == 404


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"telemetry_types": {"a": {"data_type": "number"}}}, "telemetry_types.a.data_type"),
        ({"telemetry_types": {"a b": {"data_type": "int"}}}, "telemetry_types.a b"),
        ({"heartbeat_seconds": 0}, "heartbeat_seconds"),
        (
            {"command_templates": {"x": {"parameters": {"n": {"type": "int", "default": "1"}}}}},
            'the default of parameters.n: "1" is not of type "integer"',
        ),
        (
            {
                "command_templates": {
                    "x": {"verifiers": {"completed": {"telemetry": "z", "is": "==", "value": 1}}}
                }
            },
            "telemetry z is not registered",
        ),
        ({"type": "points"}, "type"),
        ({"telemetry_types": {f"t{n}": {"data_type": "int"} for n in range(1001)}}, "1000"),
    ],
)
async def test_a_bad_registration_is_told_and_closed(
    served: str, changed: dict[str, object], words: str
) -> None:
    async with connect(f"ws://{served}/ws/devices/chamber-1") as socket:
        device = Device(socket)
        await device.say(**{**REGISTRATION, **changed})
        assert words in (await device.hear_kind("error"))["detail"]
        assert (await device.hear_close())[0] == 4400
