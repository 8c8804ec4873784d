"""Sources: topics of a broker, their messages as events at the outlet.

session ─► inbox ─► names (ledger) ─► read_payloads, check_rows ─► outlet ─► acknowledge
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import polars as pl
from paho.mqtt.client import MQTTMessage

from core.clock import Clock
from core.events import TimePolicy
from streaming.connectors.health import Health
from streaming.connectors.mqtt.inboxes import Inbox
from streaming.connectors.mqtt.ledgers import Delivery, Known, Ledger
from streaming.connectors.mqtt.payloads import NO_TEMPLATE, Arrivals, Kind, read_payloads
from streaming.connectors.mqtt.sessions import Session, SessionOptions
from streaming.connectors.mqtt.templates import Place, Template
from streaming.connectors.outlets import Outlet
from streaming.connectors.rows import check_rows

BATCH_MESSAGES_MAX: Final = 2000

PAYLOAD_BYTES_MAX: Final = 262_144
"""A reading has some ten bytes, an object of five hundred of them some ten thousand."""

TOO_LARGE: Final = f"payload larger than {PAYLOAD_BYTES_MAX} bytes"

TOPICS_KNOWN_MAX: Final = 50_000
"""Beyond it what topics say is found out anew."""


@dataclass(frozen=True, slots=True)
class MqttOptions:
    """What is read, and how."""

    session: SessionOptions
    templates: Mapping[Template, Kind]
    retained: Literal["ignore", "keep"] = "ignore"


@dataclass(slots=True)
class _Group:
    """Messages that are read in the same way."""

    messages: list[MQTTMessage] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    known: list[Known] = field(default_factory=list)


@dataclass(slots=True)
class _Outcome:
    """What a batch became."""

    lines: list[bytes] = field(default_factory=list)
    newest_ms: int = 0
    bad: list[tuple[MQTTMessage, str]] = field(default_factory=list)


class MqttSource:
    """Reads topics until cancelled."""

    def __init__(
        self, options: MqttOptions, ledger: Ledger, clock: Clock, policy: TimePolicy
    ) -> None:
        self._options = options
        self._ledger = ledger
        self._clock = clock
        self._policy = policy
        self._session: Session | None = None
        self._topics: dict[str, tuple[Kind, Place] | None] = {}

    async def read(self, outlet: Outlet, health: Health) -> None:
        """Connect, and hand on what comes."""
        await asyncio.to_thread(self.close)
        inbox = Inbox(asyncio.get_running_loop())

        def note_ready() -> None:
            health.note_connected(is_connected=True)

        session = self._session = Session(self._options.session, inbox, note_ready)
        await asyncio.to_thread(session.open)
        while True:
            messages = await inbox.take(BATCH_MESSAGES_MAX)
            if inbox.overflowed:
                health.note_ignored("overflow", inbox.overflowed)
                inbox.overflowed = 0
            await self._hand_on(messages, session, outlet, health)

    def close(self) -> None:
        """Hang up; what was decided until now is acknowledged before."""
        if self._session is not None:
            self._session.close()
            self._session = None

    async def _hand_on(
        self, messages: list[MQTTMessage], session: Session, outlet: Outlet, health: Health
    ) -> None:
        """Hand a batch on, and wait: the broker sends little more before it is acknowledged."""
        packets = [message.mid for message in messages if message.qos]
        wanted = messages
        if self._options.retained == "ignore":
            wanted = [message for message in messages if not message.retain]
            health.note_ignored("retained", len(messages) - len(wanted))
        health.note_read(len(wanted))
        outcome = await asyncio.to_thread(self._read_batch, wanted)
        if outcome.bad:
            outlet.refuse([(_write(message), reason) for message, reason in outcome.bad])
            for reason, count in Counter(reason for _, reason in outcome.bad).items():
                health.note_ignored(reason, count)
        await outlet.put_lines(
            outcome.lines, lambda: session.acknowledge(packets), outcome.newest_ms
        )
        await outlet.flush()

    def _read_batch(self, messages: Sequence[MQTTMessage]) -> _Outcome:
        outcome = _Outcome()
        groups: defaultdict[Kind, _Group] = defaultdict(_Group)
        for message in messages:
            self._sort_in(message, groups, outcome)
        # Nothing is sent under a name that is not written down.
        self._ledger.save()
        for kind, group in groups.items():
            self._read_group(kind, group, outcome)
        return outcome

    def _sort_in(
        self, message: MQTTMessage, groups: Mapping[Kind, _Group], outcome: _Outcome
    ) -> None:
        found = self._find_place(message.topic)
        if found is None or len(message.payload) > PAYLOAD_BYTES_MAX:
            outcome.bad.append((message, TOO_LARGE if found else NO_TEMPLATE))
            return
        kind, place = found
        group = groups[kind]
        group.messages.append(message)
        group.places.append(place)
        group.known.append(self._name(message))

    def _name(self, message: MQTTMessage) -> Known:
        if message.qos == 0:
            return self._ledger.make(self._clock.now_ms())
        delivery = Delivery(message.mid, message.topic, bytes(message.payload), message.dup)
        return self._ledger.name(delivery, self._clock.now_ms())

    def _find_place(self, topic: str) -> tuple[Kind, Place] | None:
        """Return what a topic says, by the first template that it fits."""
        if topic not in self._topics:
            if len(self._topics) >= TOPICS_KNOWN_MAX:
                self._topics.clear()
            said = (
                (kind, place)
                for template, kind in self._options.templates.items()
                if (place := template.match(topic)) is not None
            )
            self._topics[topic] = next(said, None)
        return self._topics[topic]

    def _read_group(self, kind: Kind, group: _Group, outcome: _Outcome) -> None:
        arrivals = Arrivals(
            group.places,
            [bytes(message.payload) for message in group.messages],
            [known.id for known in group.known],
            [known.arrived_ms for known in group.known],
        )
        found = read_payloads(arrivals, kind)
        outcome.bad += [(group.messages[row.index], row.reason) for row in found.rejected]
        if found.events.is_empty():
            return
        raw = found.events.drop("message").with_row_index()
        rows = check_rows(raw, now=self._clock.now(), policy=self._policy)
        owners: pl.Series = found.events["message"]
        outcome.bad += [(group.messages[owners[row.index]], row.reason) for row in rows.rejected]
        outcome.lines += rows.lines
        outcome.newest_ms = max(outcome.newest_ms, rows.newest_ms)


def _write(message: MQTTMessage) -> bytes:
    """Return a message as it stands among the refused."""
    return message.topic.encode() + b" " + message.payload[:PAYLOAD_BYTES_MAX]
