"""Letters: messages that are no events, sent on to a topic of their own, with the reason.

Key and value are as they came; headers say why and from where. A message is handed on before its
offset is committed, so that none is lost; after a crash one may be there twice.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from confluent_kafka import KafkaException, Message, Producer

from streaming.connectors.base import SourceAwayError

DELIVERY_S: Final = 10
"""Brokers that do not take letters within this are away."""


class Letters:
    """A topic for what cannot be used."""

    def __init__(self, config: Mapping[str, str | int | float | bool], topic: str) -> None:
        self._topic = topic
        self._refused = 0
        self._producer = Producer(
            {**config, "acks": "all", "message.timeout.ms": DELIVERY_S * 1000, "log_level": 2}
        )

    def send(self, messages: Sequence[tuple[Message, str]]) -> None:
        """Send messages with their reasons, and wait until they are there.

        Raises:
            SourceAwayError: They could not be delivered.
        """
        self._refused = 0
        try:
            for message, reason in messages:
                self._produce(message, reason)
            undelivered = self._producer.flush(DELIVERY_S) + self._refused
        except (BufferError, KafkaException) as error:
            raise SourceAwayError(f"The topic {self._topic} takes no letters: {error}.") from error
        if undelivered:
            raise SourceAwayError(f"The topic {self._topic} did not take {undelivered} letters.")

    def _produce(self, message: Message, reason: str) -> None:
        place = f"{message.topic()}/{message.partition()}/{message.offset()}"
        headers: list[tuple[str, str | bytes | None]] = [("reason", reason), ("place", place)]
        self._producer.produce(
            self._topic,
            message.value(),
            message.key(),
            headers=headers,
            on_delivery=self._note,
        )

    def _note(self, error: object, message: Message) -> None:
        del message
        self._refused += error is not None
