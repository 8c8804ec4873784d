"""Moments: what was unusual, in one stream or in all, and what people make of it."""

import hashlib
import re
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Final, TypeAlias

import orjson
from fastapi import APIRouter, Body, Header, Path, Query, Request, Response

from api.answers import ANSWERS, answer_cached, send_answer
from api.cache.base import Answer
from api.cache.lookups import Perishable
from api.deps import Caller, Resources, Uses
from api.moments.examples import CHANGE, IF_MATCH, MOMENT_ID, PAGE, READ, STREAM_PAGE, WISHES
from api.moments.schemas import MomentDetailOut, MomentIn, MomentPage, MomentQuery
from api.paging import read_place, write_page, write_place
from api.replies import JSON
from api.streams.endpoints import StreamId
from core import keys
from core.errors import NotFoundError, PreconditionFailedError
from core.live import tell_moment
from core.moment_lives import list_legal, read_life, show_moment
from core.scopes import STREAMS_ALL, scope_of_stream
from db.moment_lives import MomentLifeStore, Row
from db.moments import MomentFilter, MomentStore
from db.pool import Connection
from db.streams import StreamStore

MomentId: TypeAlias = Annotated[str, Path(pattern=r"^mom_[0-9a-f]{20}$", examples=[MOMENT_ID])]

_TAG: Final = re.compile(r'(?:W/)?"([0-9]{1,9})(?:\.[0-9a-f]+)?"')
"""Who knows a moment from a list or a live message knows its version, and no content's hash."""

router = APIRouter(tags=["moments"], responses=ANSWERS)

Wanted: TypeAlias = Annotated[MomentQuery, Query()]


@router.get(
    "/moments", response_model=MomentPage, summary="List moments of all streams", responses=PAGE
)
async def list_all_moments(request: Request, uses: Uses, wanted: Wanted) -> Response:
    """Return moments, newest first."""
    return await _answer(request, uses, STREAMS_ALL, _to_filter(wanted))


@router.get(
    "/streams/{stream_id}/moments",
    response_model=MomentPage,
    summary="List moments of a stream",
    responses=STREAM_PAGE,
)
async def list_moments(
    request: Request, uses: Uses, stream_id: StreamId, wanted: Wanted
) -> Response:
    """Return moments of one stream, newest first."""
    chosen = replace(_to_filter(wanted), stream_id=stream_id)
    return await _answer(request, uses, scope_of_stream(stream_id), chosen)


@router.get(
    "/moments/{moment_id}",
    response_model=MomentDetailOut,
    summary="Read one moment",
    responses=READ,
)
async def get_moment(request: Request, uses: Uses, caller: Caller, moment_id: MomentId) -> Response:
    """Return a moment with its reasons, what people did with it, and what may be done now."""
    async with uses.pool.connection() as connection:
        row = await _require_reach(connection, caller, moment_id)
        told = await _describe(connection, row, uses.clock.now())
    return send_answer(request, _write(told))


@router.patch(
    "/moments/{moment_id}",
    response_model=MomentDetailOut,
    summary="Acknowledge, shelve, mute, resolve, reopen, label, comment",
    responses=CHANGE,
)
async def patch_moment(
    uses: Uses,
    caller: Caller,
    moment_id: MomentId,
    given: Annotated[MomentIn, Body(openapi_examples=WISHES)],
    if_match: Annotated[str | None, Header(description=IF_MATCH)] = None,
) -> Response:
    """Change a moment, all that is asked or nothing; sent again, it changes nothing more.

    What people did stays when the flow goes on with the moment. One that is acknowledged is
    resolved when it is over; one that nobody has acknowledged stays open. A shelved one comes back
    to what it was before when its time is over.
    """
    wish, now = given.to_wish(), uses.clock.now()
    async with uses.pool.connection() as connection:
        await _require_reach(connection, caller, moment_id)
        row = await MomentLifeStore(connection).change(
            moment_id, wish, version=_read_version(if_match), actor=caller, now=now
        )
        told = await _describe(connection, row, now)
    # Also when nothing changed: whoever asks again may do so because the answer was lost, and with
    # it what was to be told.
    scopes = (scope_of_stream(row["stream_id"]), STREAMS_ALL)
    await uses.news.tell(scopes, tell_moment(show_moment(row, now), now))
    answer = _write(told)
    headers = {"ETag": answer.etag, "Cache-Control": "no-store"}
    return Response(answer.body, media_type=JSON, headers=headers)


def _to_filter(query: MomentQuery) -> MomentFilter:
    span = query.model_copy(update={"cursor": None}).to_span()
    return MomentFilter(
        span=span,
        moment_type=query.type,
        state=query.state,
        min_score=query.min_score,
        after=read_place(query.cursor) if query.cursor else None,
    )


async def _answer(request: Request, uses: Resources, scope: str, wanted: MomentFilter) -> Response:
    async def load() -> Perishable:
        now = uses.clock.now()
        async with uses.pool.connection() as connection:
            store = MomentStore(connection)
            rows = await store.list_moments(wanted, now=now)
            if not rows and wanted.stream_id is not None:
                await StreamStore(connection).require(wanted.stream_id)
            good_until = await store.find_shelf_end(wanted.stream_id, now=now)
        limit = wanted.span.limit - 1
        more = None
        if len(rows) > limit:
            last = rows[limit - 1]
            more = write_place(last["timestamp"], last["moment_id"])
        return Perishable(write_page(rows[:limit], next_position=more), good_until)

    ttl_s = uses.settings.cache_ttl_metrics
    return await answer_cached(request, uses, scope, ttl_s=ttl_s, load=load)


async def _require_reach(connection: Connection, caller: keys.Caller, moment_id: str) -> Row:
    """Return a moment as it is stored; one out of reach is not there."""
    row = await MomentStore(connection).find(moment_id)
    if row is None or not caller.allows_stream(row["stream_id"]):
        raise NotFoundError(f"There is no moment {moment_id!r}.")
    return row


async def _describe(connection: Connection, row: Row, now: datetime) -> Row:
    legal = list_legal(read_life(row), row["ended_at"], now)
    life = await MomentLifeStore(connection).list_entries(row["moment_id"])
    return {**show_moment(row, now), "life": life, "legal": legal}


def _write(told: Row) -> Answer:
    """Return a moment with a tag that names what people did with it, and then the content."""
    body = orjson.dumps(told, option=orjson.OPT_UTC_Z)
    content = hashlib.blake2b(body, digest_size=12).hexdigest()
    return Answer(body, f'"{told["version"]}.{content}"')


def _read_version(if_match: str | None) -> int | None:
    """Return the version that a client has seen, from a tag; None when that does not matter.

    Raises:
        PreconditionFailedError: It is no tag of a moment.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    found = _TAG.fullmatch(if_match.strip())
    if found is None:
        raise PreconditionFailedError("If-Match: take it from the ETag of the moment.")
    return int(found[1])
