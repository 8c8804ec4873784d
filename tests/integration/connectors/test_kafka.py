"""Kafka: what producers sent is in the database once, however often the connector was killed."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
import orjson
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from fastapi import FastAPI

from core.clock import SystemClock
from tests.fixtures.connector_processes import connecting
from tests.fixtures.flows import Flow
from tests.fixtures.kafkas import Kafka, running_kafka
from tests.fixtures.killers import serving_until
from tests.fixtures.waiting import eventually

PREFIX: Final = "telemetra.events."
STREAMS: Final = [f"channel{number}" for number in range(6)]
SESSION_MS: Final = 1000
"""A killed member's partitions are given to the next one after this."""

GROUP: Final = "telemetra-connect"

LIVES: Final = 4
"""So often it is killed."""

MINUTES: Final = 24
"""More than events may come late: read topic by topic, all but the first would not be counted."""


@pytest.fixture
def brokers() -> Iterator[Kafka]:
    """Brokers of the source, in which topics appear with their first message."""
    with running_kafka(1) as brokers:
        yield brokers


def list_arguments(brokers: Kafka, address: str, *more: str) -> list[str]:
    quick = ["--set", f"session.timeout.ms={SESSION_MS}", "--set", "heartbeat.interval.ms=200"]
    return ["--url", f"http://{address}", "--brokers", brokers.servers, *quick, *more]


class Sent:
    """What was produced, and what the database must say of it."""

    def __init__(self, servers: str, beginning: datetime) -> None:
        self._producer = Producer({"bootstrap.servers": servers, "linger.ms": 5, "log_level": 0})
        self._beginning = beginning
        self._random = random.Random(7)
        self.chats: defaultdict[tuple[str, datetime], int] = defaultdict(int)
        self.chatters: defaultdict[tuple[str, datetime], set[str]] = defaultdict(set)
        self.viewers: defaultdict[str, list[float]] = defaultdict(list)
        self.amounts: defaultdict[str, list[float]] = defaultdict(list)
        self.count = 0

    def produce_minutes(self, first: int, last: int) -> None:
        """Produce all four kinds of messages for some minutes, a little out of order."""
        for second in range(first * 60, last * 60, 2):
            for stream in STREAMS:
                at = self._beginning + timedelta(seconds=second + self._random.random())
                self._produce_second(stream, at)
            self._producer.poll(0)
        assert self._producer.flush(30) == 0

    def produce(self, topic: str, value: bytes | None, key: str, at: datetime) -> None:
        """Produce one message."""
        at_ms = round(at.timestamp() * 1000)
        self._producer.produce(PREFIX + topic, value, key, timestamp=at_ms)
        self.count += 1

    def _produce_second(self, stream: str, at: datetime) -> None:
        minute = at.replace(second=0, microsecond=0)
        for _ in range(3):
            user = f"user{self._random.randrange(40)}"
            chat = {"channel": stream, "username": user, "message": "hi", "timestamp": _write(at)}
            self._send("chat", stream, at, chat)
            self.chats[stream, minute] += 1
            self.chatters[stream, minute].add(user)
        count = self._random.randrange(1000)
        self._send("viewer", stream, at, {"viewer_count": count, "ts": at.timestamp()})
        self.viewers[stream].append(float(count))
        if self._random.random() < 0.2:
            amount = self._random.randrange(1, 5000) / 100
            tip = {"type": "donation", "amount": amount, "currency": "EUR", "ts": _write(at)}
            self._send("transactions", stream, at, tip)
            self.amounts[stream].append(amount)
        if self._random.random() < 0.05:
            self._send("stream_meta", stream, at, {"title": "Hello", "ts": _write(at)})

    def _send(self, topic: str, stream: str, at: datetime, message: dict[str, Any]) -> None:
        self.produce(topic, orjson.dumps(message), stream, at)


def _write(at: datetime) -> str:
    return at.isoformat()


@pytest.fixture
def sent(brokers: Kafka) -> Sent:
    beginning = SystemClock().now().replace(second=0, microsecond=0)
    return Sent(brokers.servers, beginning - timedelta(minutes=MINUTES + 1))


