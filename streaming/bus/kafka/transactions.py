"""Transactions: appends of one process, committed in groups on a thread.

    append ─┐
    append ─┼─► queue ─► group ─► begin · produce · commit ─► everyone in the group is answered
    append ─┘              ▲ gathers while the one before is committed

A transaction of its own for each append would cost each of them several round trips and leave a
mark in every partition. Nothing is held back to make a group larger: a lone append is committed at
once, and under load the time of one commit is the time in which the next group gathers.
"""

import queue
import secrets
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from core.errors import BusAwayError, BusFullError, TelemetraError, TooLargeError
from streaming.bus.base import Offsets
from streaming.bus.kafka.topics import (
    ENTRY_BYTES_MAX,
    TIMEOUT_S,
    TOPIC,
    TRACE_HEADER,
    connect,
    to_away,
    to_offset,
)

ENTRIES_A_GROUP: Final = 5000
"""A group ends with the append that reaches this: more would make everybody in it wait longer than
it saves."""

GROUP_BYTES_MAX: Final = 32 * 2**20
"""And with the append that reaches this, whichever comes first."""

APPENDS_WAITING_MAX: Final = 5000
"""Several groups; who comes later is told to wait."""

WAITING_BYTES_MAX: Final = 256 * 2**20
"""The memory that waiting appends may hold."""

TRANSACTION_TIMEOUT_S: Final = 10
"""Readers of a shard wait so long, and up to ten seconds more, for a transaction whose process was
killed in the middle of it: then the broker ends it, and nothing of it is ever seen."""

log = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Append:
    """The entries of one append, and whom to answer."""

    entries: Mapping[int, bytes]
    size: int
    trace: str | None = None
    done: Future[Offsets] = field(default_factory=Future)
    offsets: dict[int, int] = field(default_factory=dict)
    refusal: KafkaError | None = None

    def note(self, error: KafkaError | None, message: Message) -> None:
        """Remember where an entry stands, or that the broker refused it."""
        self.refusal = error or self.refusal
        if error is None:
            self.offsets[message.partition() or 0] = to_offset(message)


