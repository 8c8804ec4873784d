"""Commands while API processes are killed: one end each, and the device goes on elsewhere."""

from contextlib import suppress
from pathlib import Path

from websockets.exceptions import ConnectionClosed

from core.commands import ENDS
from core.settings import Settings
from tests.fixtures.api_processes import ApiProcess
from tests.fixtures.clients import open_client
from tests.fixtures.devices import a_client, a_device
from tests.integration.devices.asking import ask, read_command
from tests.integration.devices.test_faults import require_one_end


async def test_commands_end_once_though_the_process_that_holds_the_device_is_killed(
    settings: Settings, tmp_path: Path
) -> None:
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        folder.mkdir()
    first, second = (ApiProcess(settings, folder) for folder in folders)
    try:
        await first.start()
        await second.start()
        here, there = (process.url.removeprefix("http://") for process in (first, second))
        asked = []
        async with a_client(there) as client:
            with suppress(ConnectionClosed):
                async with a_device(here, commands_at_once=3) as device:
                    asked = [await ask(there, "count_to", number=n + 1) for n in range(6)]
                    given = [await device.hear_command() for _ in range(3)]
                    await device.result(given[0], "succeeded")
                    await client.hear_result("succeeded", asked[0])
                    await device.result(given[1], "running")
                    await client.hear_result("running", asked[1])
                    first.kill()
                    # Said, and never heard: the device keeps it until it is taken.
                    await device.result(given[1], "succeeded")
                    await device.hear_close()
            async with a_device(there, commands_at_once=3) as device:
                await device.result({"command_id": asked[1]}, "succeeded")
                left = set(asked[2:])
                while left:
                    command = await device.hear_command()
                    await device.result(command, "succeeded")
                    left.discard(command["command_id"])
                for command_id in asked:
                    row = await read_command(there, command_id, wait=30)
                    require_one_end(row)
                    assert row["state"] == "succeeded"
            for command_id in asked[1:]:
                await client.hear_result("succeeded", command_id)
        async with open_client() as http:
            page = (
                await http.get(
                    f"http://{there}/historical-data",
                    params={"type": "command_result", "limit": 1000},
                )
            ).json()
        ends = [row["value"]["command_id"] for row in page["data"] if row["value"]["state"] in ENDS]
        assert sorted(ends) == sorted(asked)
    finally:
        first.kill()
        second.kill()


async def test_commands_are_given_up_by_whoever_is_left(settings: Settings, tmp_path: Path) -> None:
    process = ApiProcess(settings, tmp_path)
    try:
        await process.start()
        address = process.url.removeprefix("http://")
        async with a_device(address) as device:
            asked = await ask(address, "open", deadline_seconds=1)
            await device.hear_command()
            process.kill()
            await device.hear_close()
        await process.start()
        row = await read_command(address, asked, wait=30)
        require_one_end(row)
        assert row["state"] == "timed_out"
    finally:
        process.kill()
