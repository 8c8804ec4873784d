"""Sources: topics read in a group, their messages as events at the outlet.

feed.fetch ─► take ─► read_messages, check_rows ─► outlet ─► decided ─► commit
     ▲                                  └ bad ─► refusals, letters
     └── goes on while a batch waits for the API, or the group would give the partitions away
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from confluent_kafka import Message

from core import metrics
from core.clock import Clock
from core.events import TimePolicy
from core.tasks import end
from streaming.connectors.health import Health
from streaming.connectors.kafka.feeds import Feed, find_ends
from streaming.connectors.kafka.letters import Letters
from streaming.connectors.kafka.messages import SHAPES, Messages, read_messages
from streaming.connectors.outlets import Outlet
from streaming.connectors.rows import check_rows

BATCH_MESSAGES_MAX: Final = 5000
"""As many as a body of the outlet holds."""

ATTEND_S: Final = 1.0
"""So long nothing is fetched where enough waits; the group wants to hear of its members."""

BACKLOG_EVERY_MS: Final = 5000


@dataclass(frozen=True, slots=True)
class Subscription:
    """What is read, and how."""

    topics: Mapping[str, str]
    """Topics, and which of the shapes their messages have."""

    config: Mapping[str, str | int | float | bool]
    """Of the client: brokers, group, and whatever else was set."""


@dataclass(slots=True)
class _Outcome:
    """What a batch became."""

    lines: list[bytes] = field(default_factory=list)
    newest_ms: int = 0
    bad: list[tuple[Message, str]] = field(default_factory=list)


class KafkaSource:
    """Reads topics until cancelled."""

    def __init__(
        self,
        subscription: Subscription,
        letters: Letters | None,
        clock: Clock,
        policy: TimePolicy,
    ) -> None:
        self._subscription = subscription
        self._letters = letters
        self._clock = clock
        self._policy = policy
        self._feed: Feed | None = None
        self._backlog_at_ms = 0

    async def read(self, outlet: Outlet, health: Health) -> None:
        """Join the group, and hand on what comes."""
        await asyncio.to_thread(self.close)
        feed = self._feed = Feed(
            self._subscription.config, list(self._subscription.topics), self._clock
        )
        handing: asyncio.Task[None] | None = None
        try:
            while True:
                if handing is not None and feed.count_fetched() >= BATCH_MESSAGES_MAX:
                    # To stop fetching a partition throws away what the client has of it.
                    await asyncio.wait({handing}, timeout=ATTEND_S)
                await asyncio.to_thread(feed.fetch)
                self._tell(feed, health)
                if handing is not None and handing.done():
                    handing.result()
                    handing = None
                if handing is None and (messages := feed.take(BATCH_MESSAGES_MAX)):
                    handing = asyncio.create_task(self._hand_on(messages, feed, outlet, health))
        finally:
            if handing is not None:
                await end(handing)

    def close(self) -> None:
        """Leave the group; what was decided until now is committed before."""
        if self._feed is not None:
            self._feed.close()
            self._feed = None

    async def _hand_on(
        self, messages: list[Message], feed: Feed, outlet: Outlet, health: Health
    ) -> None:
        """Hand a batch on; its offsets are committed once the API has decided about all of it."""
        health.note_read(len(messages))
        outcome = await asyncio.to_thread(self._read_batch, messages)
        if outcome.bad:
            if self._letters is not None:
                await asyncio.to_thread(self._letters.send, outcome.bad)
            outlet.refuse([(message.value() or b"", reason) for message, reason in outcome.bad])
            for reason, count in Counter(reason for _, reason in outcome.bad).items():
                health.note_ignored(reason, count)
        ends = find_ends(messages)
        await outlet.put_lines(outcome.lines, lambda: feed.commit(ends), outcome.newest_ms)

    def _read_batch(self, messages: Sequence[Message]) -> _Outcome:
        by_topic: defaultdict[str, list[Message]] = defaultdict(list)
        for message in messages:
            by_topic[message.topic() or ""].append(message)
        outcome = _Outcome()
        for topic, group in by_topic.items():
            self._read_topic(topic, group, outcome)
        return outcome

    def _read_topic(self, topic: str, messages: Sequence[Message], outcome: _Outcome) -> None:
        shape = SHAPES[self._subscription.topics[topic]]
        raw, unread = read_messages(list_columns(topic, messages), shape)
        rows = check_rows(raw, now=self._clock.now(), policy=self._policy)
        outcome.lines += rows.lines
        outcome.newest_ms = max(outcome.newest_ms, rows.newest_ms)
        outcome.bad += [(messages[row.index], row.reason) for row in (*unread, *rows.rejected)]

    def _tell(self, feed: Feed, health: Health) -> None:
        if feed.is_connected != health.is_connected:
            health.note_connected(is_connected=feed.is_connected)
        now_ms = self._clock.now_ms()
        if now_ms - self._backlog_at_ms < BACKLOG_EVERY_MS:
            return
        self._backlog_at_ms = now_ms
        for (topic, partition), count in feed.count_backlog().items():
            metrics.connector_backlog_messages.labels(health.name, f"{topic}/{partition}").set(
                count
            )


def list_columns(topic: str, messages: Sequence[Message]) -> Messages:
    """Return messages of one topic as columns."""
    return Messages(
        topic,
        [message.partition() or 0 for message in messages],
        [message.offset() or 0 for message in messages],
        [message.key() for message in messages],
        [message.value() for message in messages],
        [message.timestamp()[1] for message in messages],
    )
