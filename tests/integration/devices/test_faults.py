"""Commands and points under fault: one end each, a complete history, and nobody left waiting."""

import asyncio
import socket
from itertools import pairwise
from random import Random
from typing import Any

import asyncpg
import httpx
import orjson
import pytest
from fastapi import FastAPI
from websockets.asyncio.client import connect

from api.app import build_app
from api.devices.writers import Writer
from core.commands import ENDS, PREDECESSORS, Said, State, Verdict
from core.keys import EVERYONE
from core.settings import Settings
from db.commands import CommandStore
from db.device_logs import Numbers
from db.pool import prepare_connection
from tests.fixtures.apis import serving
from tests.fixtures.clients import open_client
from tests.fixtures.devices import Peer, a_client, a_device, holds_value
from tests.fixtures.proxies import proxying
from tests.fixtures.waiting import eventually
from tests.integration.devices.asking import ask, read_command

COMMANDS = "/api/v1/devices/chamber-1/commands"


def require_one_end(row: dict[str, Any]) -> None:
    """Hold what is stored of a command against what may be."""
    moved = [event for event in row["events"] if event["verdict"] == Verdict.MOVED]
    ends = [event["stage"] for event in moved if event["stage"] in ENDS]
    assert ends == [row["state"]], row
    order = [State(event["stage"]) for event in moved]
    for before, after in pairwise(order):
        assert before in PREDECESSORS[after] or after is State.QUEUED, row
    assert row["ended_at"] is not None


async def test_results_that_are_doubled_reordered_and_late_end_a_command_once(served: str) -> None:
    random = Random(7)
    async with a_device(served, commands_at_once=100) as device, a_client(served) as client:
        asked = [await ask(served, "open") for _ in range(30)]
        said = [(name, stage) for name in asked
                for stage in ("acknowledged", "running", "running", "succeeded", "failed",
                              "succeeded", "acknowledged")]  # fmt: skip
        random.shuffle(said)
        for _ in asked:
            await device.hear_command()
        for name, stage in said:
            await device.result({"command_id": name}, stage)
        for _ in said:
            await device.hear_kind("result_taken")
        ends = {}
        for name in asked:
            row = await read_command(served, name)
            require_one_end(row)
            assert row["state"] == next(s for n, s in said if n == name and s in ENDS)
            assert len([e for e in row["events"] if e["source"] == "device"]) == 7
            ends[name] = row["state"]
        # Nobody but the stream tells clients; each of them hears one end of each command.
        heard = {}
        for _ in asked:
            told = await client.hear(
                lambda m: m["type"] == "command_result" and m["value"]["state"] in ENDS
            )
            heard[told["value"]["command_id"]] = told["value"]["state"]
        assert heard == ends


async def test_a_result_that_was_lost_is_said_again_until_it_is_taken(served: str) -> None:
    asked = None
    async with a_device(served) as device:
        asked = await ask(served, "open")
        command = await device.hear_command()
        # The connection breaks before the result is on its way.
        device.socket.transport.abort()
    async with a_device(served) as device:
        again = await device.hear_command()
        assert again == command
        await device.result(again, "succeeded")
        await device.hear_kind("result_taken")
    row = await read_command(served, asked)
    require_one_end(row)
    assert (row["state"], row["sends"]) == ("succeeded", 2)


async def test_a_device_that_goes_amid_a_command_leaves_nobody_waiting(served: str) -> None:
    async with a_client(served) as client:
        async with a_device(served) as device:
            asked = await ask(served, "open", deadline_seconds=1)
            await device.result(await device.hear_command(), "running")
            await client.hear_result("running", asked)
        waited = await read_command(served, asked, wait=30)
        assert (waited["state"], waited["message"]) == (
            "timed_out",
            "Its deadline passed before it was done.",
        )
        await client.hear_result("timed_out", asked)
        # It comes back, and says what came of it: too late, and kept.
        async with a_device(served) as device:
            await device.result({"command_id": asked}, "succeeded", message="Done after all.")
            await device.hear_kind("result_taken")
    row = await read_command(served, asked)
    require_one_end(row)
    assert row["events"][-1]["verdict"] == "late"
    assert row["events"][-1]["message"] == "Done after all."


async def test_two_operators_at_once_and_a_device_have_one_outcome(
    served: str, settings: Settings
) -> None:
    async with serving(build_app(settings)) as other, a_device(served) as device:
        for turn in range(10):
            async with open_client() as http:
                held = (
                    await http.post(f"http://{served}{COMMANDS}", json={"command": "vent"})
                ).json()
                path = f"{COMMANDS}/{held['command_id']}"
                token = {"token": held["confirmation"]["token"]}
                confirmed, cancelled = await asyncio.gather(
                    http.post(f"http://{served}{path}/confirm", json=token),
                    http.post(f"http://{other}{path}/cancel"),
                )
            assert confirmed.status_code in {200, 409}
            assert cancelled.status_code == 200
            row = await read_command(served, held["command_id"])
            require_one_end(row)
            assert row["state"] == "cancelled", turn
        asked = [await ask(address, "count_to", number=n + 1)
                 for n, address in enumerate((served, other, served, other))]  # fmt: skip
        for _ in asked:
            command = await device.hear_command("count_to")
            await device.result(command, "succeeded")
        for name in asked:
            row = await read_command(other, name, wait=20)
            require_one_end(row)


