"""The reading end of the Kafka bus.

One client for all shards that are read here: it fetches them ahead, in one stream, and a shelf a
shard keeps what came while another shard was asked for. A position moves only when a shard is read
from elsewhere than where the last read ended.
"""

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Final

import structlog
from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException, Message
from confluent_kafka import Consumer as Client
from confluent_kafka.admin import AdminClient

from core.batches import Entry
from core.errors import BusAwayError
from core.traces import read_context
from streaming.bus.base import Consumer
from streaming.bus.kafka.topics import (
    ENTRY_BYTES_MAX,
    TIMEOUT_S,
    TRACE_HEADER,
    connect,
    ensure_topic,
    name_group,
    name_partition,
    to_away,
    to_offset,
)

SHELF_BYTES_MAX: Final = 8_000_000
"""Two frames of the flow: a shard that holds more waits until it is read from."""

FETCHED_KB_MAX: Final = 65_536
"""What the client itself fetches ahead, for all shards together."""

FETCH_WAIT_MS: Final = 100
"""How long a broker holds an answer back when nothing is new. A shard that is added or moved waits
as long for the answer before it."""

CONSUME_S: Final = 0.005
"""The longest pause while entries are known to be on their way; at the end there is none."""

PROBE_EVERY_S: Final = 1.0

AT_END: Final = "_PARTITION_EOF"
OUT_OF_RANGE: Final = "_AUTO_OFFSET_RESET"
ALL_DOWN: Final = "_ALL_BROKERS_DOWN"

log = structlog.get_logger()


@dataclass(slots=True)
class Shelf:
    """What was fetched of a shard and not yet read."""

    position: int
    """The offset of the bus after which the next read is expected."""

    newest: int
    entries: deque[Entry] = field(default_factory=deque)
    size: int = 0
    is_at_end: bool = False
    """Whether nothing was left to fetch when the client last looked."""

    is_stuck: bool = False
    """Whether nothing came for so long that the other shards shall not wait for it again."""

    is_paused: bool = False
    is_lost: bool = False
    """Whether the brokers know no such position."""

    def put(self, entry: Entry) -> None:
        """Add an entry; one that is not newer was already here."""
        if entry.offset > self.newest:
            self.entries.append(entry)
            self.newest = entry.offset
            self.size += len(entry.payload)

    def take(self, limit: int) -> list[Entry]:
        """Hand out the oldest entries."""
        taken = [self.entries.popleft() for _ in range(min(limit, len(self.entries)))]
        self.size -= sum(len(entry.payload) for entry in taken)
        if taken:
            self.position = taken[-1].offset
        return taken


