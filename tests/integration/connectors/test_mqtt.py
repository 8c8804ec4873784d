"""MQTT: what a real Mosquitto took is in the database once, whoever was restarted in between."""

import itertools
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import asyncpg
import orjson
import pytest
from fastapi import FastAPI
from paho.mqtt.client import Client, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion

from tests.fixtures.api_processes import ApiProcess
from tests.fixtures.connector_processes import ConnectorProcess, connecting
from tests.fixtures.flows import Flow
from tests.fixtures.killers import serving_until
from tests.fixtures.mosquittos import Mosquitto
from tests.fixtures.waiting import eventually

STREAMS: Final = ["press", "lathe", "oven"]
TEMPLATE: Final = "sensors/{stream}/{channel}"
DELIVERY_S: Final = 60

TOLD: Final = {"5": 3000, "3.1.1": 200}
"""Values told at once: by the older protocol a broker hands over twenty at a time, and each of
these is a body of its own."""


class Plant:
    """Sensors, and what the database must say of them."""

    def __init__(self, broker: Mosquitto) -> None:
        self._broker = broker
        self._numbers = itertools.count()
        self.values: defaultdict[tuple[str, str], list[float]] = defaultdict(list)

    def tell(self, count: int) -> None:
        """Publish values, and return when the broker has taken all of them."""
        with publishing(self._broker) as client:
            told = [self._publish(client, next(self._numbers)) for _ in range(count)]
            for info in told:
                info.wait_for_publish(DELIVERY_S)
                assert info.is_published()

    @property
    def count(self) -> int:
        """How many values there are."""
        return sum(map(len, self.values.values()))

    def _publish(self, client: Client, number: int) -> MQTTMessageInfo:
        stream, channel = STREAMS[number % 3], ("temp", "load")[number // 3 % 2]
        # Few different values: that two messages are alike must not make them one.
        value = float(number % 5)
        self.values[stream, channel].append(value)
        payload = orjson.dumps({"value": value, "unit": "C"}) if number % 7 else str(value).encode()
        return client.publish(f"sensors/{stream}/{channel}", payload, qos=1)


@contextmanager
def publishing(broker: Mosquitto) -> Iterator[Client]:
    """Lend a client that publishes."""
    client = Client(CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(500)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def list_arguments(broker: Mosquitto, address: str, *more: str) -> list[str]:
    return ["--url", f"http://{address}", "--broker", broker.url, *more]


async def count_stored(flow: Flow, connection: asyncpg.Connection) -> int:
    """Let the flow apply what there is, and return how many readings are counted."""
    await flow.pump()
    query = "SELECT coalesce(sum(count), 0) FROM reading_summary_minute"
    return int(await connection.fetchval(query))


async def require_values(connection: asyncpg.Connection, plant: Plant) -> None:
    """Hold the database against what was published, raw points and minutes."""
    found: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for row in await connection.fetch("SELECT stream_id, channel, value FROM readings"):
        found[row["stream_id"], row["channel"]].append(row["value"])
    wanted = {key: sorted(values) for key, values in plant.values.items()}
    assert {key: sorted(values) for key, values in found.items()} == wanted
    query = "SELECT stream_id, channel, sum(count) FROM reading_summary_minute GROUP BY 1, 2"
    counted = {(row[0], row[1]): int(row[2]) for row in await connection.fetch(query)}
    assert counted == {key: len(values) for key, values in wanted.items()}


async def finish(flow: Flow, connection: asyncpg.Connection, plant: Plant) -> None:
    """Wait until all is stored, and hold it against what was published."""
    await eventually(
        lambda: count_stored(flow, connection),
        holds=lambda found: found >= plant.count,
        # A broker of the older protocol hands over twenty at a time.
        within_s=200,
    )
    await require_values(connection, plant)


@asynccontextmanager
async def while_it_tells(
    plant: Plant, count: int, flow: Flow, connection: asyncpg.Connection
) -> AsyncIterator[None]:
    """Let values be told around a block that begins when some have arrived, and not all."""
    before = await count_stored(flow, connection)
    telling = threading.Thread(target=plant.tell, args=(count,))
    telling.start()
    await eventually(lambda: count_stored(flow, connection), holds=lambda found: found > before)
    yield
    telling.join()


def has_session(connector: ConnectorProcess, count: int = 1) -> bool:
    return connector.read_log().count("session_begun") >= count


@pytest.mark.parametrize("version", TOLD)
async def test_killed_again_and_again_it_loses_and_doubles_nothing(
    mosquitto: Mosquitto,
    served: str,
    flow: Flow,
    connection: asyncpg.Connection,
    tmp_path: Path,
    version: str,
):
    plant = Plant(mosquitto)
    arguments = list_arguments(mosquitto, served, "--topic", TEMPLATE, "--protocol", version)
    with connecting("mqtt", *arguments, folder=tmp_path) as connector:
        connector.start()
        await eventually(lambda: has_session(connector))
        for _ in range(4):
            async with while_it_tells(plant, TOLD[version], flow, connection):
                connector.kill()
            begun = connector.read_log().count("session_begun")
            connector.start()
        await eventually(lambda: has_session(connector, begun + 1))
        await finish(flow, connection, plant)
        assert connector.stop() == 0
        connector.start()
        await eventually(lambda: has_session(connector, begun + 2))
        plant.tell(10)
        await finish(flow, connection, plant)


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_killed_before_it_heard_that_events_arrived_it_doubles_nothing(
    mosquitto: Mosquitto,
    app: FastAPI,
    flow: Flow,
    connection: asyncpg.Connection,
    tmp_path: Path,
    version: str,
):
    plant = Plant(mosquitto)
    orders: list[Callable[[], None]] = []
    async with serving_until(app, orders) as address:
        arguments = list_arguments(mosquitto, address, "--topic", TEMPLATE, "--protocol", version)
        with connecting("mqtt", *arguments, folder=tmp_path) as connector:
            connector.start()
            await eventually(lambda: has_session(connector))
            for _ in range(2):
                orders.append(connector.kill)
                plant.tell(200)
                await eventually(lambda: not orders)
                assert await count_stored(flow, connection) > 0
                connector.start()
            await finish(flow, connection, plant)


async def test_a_broker_that_is_restarted_hands_over_what_it_kept(
    mosquitto: Mosquitto,
    served: str,
    flow: Flow,
    connection: asyncpg.Connection,
    tmp_path: Path,
):
    plant = Plant(mosquitto)
    arguments = list_arguments(mosquitto, served, "--topic", TEMPLATE)
    with connecting("mqtt", *arguments, folder=tmp_path) as connector:
        connector.start()
        await eventually(lambda: has_session(connector))
        for _ in range(2):
            plant.tell(1000)
            mosquitto.stop()
            await eventually(lambda: "source_lost" in connector.read_log())
            mosquitto.start()
            plant.tell(500)
        await finish(flow, connection, plant)


async def test_an_api_that_is_killed_in_the_middle_gets_everything_once(
    mosquitto: Mosquitto,
    api_process: ApiProcess,
    flow: Flow,
    connection: asyncpg.Connection,
    tmp_path: Path,
):
    plant = Plant(mosquitto)
    address = api_process.url.removeprefix("http://")
    arguments = list_arguments(mosquitto, address, "--topic", TEMPLATE)
    with connecting("mqtt", *arguments, folder=tmp_path) as connector:
        await api_process.start()
        connector.start()
        await eventually(lambda: has_session(connector))
        for _ in range(3):
            async with while_it_tells(plant, 2000, flow, connection):
                api_process.kill()
            await api_process.start()
        await finish(flow, connection, plant)
        # With the connector killed as well, nobody knows whether the last body had arrived.
        plant.tell(2000)
        api_process.kill()
        connector.kill()
        await api_process.start()
        connector.start()
        await finish(flow, connection, plant)


async def test_garbage_is_kept_with_its_reason_and_stops_nothing(
    mosquitto: Mosquitto,
    served: str,
    flow: Flow,
    connection: asyncpg.Connection,
    tmp_path: Path,
):
    rejected = tmp_path / "rejected.ndjson"
    arguments = list_arguments(mosquitto, served, "--rejected", str(rejected))
    templates = ["--topic", TEMPLATE, "--topic", "plant/{stream}", "--topic", "whole/#"]
    garbage = {
        "sensors/press/temp": [b"warm", b"", b"\xff\xfe\x00", b"{", b"[" * 3000, b"1" * 300_000],
        "plant/press": [b'{"a": "b"}', b"NaN"],
        "whole/a": [b"nonsense", b'{"type": "x"}'],
        "sensors/no name/temp": [b"1"],
    }
    with connecting("mqtt", *arguments, *templates, folder=tmp_path) as connector:
        connector.start()
        await eventually(lambda: has_session(connector))
        with publishing(mosquitto) as client:
            client.publish("plant/oven", b'{"temp": 180, "door": false}', retain=True)
            for topic, payloads in garbage.items():
                for payload in payloads:
                    client.publish(topic, payload, qos=1)
            event = {"stream_id": "hall", "type": "reading", "channel": "noise", "value": 3}
            client.publish("whole/b", orjson.dumps([event, event]), qos=1).wait_for_publish(10)
        await eventually(lambda: count_stored(flow, connection), holds=lambda count: count == 4)
        assert connector.stop() == 0
    rows = [orjson.loads(line) for line in rejected.read_bytes().splitlines()]
    assert len(rows) == sum(map(len, garbage.values())), connector.read_log()
    assert {row["row"].split(" ")[0] for row in rows} == {
        "sensors/press/temp",
        "plant/press",
        "whole/a",
        "sensors/no",
    }


async def test_what_a_broker_retained_is_taken_only_when_asked_for(
    mosquitto: Mosquitto,
    served: str,
    flow: Flow,
    connection: asyncpg.Connection,
    tmp_path: Path,
):
    with publishing(mosquitto) as client:
        info = client.publish("sensors/press/temp", b"7", qos=1, retain=True)
        info.wait_for_publish(10)
    for name, wish, count in (("one", "ignore", 0), ("two", "keep", 1)):
        arguments = list_arguments(mosquitto, served, "--topic", TEMPLATE, "--client-id", name)
        with connecting("mqtt", *arguments, "--retained", wish, folder=tmp_path) as connector:
            sessions = connector.read_log().count("session_begun") + 1
            connector.start()
            await eventually(lambda: has_session(connector, sessions))  # noqa: B023
            with publishing(mosquitto) as client:
                client.publish("sensors/press/load", b"1", qos=1).wait_for_publish(10)
            query = "SELECT count(*) FROM readings WHERE channel = $1"

            async def count_load() -> int:
                await flow.pump()
                return int(await connection.fetchval(query, "load"))  # noqa: B023

            await eventually(count_load, holds=lambda found: found == count + 1)  # noqa: B023
            assert connector.stop() == 0
        assert await connection.fetchval(query, "temp") == count


async def test_members_of_a_group_share_what_comes(
    mosquitto: Mosquitto,
    served: str,
    flow: Flow,
    connection: asyncpg.Connection,
    tmp_path: Path,
):
    plant = Plant(mosquitto)
    shared = list_arguments(mosquitto, served, "--topic", f"$share/plant/{TEMPLATE}")
    (tmp_path / "other").mkdir()
    with (
        connecting("mqtt", *shared, "--client-id", "one", folder=tmp_path) as one,
        connecting("mqtt", *shared, "--client-id", "two", folder=tmp_path / "other") as two,
    ):
        one.start()
        two.start()
        await eventually(lambda: has_session(one) and has_session(two))
        plant.tell(600)
        await finish(flow, connection, plant)
        assert one.stop() == two.stop() == 0
        read = [orjson.loads(log.read_log().splitlines()[-1])["read"] for log in (one, two)]
    assert sum(read) == 600
    assert min(read) > 0