async def test_of_many_that_end_a_command_at_once_one_does(
    served: str, connection: asyncpg.Connection, database_url: str
) -> None:
    async with a_device(served) as device:
        asked = await ask(served, "open", deadline_seconds=600)
        await device.hear_command()
    others = [await asyncpg.connect(database_url) for _ in range(8)]
    for other in others:
        await prepare_connection(other)
    now = await connection.fetchval("SELECT now()")
    ends = sorted(ENDS)

    async def say(number: int) -> Verdict:
        store = CommandStore(others[number], Numbers(number << 40))
        if number == 7:
            return (await store.cancel("chamber-1", asked, actor=EVERYONE, now=now)).verdict
        said = Said("chamber-1", asked, ends[number % 3], "device")
        return (await store.move(said, now)).verdict

    verdicts = await asyncio.gather(*map(say, range(8)), return_exceptions=True)
    assert verdicts.count(Verdict.MOVED) == 1
    require_one_end(await read_command(served, asked))
    for other in others:
        await other.close()


async def test_without_redis_commands_go_on_and_every_process_tells_its_clients(
    settings: Settings, redis_url: str
) -> None:
    async with proxying(redis_url) as (proxy, url):
        cut_off = settings.model_copy(update={"redis_url": url})
        async with (
            serving(build_app(cut_off)) as here,
            serving(build_app(cut_off)) as there,
            a_device(here) as device,
            a_client(here) as near,
            a_client(there) as far,
        ):
            proxy.cut()
            asked = await ask(there, "open")
            command = await device.hear_command()
            await device.result(command, "succeeded")
            await near.hear_result("succeeded", asked)
            await far.hear_result("succeeded", asked)
            await device.point("count", 7)
            await near.hear(lambda m: m.get("value") == 7)
            assert (await read_command(there, asked, wait=20))["state"] == "succeeded"


async def test_while_the_database_hangs_points_flow_and_results_wait(
    settings: Settings, database_url: str
) -> None:
    async with proxying(database_url) as (proxy, url):
        behind = settings.model_copy(update={"database_url": url, "db_statement_timeout_ms": 500})
        async with (
            serving(build_app(behind)) as address,
            a_device(address) as device,
            a_client(address) as client,
        ):
            asked = await ask(address, "open")
            command = await device.hear_command()
            proxy.hang()
            await device.result(command, "succeeded")
            for number in range(1, 21):
                await device.point("count", number)
                await client.hear(holds_value(number))
            async with connect(f"ws://{address}/ws/devices/second") as second:
                other = Peer(second)
                await other.say(type="register", telemetry_types={})
                assert (await other.hear_close())[0] == 1013
            proxy.go_on()
            await device.hear_kind("result_taken")
            require_one_end(await read_command(address, asked, wait=20))
            async with open_client(f"http://{address}") as http:
                page = await eventually(
                    lambda: _read_page(http), holds=lambda page: page["filtered_records"] == 20
                )
            assert sorted(row["value"] for row in page["data"]) == list(range(1, 21))


async def _read_page(http: httpx.AsyncClient) -> dict[str, Any]:
    answer = await http.get("/historical-data", params={"id": "count"})
    page: dict[str, Any] = answer.json() if answer.is_success else {"filtered_records": None}
    return page


async def test_more_points_than_can_wait_are_lost_with_a_word(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.devices.writers.WAITING_MAX", 10)
    monkeypatch.setattr("api.devices.writers.EVERY_S", 3600)
    async with serving(app) as address, a_device(address) as device, a_client(address) as client:
        await device.say(type="points", points=[{"id": "count", "value": n} for n in range(15)])
        refused = await device.hear_kind("refused")
        assert refused["errors"][0]["reason"].startswith("5 points went to clients only")
        for number in range(15):
            await client.hear(holds_value(number))
    writers: tuple[Writer[Any], ...] = (
        app.state.resources.devices.log,
        app.state.resources.devices.readings,
    )
    # What waited was written when the process stopped.
    assert all(not writer.waiting for writer in writers)


TURNS = 100
"""Twenty megabytes in all: more than sockets hold."""


def _open_narrow(address: str) -> socket.socket:
    """Return a connection that takes little before it is read."""
    host, _, port = address.partition(":")
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect((host, int(port)))
    return narrow


async def test_a_client_that_reads_nothing_costs_the_others_nothing(served: str) -> None:
    async with (
        a_device(served, "wide", telemetry_types=_wide(), command_templates={}) as device,
        connect(f"ws://{served}/ws", sock=_open_narrow(served), max_queue=1) as slow,
        a_client(served) as fast,
    ):
        await slow.recv()
        for turn in range(TURNS):
            value = "x" * 4000 + str(turn)
            await device.say(
                type="points", points=[{"id": f"t{n}", "value": value} for n in range(50)]
            )
            # The other one hears all of it, point by point.
            await fast.hear(holds_value(value, "t49"))
        # It gets the newest of each, and is told that it missed the rest.
        heard: list[dict[str, Any]] = []
        async with asyncio.timeout(60):
            while not heard or heard[-1]["type"] != "dropped":
                heard.append(orjson.loads(await slow.recv()))
    points = [message for message in heard if message["type"] == "data"]
    assert {message["value"] for message in points[-50:]} == {value}
    assert len(points) + heard[-1]["count"] == TURNS * 50


def _wide() -> dict[str, Any]:
    return {f"t{n}": {"data_type": "string"} for n in range(50)}
