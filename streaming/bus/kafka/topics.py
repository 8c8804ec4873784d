"""Topics: the one topic of the bus, and how its brokers are spoken to.

One partition a shard. An entry's offset is Kafka's own plus one, because Kafka counts from zero
and the bus reads *after* an offset, zero being before the first. Transactions leave marks of their
own in the log, so offsets rise with gaps.
"""

import time
from typing import Final

from confluent_kafka import KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from core.errors import BusAwayError, SettingsInvalidError
from streaming.bus.base import Consumer

TOPIC: Final = "telemetra.events.batches"
"""Batches in Arrow, in a topic of their own: a topic of single events as JSON belongs to whoever
produces it, and comes in through a connector."""

TRACE_HEADER: Final = "traceparent"
"""Of entries that came with a traced request."""

TIMEOUT_S: Final = 5
"""An answer later than this counts as none."""

ENTRY_BYTES_MAX: Final = 64 * 2**20
"""The largest entry: four times the largest body by default, which an entry is a part of."""

REPLICAS: Final = -1
"""As many copies as the brokers make by default."""

TOPIC_CONFIG: Final = {
    "max.message.bytes": str(ENTRY_BYTES_MAX + 2**20),
    # The clock of the broker: that of a door may be wrong, and several doors never agree.
    "message.timestamp.type": "LogAppendTime",
}

CONNECTION: Final[dict[str, str | int | float | bool]] = {
    "client.id": "telemetra",
    "socket.timeout.ms": TIMEOUT_S * 1000,
    "reconnect.backoff.max.ms": 1000,
    # What its own lines would say, again and again while a broker is away, our errors say once.
    "log_level": 2,
}


def connect(servers: str) -> dict[str, str | int | float | bool]:
    """Return what every client of the brokers is configured with."""
    return {**CONNECTION, "bootstrap.servers": servers}


def name_group(consumer: Consumer) -> str:
    """Return the consumer group in which the tools of Kafka find how far a consumer is."""
    return f"telemetra-{consumer}"


def to_offset(message: Message) -> int:
    """Return the bus's offset of an entry."""
    return (message.offset() or 0) + 1


def name_partition(shard: int, offset: int | None = None) -> TopicPartition:
    """Return the partition of a shard, at Kafka's own offset if one is given."""
    return TopicPartition(TOPIC, shard) if offset is None else TopicPartition(TOPIC, shard, offset)


def to_away(reason: object) -> BusAwayError:
    """Return the error that says that no broker answers."""
    return BusAwayError(
        f"The bus did not answer ({reason}). Send the same body again."
        " An Idempotency-Key makes that safe.",
        retry_after_s=1,
    )


def ensure_topic(admin: AdminClient, shards: int) -> None:
    """Make the topic if it is missing, and refuse one that was cut differently.

    Raises:
        BusAwayError: No broker answers.
        SettingsInvalidError: The topic has another number of partitions than there are shards.
    """
    try:
        found = _count_partitions(admin)
        if not found:
            _create_topic(admin, shards)
            found = _await_topic(admin)
    except KafkaException as error:
        raise to_away(error.args[0].name()) from error
    if found != shards:
        raise SettingsInvalidError(
            f"BUS_SHARDS is {shards}, and the topic {TOPIC} has {found} partitions. Set BUS_SHARDS"
            " to that, or begin with an empty topic: a stream never changes its shard."
        )


def _count_partitions(admin: AdminClient) -> int:
    # Asked for by its name, a missing topic would be made by the broker, with too few partitions.
    topic = admin.list_topics(timeout=TIMEOUT_S).topics.get(TOPIC)
    return len(topic.partitions) if topic is not None else 0


def _create_topic(admin: AdminClient, shards: int) -> None:
    wanted = NewTopic(
        TOPIC, num_partitions=shards, replication_factor=REPLICAS, config=TOPIC_CONFIG
    )
    future = admin.create_topics([wanted], request_timeout=TIMEOUT_S)[TOPIC]
    try:
        future.result(TIMEOUT_S)
    except KafkaException as error:
        # Another process of ours was faster.
        if error.args[0].name() != "TOPIC_ALREADY_EXISTS":
            raise


def _await_topic(admin: AdminClient) -> int:
    """Return how many partitions a topic has that was made just now; brokers tell each other."""
    deadline = time.monotonic() + TIMEOUT_S
    while not (found := _count_partitions(admin)):
        if time.monotonic() > deadline:
            raise to_away("the new topic does not appear")
        time.sleep(0.05)
    return found