async def count_applied(flow: Flow, connection: asyncpg.Connection) -> int:
    """Let the flow apply what there is, and return how many chats are counted."""
    await flow.pump()
    query = "SELECT coalesce(sum(chat_count), 0) FROM chat_summary_minute"
    return int(await connection.fetchval(query))


async def require_numbers(
    connection: asyncpg.Connection, sent: Sent, *, apart_from: Sequence[str] = ()
) -> None:
    """Hold the database against what was produced, apart from streams of somebody else."""
    rows = await connection.fetch(
        "SELECT stream_id, window_start, chat_count, unique_chatters FROM chat_summary_minute"
        " WHERE NOT stream_id = ANY($1)",
        apart_from,
    )
    counted = {(row["stream_id"], row["window_start"]): row for row in rows}
    assert {key: row["chat_count"] for key, row in counted.items()} == sent.chats
    assert {key: row["unique_chatters"] for key, row in counted.items()} == {
        key: len(users) for key, users in sent.chatters.items()
    }
    for query, expected in (
        ("SELECT stream_id, viewers AS value FROM viewer_timeseries", sent.viewers),
        ("SELECT stream_id, amount AS value FROM transactions", sent.amounts),
    ):
        found: defaultdict[str, list[float]] = defaultdict(list)
        for row in await connection.fetch(f"{query} WHERE NOT stream_id = ANY($1)", apart_from):
            found[row["stream_id"]].append(float(row["value"]))
        assert {key: sorted(values) for key, values in found.items()} == {
            key: sorted(values) for key, values in expected.items()
        }
    late = "SELECT coalesce(sum(events), 0) FROM late_events WHERE NOT stream_id = ANY($1)"
    assert await connection.fetchval(late, apart_from) == 0


def count_waiting(servers: str) -> int:
    """Return how many messages the group is not done with."""
    client = Consumer({"bootstrap.servers": servers, "group.id": GROUP, "log_level": 0})
    try:
        topics = client.list_topics(timeout=10).topics
        places = [
            TopicPartition(name, number)
            for name in topics
            if name.startswith(PREFIX)
            for number in topics[name].partitions
        ]
        done = {(place.topic, place.partition): place.offset for place in client.committed(places)}
        ends = {
            (place.topic, place.partition): client.get_watermark_offsets(place, timeout=10)[1]
            for place in places
        }
    finally:
        client.close()
    return sum(end - max(done[key], 0) for key, end in ends.items())


async def finish(flow: Flow, brokers: Kafka) -> None:
    """Wait until the group is done with everything, and let the flow apply it."""
    await eventually(
        lambda: asyncio.to_thread(count_waiting, brokers.servers),
        holds=lambda count: count == 0,
        within_s=90,
    )
    await flow.pump()


async def test_killed_again_and_again_it_loses_and_doubles_nothing(
    brokers: Kafka,
    served: str,
    sent: Sent,
    flow: Flow,
    connection: asyncpg.Connection,
    tmp_path: Path,
):
    with connecting("kafka", *list_arguments(brokers, served), folder=tmp_path) as connector:
        sent.produce_minutes(0, MINUTES - LIVES)
        for life in range(LIVES):
            connector.start()
            before = await count_applied(flow, connection)
            # Killed while it is in the middle: something has come, and not all of it.
            await eventually(
                lambda: count_applied(flow, connection),
                holds=lambda count: count > before,  # noqa: B023
                within_s=60,
            )
            connector.kill()
            sent.produce_minutes(MINUTES - LIVES + life, MINUTES - LIVES + life + 1)
        connector.start()
        await finish(flow, brokers)
        assert connector.stop() == 0
    await require_numbers(connection, sent)


async def test_killed_before_it_heard_that_events_arrived_it_doubles_nothing(
    brokers: Kafka,
    app: FastAPI,
    sent: Sent,
    flow: Flow,
    connection: asyncpg.Connection,
    tmp_path: Path,
):
    sent.produce_minutes(0, 6)
    orders: list[Callable[[], None]] = []
    async with serving_until(app, orders) as address:
        with connecting("kafka", *list_arguments(brokers, address), folder=tmp_path) as connector:
            for _ in range(2):
                orders.append(connector.kill)
                connector.start()
                await eventually(lambda: not orders)
                assert await count_applied(flow, connection) > 0
            connector.start()
            await finish(flow, brokers)
    await require_numbers(connection, sent)