class KafkaBusReader:
    """Reads entries from the partitions of a topic; for one thread."""

    def __init__(self, servers: str, consumer: Consumer, *, shards: int) -> None:
        self._servers = servers
        self._shards = shards
        self._is_checked = False
        self._shelves: dict[int, Shelf] = {}
        self._brokers_down = False
        self._probe_at = 0.0
        self._client: Client | None = Client(
            {
                **connect(servers),
                "group.id": name_group(consumer),
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                # Retention decides what the oldest entry is, and we say so when it took some.
                "auto.offset.reset": "error",
                "fetch.wait.max.ms": FETCH_WAIT_MS,
                "fetch.error.backoff.ms": FETCH_WAIT_MS,
                "fetch.max.bytes": ENTRY_BYTES_MAX + 2**20,
                "queued.max.messages.kbytes": FETCHED_KB_MAX,
                "error_cb": self._note_error,
            }
        )

    def read(self, shard: int, *, after: int, limit: int) -> list[Entry]:
        """Return up to ``limit`` entries after an offset, oldest first."""
        try:
            self._require_brokers()
            shelf = self._shelves.get(shard)
            if shelf is None or shelf.position != after:
                shelf = self._move(shard, after)
            self._fill(shard, shelf, limit)
            taken = shelf.take(limit)
            self._pace(shard, shelf)
        except KafkaException as error:
            raise to_away(error.args[0].name()) from error
        return taken

    def release(self, shard: int, *, through: int) -> None:
        """Commit the group's offset, in the background; a later one makes up for a lost one.

        Nothing is deleted by it: Kafka keeps entries for as long as its retention says.
        """
        if self._brokers_down:
            raise to_away("brokers are down")
        # The next offset to read, in Kafka's counting, is the last one released in ours.
        self._open.commit(offsets=[name_partition(shard, through)], asynchronous=True)

    def close(self) -> None:
        """Let go of the connections.

        Not by the client's own closing, which waits most of a minute for commits to brokers that
        are away: it is a member of no group that it would have to leave.
        """
        self._client = None

    @property
    def _open(self) -> Client:
        if self._client is None:
            raise to_away("closed")
        return self._client

    def _require_brokers(self) -> None:
        if not self._is_checked:
            ensure_topic(AdminClient(connect(self._servers)), self._shards)
            self._is_checked = True
        if not self._brokers_down:
            return
        if (now := time.monotonic()) >= self._probe_at:
            self._probe_at = now + PROBE_EVERY_S
            self._open.list_topics(timeout=PROBE_EVERY_S)
            self._brokers_down = False
        else:
            raise to_away("brokers are down")

    def _move(self, shard: int, after: int) -> Shelf:
        """Fetch a shard from an offset on."""
        if (before := self._shelves.get(shard)) is not None:
            if before.is_paused:
                self._open.resume([name_partition(shard)])
            self._open.incremental_unassign([name_partition(shard)])
        # After offset n of the bus comes n of Kafka, which counts from zero.
        place = name_partition(shard, after or OFFSET_BEGINNING)
        self._open.incremental_assign([place])
        shelf = self._shelves[shard] = Shelf(position=after, newest=after)
        return shelf

    def _fill(self, shard: int, shelf: Shelf, limit: int) -> None:
        """Fetch until enough is there or the end is reached."""
        deadline = time.monotonic() + (CONSUME_S if shelf.is_stuck else TIMEOUT_S)
        while len(shelf.entries) < limit and not shelf.is_paused:
            if shelf.is_lost:
                self._find_position(shard, shelf)
            wait_s = 0.0 if shelf.is_at_end else CONSUME_S
            messages = self._open.consume(limit, timeout=wait_s)
            # Nothing may fail before the last one lies on its shelf: they are not handed out again.
            for message in messages:
                self._sort_in(message)
            if shelf.is_at_end and not messages:
                return
            if self._brokers_down or time.monotonic() > deadline:
                if shelf.entries:
                    return
                shelf.is_stuck = True
                raise to_away(f"shard {shard} does not come")

    def _sort_in(self, message: Message) -> None:
        """Put a message on the shelf of its shard."""
        shelf = self._shelves.get(shard := message.partition() or 0)
        if shelf is None:
            return
        shelf.is_stuck = False
        if (error := message.error()) is None:
            shelf.is_at_end = False
            # Numbers and bytes are there whenever there is no error.
            offset, payload = to_offset(message), message.value() or b""
            shelf.put(Entry(offset, message.timestamp()[1], payload, _find_trace(message)))
            self._pace(shard, shelf)
        elif error.name() == AT_END:
            shelf.is_at_end = True
        elif error.name() == OUT_OF_RANGE:
            shelf.is_lost = True
        else:
            log.warning("shard_not_fetched", shard=shard, error=error.name())

    def _find_position(self, shard: int, shelf: Shelf) -> None:
        """Go on at the oldest entry there is; refuse to where the log ends before the position."""
        partition = name_partition(shard)
        oldest, end = self._open.get_watermark_offsets(partition, timeout=TIMEOUT_S)
        if shelf.newest > end:
            raise BusAwayError(
                f"Shard {shard} was read up to {shelf.newest} and ends at {end}: the topic was made"
                " anew or has lost entries. docs/architecture.md says how a bus is changed."
            )
        if oldest > shelf.newest:
            log.error("entries_expired", shard=shard, after=shelf.newest, oldest=oldest + 1)
        self._open.incremental_unassign([partition])
        self._open.incremental_assign([name_partition(shard, max(oldest, shelf.newest))])
        shelf.is_lost = False

    def _pace(self, shard: int, shelf: Shelf) -> None:
        """Stop fetching a shard that nobody reads fast enough, and go on when it is."""
        if not shelf.is_paused and shelf.size > SHELF_BYTES_MAX:
            self._open.pause([name_partition(shard)])
            shelf.is_paused = True
        elif shelf.is_paused and shelf.size < SHELF_BYTES_MAX // 2:
            self._open.resume([name_partition(shard)])
            shelf.is_paused = False

    def _note_error(self, error: KafkaError) -> None:
        """Hear about trouble with single connections, which mends itself, and with all."""
        if error.name() == ALL_DOWN and not self._brokers_down:
            log.warning("brokers_down")
            self._brokers_down = True


def _find_trace(message: Message) -> str | None:
    """Return the context that an entry came with; other programs may have sent anything."""
    for header in message.headers() or ():
        if header[0] == TRACE_HEADER and isinstance(value := header[1], bytes):
            return read_context(value.decode("latin-1"))
    return None
