"""Sessions: made, listed, changed, ended, summed up and deleted."""

from typing import Annotated, TypeAlias

import orjson
from fastapi import APIRouter, Body, Path, Query, Response

from api.aliases import Plain, send_list
from api.answers import send_row
from api.deps import Caller, Resources, Uses
from api.paging import read_place, write_place
from api.replies import JSON
from api.sessions import examples
from api.sessions.schemas import (
    SessionDeletedOut,
    SessionIn,
    SessionOut,
    SessionPage,
    SessionPatch,
    SessionQuery,
    SummaryOut,
)
from api.sessions.service import (
    read_session,
    require_reach,
    require_session,
    show_session,
    tell_event,
    tell_stream_changed,
)
from core.errors import NotFoundError
from core.live import tell_stream
from core.scopes import STREAMS_ALL, scope_of_stream
from core.session_events import EventName
from core.sessions import SESSION_PATTERN, make_session_id, write_patterns
from db.deletions import Deleted, DeletionStore
from db.sessions import SessionFilter, SessionStore

SessionId: TypeAlias = Annotated[str, Path(pattern=SESSION_PATTERN, examples=[examples.SESSION_ID])]

router = APIRouter(prefix="/sessions", tags=["sessions"])


@router.get("", response_model=SessionPage, responses=examples.SESSIONS, summary="List sessions")
async def list_sessions(
    uses: Uses, caller: Caller, plain: Plain, query: Annotated[SessionQuery, Query()]
) -> Response:
    """Return the sessions within reach, newest first."""
    limit = query.choose_limit(plain=plain)
    wanted = SessionFilter(
        status=query.status,
        patterns=write_patterns(caller),
        words=query.q,
        after=read_place(query.cursor) if query.cursor else None,
        limit=limit + 1,
    )
    async with uses.pool.connection() as connection:
        rows = await SessionStore(connection).list_sessions(wanted)
    last = rows[limit - 1] if len(rows) > limit else None
    more = None if last is None else write_place(last["started_at"], last["id"])
    return send_list(rows[:limit], next_position=more, plain=plain)


@router.post(
    "",
    status_code=201,
    response_model=SessionOut,
    responses=examples.CREATED,
    summary="Begin a session",
)
async def create_session(
    uses: Uses,
    caller: Caller,
    given: Annotated[SessionIn, Body(openapi_examples=examples.WISHES)],
) -> Response:
    """Make a session that goes on from now, with a stream of its own that has the same id."""
    wish, session_id = given.to_wish(), make_session_id()
    require_reach(caller, session_id, wish.stream_ids or [])
    async with uses.pool.connection() as connection:
        store = SessionStore(connection)
        row = await store.insert(session_id, wish, actor=caller, now=uses.clock.now())
    await tell_stream_changed(uses, session_id)
    return send_row(show_session(row), status=201)


@router.get(
    "/{session_id}", response_model=SessionOut, responses=examples.ONE, summary="Read a session"
)
async def get_session(uses: Uses, caller: Caller, session_id: SessionId) -> Response:
    """Return a session."""
    return send_row(show_session(await read_session(uses, caller, session_id)))


@router.patch(
    "/{session_id}",
    response_model=SessionOut,
    responses=examples.CHANGED,
    summary="Change, end or open a session",
)
async def patch_session(
    uses: Uses,
    caller: Caller,
    session_id: SessionId,
    given: Annotated[SessionPatch, Body(openapi_examples=examples.CHANGES)],
) -> Response:
    """Change what is named; sent again, it changes nothing more.

    Ending a session sets `ended_at` and keeps its summary. What comes later is still taken: notes
    are written afterwards. Opening it again takes the end away.
    """
    wish = given.to_wish()
    require_reach(caller, session_id, wish.stream_ids)
    await uses.written.wait(session_id)
    async with uses.pool.connection() as connection:
        await require_session(connection, caller, session_id)
        store = SessionStore(connection)
        before, row = await store.change(session_id, wish, actor=caller, now=uses.clock.now())
    shown = show_session(row)
    if row != before:
        has_ended = row["status"] == "ended" != before["status"]
        data = {**shown, "summary": row["summary"]} if has_ended else shown
        event: EventName = "session.ended" if has_ended else "session.updated"
        await tell_event(uses, session_id, event, data)
        await tell_stream_changed(uses, session_id)
    return send_row(shown)


@router.delete(
    "/{session_id}",
    response_model=SessionDeletedOut,
    summary="Delete a session and all it owns",
    responses={**examples.DELETED, 202: {"model": SessionDeletedOut, **examples.LEFT}},
)
async def delete_session(uses: Uses, caller: Caller, session_id: SessionId) -> Response:
    """Delete a session, its notes and its own stream, for good; other streams stay.

    202 says that so many points are left that one request was not enough: the session goes with
    the last of them.
    """
    async with uses.pool.connection() as connection:
        await require_session(connection, caller, session_id)
        try:
            deleted = await DeletionStore(connection).delete(session_id, actor=caller)
        except NotFoundError:
            # Somebody deleted the stream before.
            deleted = Deleted({}, is_complete=True)
        if deleted.is_complete:
            await SessionStore(connection).delete(session_id, actor=caller)
    await _tell_deleted(uses, session_id, deleted)
    body = {"id": session_id, "complete": deleted.is_complete, "rows": deleted.rows}
    return Response(
        orjson.dumps(body),
        status_code=200 if deleted.is_complete else 202,
        media_type=JSON,
        headers={"Cache-Control": "no-store"},
    )


@router.get(
    "/{session_id}/summary",
    response_model=SummaryOut,
    responses=examples.SUMMARISED,
    summary="Sum up a session",
)
async def read_summary(uses: Uses, caller: Caller, session_id: SessionId) -> Response:
    """Return duration, notes, channels and moments, as they are stored now."""
    await uses.written.wait(session_id)
    async with uses.pool.connection() as connection:
        session = await require_session(connection, caller, session_id)
        summary = await SessionStore(connection).summarise(session, uses.clock.now())
    return send_row(summary)


async def _tell_deleted(uses: Resources, session_id: str, deleted: Deleted) -> None:
    if deleted.is_complete:
        await tell_event(uses, session_id, "session.deleted", {"id": session_id})
    message = tell_stream(session_id, "deleted", uses.clock.now())
    await uses.news.tell((scope_of_stream(session_id), STREAMS_ALL), message, is_gone=True)
