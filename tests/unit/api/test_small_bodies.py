"""Small bodies: together on the bus, and to each the same answer as alone."""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.ingest.checks import Receipt
from api.ingest.readers import Reader, read_json, read_lines
from api.ingest.service import IngestService
from api.ingest.small_bodies import POLICY, SMALL_BYTES_MAX, SmallBodies
from core.batches import Batch, decode_batch
from core.clock import ManualClock
from core.errors import BusAwayError, TelemetraError
from core.events import SCHEMA, fill_columns
from core.keys import EVERYONE, Caller
from streaming.bus.base import Offsets, Once
from streaming.bus.memory import MemoryBusWriter, MemoryLog
from tests.fixtures.clocks import START
from tests.fixtures.settings import make_settings
from tests.fixtures.waiting import eventually

SETTINGS = make_settings()
NARROW = Caller("narrow", EVERYONE.scopes, key_id="k", streams=("a*",))
GOOD: dict[str, Any] = {"stream_id": "a", "type": "chat", "user": "ada", "text": "hi"}


class GatedBus(MemoryBusWriter):
    """A bus in memory that answers when it may, and fails when it should."""

    def __init__(self) -> None:
        self.log = MemoryLog(ManualClock(START))
        super().__init__(self.log, max_entries=10_000)
        self.appends: list[set[int]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.error: Exception | None = None

    async def append(
        self, entries: Any, *, once: Once | None = None, trace: str | None = None
    ) -> Offsets | None:
        self.appends.append(set(entries))
        await self.open.wait()
        if self.error is not None:
            raise self.error
        return await super().append(entries, once=once, trace=trace)

    def list_events(self) -> list[tuple[object, ...]]:
        """Return all events on the bus, in an order that says nothing."""
        batches = [Batch(shard, tuple(found)) for shard, found in self.log.shards.items() if found]
        frames = [fill_columns(decode_batch(batch).events, SCHEMA.names()) for batch in batches]
        if not frames:
            return []
        rows = pl.concat(frames, how="diagonal").select(SCHEMA.names()).rows()
        return sorted(rows, key=repr)


Sent = tuple[bytes, Reader, Caller]


async def send_together(sent: Sequence[Sent], bus: GatedBus) -> list[Receipt | BaseException]:
    small = SmallBodies(SETTINGS, ManualClock(START), bus)
    return await asyncio.gather(*(small.accept(*each) for each in sent), return_exceptions=True)


async def send_alone(sent: Sequence[Sent], bus: GatedBus) -> list[Receipt | BaseException]:
    receipts: list[Receipt | BaseException] = []
    for body, read, caller in sent:
        service = IngestService(SETTINGS, ManualClock(START), bus, caller)
        try:
            receipts.append(await service.accept(body, read))
        except TelemetraError as error:
            receipts.append(error)
    return receipts


def tell(outcome: Receipt | BaseException) -> object:
    """Return what a sender reads of an outcome."""
    if isinstance(outcome, Receipt):
        return orjson.loads(outcome.write())
    assert isinstance(outcome, TelemetraError), outcome
    return (outcome.status, outcome.detail)


def write_lines(events: list[dict[str, Any]]) -> bytes:
    return b"".join(orjson.dumps(event) + b"\n" for event in events)


oddities = st.sampled_from(
    [
        *(b"", b"\n", b"  ", b"{", b"[]", b"null", b"nonsense", b"\xff\xfe", b"{}", b"\0"),
        *(b'{"stream_id":"a"', b'"}', b'{"user":"a"}{"user":"b"}', b"[1,2]", b'{"x":[{}]}'),
        *(b'{"value":1e999}', b'{"bits":1.5}', b'{"timestamp":-1}', b'{"text":"\\ud800"}'),
    ]
)
events = st.dictionaries(
    st.sampled_from(["stream_id", "type", "value", "emotes", "timestamp", "user", "other"]),
    st.one_of(
        st.none(),
        st.integers(-5, 2**63 - 1),
        st.text(max_size=5),
        st.lists(st.text(max_size=3), max_size=2),
        st.sampled_from(["a1", "b", "viewers", "1769421555", str(START), START.isoformat()]),
    ),
    max_size=2,
).map(GOOD.__or__)
lines = events.map(orjson.dumps) | oddities
bodies = st.one_of(
    st.tuples(st.lists(lines, max_size=4).map(b"\n".join), st.just(read_lines)),
    st.tuples(st.lists(events, max_size=4).map(write_lines), st.just(read_lines)),
    st.tuples(lines, st.just(read_json)),
    st.tuples(st.lists(events, max_size=3).map(orjson.dumps), st.just(read_json)),
)
callers = st.sampled_from([EVERYONE, EVERYONE, NARROW])


@given(st.lists(st.tuples(bodies, callers), min_size=1, max_size=8))
def test_together_every_body_is_answered_as_alone_and_the_same_is_on_the_bus(
    sent: list[tuple[tuple[bytes, Reader], Caller]],
):
    async def compare() -> None:
        alone, together = GatedBus(), GatedBus()
        each = [(body, read, caller) for (body, read), caller in sent]
        answers = [await send_alone(each, alone), await send_together(each, together)]
        assert list(map(tell, answers[1])) == list(map(tell, answers[0]))
        assert together.list_events() == alone.list_events()
        assert len(together.appends) <= 1

    asyncio.run(compare())


async def test_each_caller_reaches_their_own_streams_only():
    bus = GatedBus()
    body = write_lines([GOOD, GOOD | {"stream_id": "b"}])
    outcomes = await send_together([(body, read_lines, c) for c in (NARROW, EVERYONE, NARROW)], bus)
    receipts = [each for each in outcomes if isinstance(each, Receipt)]
    assert [receipt.accepted for receipt in receipts] == [1, 2, 1]
    assert [row.index for receipt in receipts for row in receipt.rejected] == [1, 1]
    assert len(bus.appends) == 1


async def test_many_bodies_are_one_entry_a_shard():
    bus = GatedBus()
    sent: list[Sent] = [(orjson.dumps(GOOD), read_json, EVERYONE)] * 100
    receipts = await send_together(sent, bus)
    assert receipts == [Receipt(1, [])] * 100
    assert len(bus.appends) == 1
    assert [len(entries) for entries in bus.log.shards.values() if entries] == [1]
    assert len(bus.list_events()) == 100


async def test_nobody_is_answered_before_their_events_are_on_the_bus():
    bus = GatedBus()
    bus.open.clear()
    sending = asyncio.create_task(send_together([(orjson.dumps(GOOD), read_json, EVERYONE)], bus))
    await eventually(lambda: bus.appends)
    assert not sending.done()
    bus.open.set()
    assert await sending == [Receipt(1, [])]


async def test_a_failure_is_told_to_all_who_share_it_and_to_nobody_who_is_refused_anyway():
    bus = GatedBus()
    bus.error = BusAwayError("The bus is away.")
    good, bad = (orjson.dumps(GOOD), read_json, EVERYONE), (b"{", read_json, EVERYONE)
    outcomes = await send_together([good, good], bus)
    assert outcomes == [bus.error] * 2
    assert tell((await send_together([bad], bus))[0]) == tell((await send_alone([bad], bus))[0])
    bus.error = None
    assert await send_together([good], bus) == [Receipt(1, [])]


async def test_one_who_hangs_up_hurts_nobody():
    bus = GatedBus()
    bus.open.clear()
    small = SmallBodies(SETTINGS, ManualClock(START), bus)
    body = orjson.dumps(GOOD)
    sending = [asyncio.create_task(small.accept(body, read_json, EVERYONE)) for _ in range(3)]
    await eventually(lambda: bus.appends)
    sending[1].cancel()
    bus.open.set()
    outcomes = await asyncio.gather(*sending, return_exceptions=True)
    assert [type(each) for each in outcomes] == [Receipt, asyncio.CancelledError, Receipt]
    assert len(bus.list_events()) == 3


async def test_what_goes_together_is_bounded_in_bytes():
    bus = GatedBus()
    body = orjson.dumps(GOOD | {"text": "x" * (SMALL_BYTES_MAX - 100)})
    count = 3 * (POLICY.weight_max or 0) // len(body)
    assert await send_together([(body, read_json, EVERYONE)] * count, bus) == (
        [Receipt(1, [])] * count
    )
    assert 3 <= len(bus.appends) <= 4


@pytest.mark.parametrize(("size", "appends"), [(0, 1), (5000, 3)])
async def test_only_small_bodies_go_together(size: int, appends: int):
    bus = GatedBus()
    small = SmallBodies(SETTINGS, ManualClock(START), bus)
    service = IngestService(SETTINGS, ManualClock(START), bus, EVERYONE, small)
    body = orjson.dumps(GOOD | {"text": "x" * size})
    await asyncio.gather(*(service.accept(body, read_json) for _ in range(3)))
    assert len(bus.appends) == appends


async def test_a_body_with_a_key_goes_alone_and_counts_once():
    bus = GatedBus()
    small = SmallBodies(SETTINGS, ManualClock(START), bus)
    service = IngestService(SETTINGS, ManualClock(START), bus, EVERYONE, small)
    for _ in range(2):
        assert await service.accept(orjson.dumps(GOOD), read_json, "k") == Receipt(1, [])
    assert len(bus.list_events()) == 1