class Transactions:
    """Commits appends in groups, one group after the other."""

    def __init__(self, servers: str) -> None:
        self._servers = servers
        # The same for the whole life of the process: a new producer ends what the old one left.
        self._id = f"telemetra-{secrets.token_hex(8)}"
        self._queue: queue.Queue[Append | None] = queue.Queue(APPENDS_WAITING_MAX)
        self._waiting_bytes = 0
        self._lock = threading.Lock()
        self._producer: Producer | None = None
        self._thread = threading.Thread(target=self._run, name="kafka-transactions", daemon=True)

    def start(self) -> None:
        """Start the thread; it connects with the first append."""
        if not self._thread.is_alive():
            self._thread.start()

    def submit(self, entries: Mapping[int, bytes], trace: str | None = None) -> Future[Offsets]:
        """Let entries join the next group; what is returned ends when they are committed.

        Raises:
            BusFullError: Too much is waiting already.
            TooLargeError: An entry is larger than the topic takes.
        """
        if any(len(payload) > ENTRY_BYTES_MAX for payload in entries.values()):
            raise TooLargeError(f"A shard's part of the body is over {ENTRY_BYTES_MAX >> 20} MB.")
        append = Append(entries, sum(map(len, entries.values())), trace)
        with self._lock:
            if self._waiting_bytes + append.size > WAITING_BYTES_MAX and self._waiting_bytes:
                raise _full("too many bytes wait for the brokers")
            try:
                self._queue.put_nowait(append)
            except queue.Full:
                raise _full("too many appends wait for the brokers") from None
            self._waiting_bytes += append.size
        return append.done

    def close(self) -> None:
        """Commit what waits, and end the thread."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    def _run(self) -> None:
        is_open = True
        while is_open:
            group, is_open = self._gather()
            if group:
                self._answer(group)
        self._drop()

    def _gather(self) -> tuple[list[Append], bool]:
        """Return the next group, after waiting for its first append, and whether more may come."""
        group: list[Append] = []
        size = entries = 0
        append = self._queue.get()
        while append is not None:
            with self._lock:
                self._waiting_bytes -= append.size
            # Who gave up while waiting is left out.
            if append.done.set_running_or_notify_cancel():
                group.append(append)
                size += append.size
                entries += len(append.entries)
            if entries >= ENTRIES_A_GROUP or size >= GROUP_BYTES_MAX:
                return group, True
            try:
                append = self._queue.get_nowait()
            except queue.Empty:
                return group, True
        return group, False

    def _answer(self, group: list[Append]) -> None:
        try:
            self._commit(group)
        except TelemetraError as error:
            log.warning("group_not_appended", appends=len(group), detail=error.detail)
            for append in group:
                append.done.set_exception(_explain(append, error))
            self._abort()
        except Exception as error:  # noqa: BLE001 (handed to those who wait)
            # Nobody may wait for ever for an answer, whatever happened.
            for append in group:
                append.done.set_exception(error)
            self._drop()
        else:
            for append in group:
                append.done.set_result(append.offsets)

    def _commit(self, group: list[Append]) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        try:
            producer = self._producer or self._open(deadline)
            producer.begin_transaction()
            for append in group:
                _produce(producer, append)
            if unsent := producer.flush(_left(deadline)):
                raise to_away(f"{unsent} entries not delivered")
            producer.commit_transaction(_left(deadline))
        except BufferError as error:
            raise _full("the queue to the brokers is full") from error
        except KafkaException as error:
            if error.args[0].code() == KafkaError.THROTTLING_QUOTA_EXCEEDED:
                raise _full("the brokers ask for patience") from error
            raise to_away(error.args[0].name()) from error

    def _open(self, deadline: float) -> Producer:
        producer = Producer(
            {
                **connect(self._servers),
                "transactional.id": self._id,
                "transaction.timeout.ms": TRANSACTION_TIMEOUT_S * 1000,
                "message.timeout.ms": TIMEOUT_S * 1000,
                # Room for the key and what goes around an entry.
                "message.max.bytes": ENTRY_BYTES_MAX + 2**20,
                "queue.buffering.max.kbytes": (GROUP_BYTES_MAX + ENTRY_BYTES_MAX) * 2 // 1024,
                "linger.ms": 0,
            }
        )
        producer.init_transactions(_left(deadline))
        self._producer = producer
        return producer

    def _abort(self) -> None:
        """End a transaction that failed, and the producer, whose numbering may have a gap now.

        Where it cannot be ended, the next producer ends it: it has the same name.
        """
        if self._producer is None:
            return
        try:
            self._producer.abort_transaction(TIMEOUT_S)
        except KafkaException as error:
            log.warning("transaction_left_open", error=error.args[0].name())
        self._drop()

    def _drop(self) -> None:
        if self._producer is not None:
            self._producer.purge()
            self._producer = None


def _produce(producer: Producer, append: Append) -> None:
    headers: list[tuple[str, str | bytes | None]] = (
        [(TRACE_HEADER, append.trace)] if append.trace else []
    )
    for shard, payload in append.entries.items():
        producer.produce(
            TOPIC,
            payload,
            str(shard),
            partition=shard,
            on_delivery=append.note,
            headers=headers,
        )


def _explain(append: Append, error: TelemetraError) -> TelemetraError:
    """Return what one append of a failed group is told: only the guilty one is too large."""
    if append.refusal is not None and append.refusal.code() == KafkaError.MSG_SIZE_TOO_LARGE:
        return TooLargeError(f"The topic {TOPIC} does not take entries as large as this body's.")
    if isinstance(error, BusAwayError):
        return to_away(append.refusal.name()) if append.refusal is not None else error
    return error


def _full(reason: str) -> BusFullError:
    return BusFullError(
        f"The bus is full: {reason}. Wait and send the same body again.", retry_after_s=1
    )


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.001)
