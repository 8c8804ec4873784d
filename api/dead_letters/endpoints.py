"""Dead letters: what could not be read, why, what is in it, and trying it again after a fix."""

import asyncio
from contextlib import suppress
from datetime import datetime
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Body, Path, Query, Response

from api.answers import send_json, send_row
from api.dead_letters import examples
from api.dead_letters.contents import LOOK_BYTES_MAX, read_contents
from api.dead_letters.places import ONE
from api.dead_letters.schemas import (
    UNITS,
    UNITS_MAX,
    USUAL_UNITS,
    CountQuery,
    LetterCountsOut,
    LetterDetailOut,
    LetterOut,
    LetterPage,
    LetterQuery,
    ReplayedOut,
    ReplayIn,
)
from api.deps import Caller, Resources, Uses
from api.paging import CURSOR_TEXT, read_place, write_page, write_place
from core import keys
from core.dead_letters import LETTER_ID_PATTERN, name_letter, parse_letter_id
from core.errors import ConflictError, InvalidError, NotFoundError
from db.dead_letters import DeadLetterStore, LetterFilter, Row
from db.minutes import BEGINNING, END
from db.pool import Connection
from streaming.bus.letters import append_letter

LetterId: TypeAlias = Annotated[str, Path(pattern=LETTER_ID_PATTERN, examples=[examples.LETTER_ID])]

router = APIRouter(prefix="/dead-letters", tags=["dead letters"])


@router.get("", response_model=LetterPage, responses=examples.LETTERS, summary="List dead letters")
async def list_dead_letters(uses: Uses, query: Annotated[LetterQuery, Query()]) -> Response:
    """Return entries that could not be read, newest first, without their bytes."""
    wanted = LetterFilter(
        start=query.start or BEGINNING,
        end=query.end or END,
        reason=query.reason,
        stream_id=query.stream_id,
        is_waiting=query.waiting,
        after=_read_position(query.cursor) if query.cursor else (END, 0, 0),
    )
    async with uses.pool.connection() as connection:
        rows = await DeadLetterStore(connection).list_letters(wanted, limit=query.limit + 1)
    more = None
    if len(rows) > query.limit:
        last = rows[query.limit - 1]
        more = write_place(last["arrived_at"], f"{last['shard']}-{last['batch_offset']}")
    page = [_show(row) for row in rows[: query.limit]]
    return send_json(write_page(page, next_position=more))


@router.get(
    "/counts",
    response_model=LetterCountsOut,
    responses=examples.COUNTS,
    summary="Count dead letters",
)
async def count_dead_letters(uses: Uses, query: Annotated[CountQuery, Query()]) -> Response:
    """Return how many letters arrived, by reason and by hour or day."""
    start, end = _choose_times(query, uses.clock.now())
    async with uses.pool.connection() as connection:
        store = DeadLetterStore(connection)
        reasons = await store.count_by_reason(start, end)
        times = await store.count_by_time(start, end, unit=query.by, limit=UNITS_MAX + 1)
    return send_row({"reasons": reasons, "times": times})


@router.post(
    "/replay",
    response_model=ReplayedOut,
    responses=examples.SOME_REPLAYED,
    summary="Replay dead letters",
)
async def replay_dead_letters(
    uses: Uses,
    caller: Caller,
    given: Annotated[ReplayIn, Body(openapi_examples=examples.WISHES)],
) -> Response:
    """Put letters that wait on the bus again, the 20 oldest, each once and with an audit entry.

    What still cannot be read becomes a dead letter again, a new one; what is too late for its
    minute is listed as late. `telemetra replay --dead-letters` takes all at once.
    """
    replayed, payload_bytes = [], 0
    async with uses.pool.connection() as connection:
        store = DeadLetterStore(connection)
        for letter in await store.list_waiting(reason=given.reason, stream_id=given.stream_id):
            _require_shard(uses, letter.shard)
            # Somebody else may have replayed it since it was listed.
            with suppress(ConflictError):
                await _replay(uses, store, (letter.shard, letter.offset), caller)
                replayed.append(letter.letter_id)
                payload_bytes += len(letter.payload)
        waiting = await store.count_waiting(reason=given.reason, stream_id=given.stream_id)
    return send_row({"replayed": replayed, "payload_bytes": payload_bytes, "waiting": waiting})


@router.get(
    ONE,
    response_model=LetterDetailOut,
    responses=examples.ONE,
    summary="Read a dead letter",
)
async def get_dead_letter(uses: Uses, letter_id: LetterId) -> Response:
    """Return a letter with the first of its events as they stand there, and its first bytes."""
    async with uses.pool.connection() as connection:
        row = await _require(connection, letter_id)
    payload = row.pop("payload")
    contents = await asyncio.to_thread(read_contents, payload, row["payload_bytes"])
    return send_row({**_show(row), **contents})


@router.post(
    f"{ONE}/replay",
    response_model=LetterOut,
    responses=examples.REPLAYED,
    summary="Replay one dead letter",
)
async def replay_dead_letter(uses: Uses, caller: Caller, letter_id: LetterId) -> Response:
    """Put a letter on the bus again, once; what still cannot be read becomes a new one."""
    place = _read_place(letter_id)
    async with uses.pool.connection() as connection:
        await _require(connection, letter_id)
        _require_shard(uses, place[0])
        await _replay(uses, DeadLetterStore(connection), place, caller)
        row = await _require(connection, letter_id)
    del row["payload"]
    return send_row(_show(row))


async def _replay(
    uses: Resources, store: DeadLetterStore, place: tuple[int, int], caller: keys.Caller
) -> None:
    async with store.replaying(place, caller) as letter:
        await append_letter(uses.bus, letter.shard, letter.offset, letter.payload)


def _require_shard(uses: Resources, shard: int) -> None:
    """Refuse what nobody would read.

    Raises:
        ConflictError: The bus had more shards when the letter was written.
    """
    if shard >= (shards := uses.settings.bus_shards):
        raise ConflictError(
            f"There is no shard {shard} any more, of which the dead letter is: BUS_SHARDS is"
            f" {shards}. Name others by their reason or one by one."
        )


async def _require(connection: Connection, letter_id: str) -> Row:
    store = DeadLetterStore(connection)
    row = await store.find(_read_place(letter_id), bytes_max=LOOK_BYTES_MAX)
    if row is None:
        raise NotFoundError(f"There is no dead letter {letter_id!r}.")
    return row


def _read_place(letter_id: str) -> tuple[int, int]:
    place = parse_letter_id(letter_id)
    if place is None:
        raise NotFoundError(f"There is no dead letter {letter_id!r}.")
    return place


def _show(row: Row) -> Row:
    """Return a letter as clients see it; numbers as large as offsets do not survive JavaScript."""
    offset = row.pop("batch_offset")
    return {"letter_id": name_letter(row["shard"], offset), **row}


def _choose_times(query: CountQuery, now: datetime) -> tuple[datetime, datetime]:
    unit = UNITS[query.by]
    end = query.end or now
    usual = USUAL_UNITS[query.by] * unit
    start = query.start or (end - usual if end - BEGINNING > usual else BEGINNING)
    if end - start > UNITS_MAX * unit:
        raise InvalidError(
            f"from: more than {UNITS_MAX} {query.by}s before `to`. Ask for less, or by=day."
        )
    return start, end


def _read_position(cursor: str) -> tuple[datetime, int, int]:
    arrived_at, letter_id = read_place(cursor)
    place = parse_letter_id(letter_id)
    if place is None:
        raise InvalidError(CURSOR_TEXT)
    return arrived_at, *place
