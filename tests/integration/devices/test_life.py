"""A device connects, says points and is given commands, over real sockets."""

from tests.fixtures.devices import a_client, a_device


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
            assert (await client.hear(lambda m: m.get("id") == "position"))["value"] == [1, 2]
        refused = await device.hear_kind("refused")
        assert refused["errors"] == [{"index": 1, "reason": 'value: "hot" is not of type "number"'}]


async def test_a_command_runs_and_ends_once(served: str) -> None:
    async with a_device(served) as device, a_client(served) as client:
        await client.say(type="command", command="open", parameters={"side": "left"})
        command = await device.hear_command("open")
        assert command["parameters"] == {"side": "left"}
        await device.result(command, "acknowledged")
        await device.result(command, "running")
        await device.result(command, "succeeded", message="Open.", details={"angle": 90})
        told = await client.hear_result("succeeded")
        assert told["value"]["status"] == "success"
        assert told["value"]["message"] == "Open."
        assert told["value"]["details"] == {"angle": 90}
        taken = await device.hear(
            lambda m: m["type"] == "result_taken" and m["stage"] == "succeeded"
        )
        assert taken["command_id"] == command["command_id"]
