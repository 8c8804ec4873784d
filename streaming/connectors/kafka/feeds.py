"""Feeds: the messages of topics as a member of a consumer group, and how far they are done with.

    brokers -> fetch -> shelves (alignments) -> take          commit <- the API has decided

Nothing is committed by itself. A member that takes a partition over begins behind the last commit,
and what it reads again has the same places, so the same ids.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from core.clock import Clock
from streaming.connectors.base import SourceAwayError
from streaming.connectors.kafka.alignments import Alignment, Partition

FETCH_MESSAGES: Final = 1000
FETCH_S: Final = 0.05
"""The longest that a message waits for others before it lies on its shelf."""

FETCHED_KB_MAX: Final = 65_536
"""What the client itself fetches ahead, for all partitions together."""

ANSWER_S: Final = 5
"""An answer later than this counts as none."""

SESSION_S: Final = 10
"""So long after a member was killed its partitions go to another one, or to it when it is back."""

BOUND: Final[Mapping[str, str | int | float | bool]] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    "isolation.level": "read_committed",
    "partition.assignment.strategy": "cooperative-sticky",
}
"""What may not be set otherwise: events would be lost, or counted that no transaction confirmed."""

DEFAULTS: Final[Mapping[str, str | int | float | bool]] = {
    "client.id": "telemetra-connect",
    "session.timeout.ms": SESSION_S * 1000,
    "socket.timeout.ms": ANSWER_S * 1000,
    "reconnect.backoff.max.ms": 10_000,
    "queued.max.messages.kbytes": FETCHED_KB_MAX,
    "fetch.wait.max.ms": 100,
    # What its own lines would say again and again while a broker is away, ours say once.
    "log_level": 2,
}

HOPELESS: Final = frozenset({"_AUTHENTICATION", "SASL_AUTHENTICATION_FAILED", "_FATAL", "_SSL"})
"""Trouble that the client does not mend by itself; others may mend it."""

WAITED_FOR: Final = frozenset({"UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_TOPIC", "_UNKNOWN_PARTITION"})
"""A topic that does not exist yet."""

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class Feed:
    """Reads topics in a group."""

    def __init__(
        self, config: Mapping[str, str | int | float | bool], topics: Sequence[str], clock: Clock
    ) -> None:
        self._clock = clock
        self._alignment = Alignment[Message]()
        self._trouble: KafkaError | None = None
        self._missing: set[str] = set()
        self.is_connected = False
        self._done: dict[Partition, int] = {}
        # Who stops does not wait for the thread that fetches, and may close in the middle of it.
        self._lock = threading.Lock()
        try:
            self._consumer = Consumer({**DEFAULTS, **config, **BOUND, "error_cb": self._hear})
            self._consumer.subscribe(
                list(topics), on_assign=self._begin, on_revoke=self._end, on_lost=self._end
            )
        except KafkaException as error:
            raise SourceAwayError(f"The brokers cannot be asked: {_explain(error)}.") from error
        self._is_open = True

    def fetch(self) -> None:
        """Put what has come on the shelves; also keeps the membership, so call it all the time.

        Raises:
            SourceAwayError: It does not get better by itself.
        """
        try:
            with self._lock:
                if self._is_open:
                    self._fetch()
        except (KafkaException, RuntimeError) as error:
            raise SourceAwayError(f"The brokers cannot be asked: {_explain(error)}.") from error
        if self._trouble is not None:
            raise SourceAwayError(f"The brokers refuse: {self._trouble.str()}.")

    def take(self, limit: int) -> list[Message]:
        """Return messages that it is time for."""
        return self._alignment.take(limit, self._clock.now_ms())

    def count_fetched(self) -> int:
        """Return how many messages wait for being taken."""
        return self._alignment.count()

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Say behind which messages the group goes on, in the background."""
        self._done |= offsets
        if not self._is_open:
            return
        try:
            self._consumer.commit(offsets=_name_places(offsets), asynchronous=True)
        except (KafkaException, RuntimeError) as error:
            # A later commit makes up for it; without one, the messages are read again.
            log.warning("offsets_uncommitted", reason=_explain(error))

    def count_backlog(self) -> dict[Partition, int]:
        """Return how many messages of each partition are not done with, as far as is known."""
        try:
            assigned = self._consumer.assignment()
            ends = {
                (place.topic, place.partition): self._consumer.get_watermark_offsets(
                    place, cached=True
                )
                for place in assigned
            }
        except (KafkaException, RuntimeError):
            return {}
        known = {
            partition: (self._done.get(partition, marks[0]), marks[1])
            for partition, marks in ends.items()
            if marks is not None and marks[1] >= 0
        }
        return {partition: max(end - max(done, 0), 0) for partition, (done, end) in known.items()}

    def close(self) -> None:
        """Leave the group, with what is done with committed as far as a broker answers."""
        with self._lock:
            if self._is_open:
                self._is_open = False
                self._leave()

    def _fetch(self) -> None:
        now_ms = self._clock.now_ms()
        for message in self._consumer.consume(FETCH_MESSAGES, timeout=FETCH_S):
            self._sort_in(message, now_ms)
        self._pace()

    def _leave(self) -> None:
        try:
            if self._done and self.is_connected:
                self._consumer.commit(offsets=_name_places(self._done), asynchronous=False)
        except (KafkaException, RuntimeError) as error:
            log.warning("offsets_uncommitted", reason=_explain(error))
        finally:
            self._consumer.close()

    def _sort_in(self, message: Message, now_ms: int) -> None:
        partition = (message.topic() or "", message.partition() or 0)
        if (error := message.error()) is None:
            self.is_connected = True
            self._alignment.put(partition, message.timestamp()[1], message, now_ms)
        elif error.name() == "_PARTITION_EOF":
            self.is_connected = True
            self._alignment.note_end(partition, now_ms)
        elif error.name() in WAITED_FOR:
            self._note_missing(partition[0])
        else:
            log.warning("messages_not_fetched", topic=partition[0], error=error.name())

    def _note_missing(self, topic: str) -> None:
        if topic not in self._missing:
            self._missing.add(topic)
            log.warning("topic_missing", topic=topic)

    def _pace(self) -> None:
        full, free = self._alignment.pace()
        for names, change in ((full, self._consumer.pause), (free, self._consumer.resume)):
            if names:
                change([TopicPartition(*name) for name in names])

    def _begin(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        del consumer
        self.is_connected = True
        log.info("partitions_taken", count=len(places))
        for place in places:
            self._alignment.add((place.topic, place.partition), self._clock.now_ms())

    def _end(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        del consumer
        log.info("partitions_left", count=len(places))
        for place in places:
            self._alignment.drop((place.topic, place.partition))
            self._done.pop((place.topic, place.partition), None)

    def _hear(self, error: KafkaError) -> None:
        """Hear about trouble with single connections, which mends itself, and with all."""
        if error.fatal() or error.name() in HOPELESS:
            self._trouble = error
        elif error.name() == "_ALL_BROKERS_DOWN":
            if self.is_connected:
                log.warning("brokers_down")
            self.is_connected = False


def find_ends(messages: Iterable[Message]) -> dict[Partition, int]:
    """Return behind which offset each partition goes on after some messages."""
    ends: dict[Partition, int] = {}
    for message in messages:
        ends[message.topic() or "", message.partition() or 0] = (message.offset() or 0) + 1
    return ends


def _name_places(offsets: Mapping[Partition, int]) -> list[TopicPartition]:
    return [TopicPartition(*partition, offset) for partition, offset in offsets.items()]


def _explain(error: Exception) -> str:
    first = error.args[0] if error.args else error
    return first.str() if isinstance(first, KafkaError) else str(first)