async def test_two_members_share_the_partitions_and_one_takes_over(
    brokers: Kafka,
    served: str,
    sent: Sent,
    flow: Flow,
    connection: asyncpg.Connection,
    tmp_path: Path,
):
    arguments = list_arguments(brokers, served)
    (tmp_path / "other").mkdir()
    with (
        connecting("kafka", *arguments, folder=tmp_path) as one,
        connecting("kafka", *arguments, folder=tmp_path / "other") as other,
    ):
        one.start()
        sent.produce_minutes(0, 2)
        await eventually(lambda: count_applied(flow, connection))
        other.start()
        sent.produce_minutes(2, 4)
        await eventually(lambda: "partitions_taken" in other.read_log())
        sent.produce_minutes(4, 5)
        one.kill()
        sent.produce_minutes(5, 6)
        await finish(flow, brokers)
    await require_numbers(connection, sent)


async def test_brokers_that_go_away_are_waited_for(
    brokers: Kafka,
    served: str,
    sent: Sent,
    flow: Flow,
    connection: asyncpg.Connection,
    tmp_path: Path,
):
    with connecting("kafka", *list_arguments(brokers, served), folder=tmp_path) as connector:
        connector.start()
        sent.produce_minutes(0, 1)
        await eventually(lambda: count_applied(flow, connection))
        brokers.go_away()
        await eventually(lambda: "brokers_down" in connector.read_log())
        brokers.come_back()
        sent.produce_minutes(1, 2)
        await finish(flow, brokers)
    await require_numbers(connection, sent)


async def test_garbage_is_sent_on_with_its_reason_and_costs_its_neighbours_nothing(
    brokers: Kafka,
    served: str,
    sent: Sent,
    flow: Flow,
    connection: asyncpg.Connection,
    tmp_path: Path,
):
    now = SystemClock().now()
    garbage = {b"nonsense": "not JSON", b"[1]": "not a JSON object", b"\xff\x00": "not JSON"}
    for value in garbage:
        sent.produce("chat", value, "channel1", now)
    sent.produce("viewer", None, "channel1", now)
    sent.produce("viewer", b'{"viewers": 5}', "no such name", now)
    sent.produce_minutes(0, 1)
    arguments = [*list_arguments(brokers, served), "--dead-letter-topic", "dead"]
    rejected = tmp_path / "rejected.ndjson"
    with connecting("kafka", *arguments, "--rejected", str(rejected), folder=tmp_path) as connector:
        connector.start()
        await finish(flow, brokers)
        assert connector.stop() == 0
    await require_numbers(connection, sent)
    letters = await asyncio.to_thread(read_letters, brokers.servers, 5)
    reasons = {value: reason for value, reason, _ in letters}
    assert reasons.pop(b'{"viewers": 5}').startswith("stream_id is not 1 to 128")
    assert reasons.pop(None) == "empty"
    assert reasons == garbage
    assert {place.rpartition("/")[0].rpartition("/")[0] for _, _, place in letters} == {
        PREFIX + "chat",
        PREFIX + "viewer",
    }
    assert len(rejected.read_bytes().splitlines()) == 5


def read_letters(servers: str, count: int) -> list[tuple[bytes | None, str, str]]:
    """Return values, reasons and places of dead letters."""
    client = Consumer(
        {"bootstrap.servers": servers, "group.id": "reader", "auto.offset.reset": "earliest"}
    )
    client.subscribe(["dead"])
    letters: list[tuple[bytes | None, str, str]] = []
    while len(letters) < count:
        for message in client.consume(count, timeout=1):
            assert message.error() is None
            headers = {
                str(header[0]): _read_header(header[1]) for header in message.headers() or ()
            }
            letters.append((message.value(), headers["reason"], headers["place"]))
    client.close()
    return letters


def _read_header(value: object) -> str:
    assert isinstance(value, bytes)
    return value.decode()
