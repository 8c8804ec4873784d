"""Notes of a session: written, found, changed, deleted, restored, exported."""

from typing import Annotated, TypeAlias

from fastapi import APIRouter, Body, Header, Path, Query, Response
from starlette.convertors import StringConvertor, register_url_convertor

from api.aliases import Plain, send_list
from api.answers import send_row
from api.deps import Caller, Resources, Uses
from api.notes import examples
from api.notes.schemas import (
    ExportQuery,
    NoteIn,
    NoteOut,
    NotePage,
    NotePatch,
    NoteQuery,
    NoteVersions,
)
from api.notes.service import export_session, show_note, take_snapshot
from api.paging import read_numbered_place, write_place
from api.sessions.endpoints import SessionId
from api.sessions.service import Row, require_session, tell_event
from api.versions import read_version, tag_version
from core.notes import NOTE_PATTERN, make_note_id
from core.session_events import EventName
from db.minutes import BEGINNING, END
from db.notes import NoteFilter, NoteStore

NoteId: TypeAlias = Annotated[str, Path(pattern=NOTE_PATTERN, examples=[examples.NOTE_ID])]
IfMatch: TypeAlias = Annotated[str | None, Header(description=examples.IF_MATCH)]


class NoteConvertor(StringConvertor):
    """Takes ids of notes only: `export` is the address of something else."""

    regex = "note_[^/]+"


register_url_convertor("note", NoteConvertor())

router = APIRouter(prefix="/sessions/{session_id}/notes", tags=["sessions"])


@router.get("", response_model=NotePage, responses=examples.NOTES, summary="List notes")
async def list_notes(
    uses: Uses,
    caller: Caller,
    plain: Plain,
    session_id: SessionId,
    query: Annotated[NoteQuery, Query()],
) -> Response:
    """Return notes as time went on, by what they say, who said it, type, tag and time."""
    limit = query.choose_limit(plain=plain)
    wanted = NoteFilter(
        speaker=query.speaker,
        type=query.type,
        tag=query.tag,
        words=query.q,
        start=query.start or BEGINNING,
        end=query.end or END,
        after=read_numbered_place(query.cursor) if query.cursor else None,
        limit=limit + 1,
    )
    async with uses.pool.connection() as connection:
        await require_session(connection, caller, session_id)
        rows = await NoteStore(connection, session_id).list_notes(wanted)
    last = rows[limit - 1] if len(rows) > limit else None
    more = None if last is None else write_place(last["timestamp"], last["number"])
    return send_list([show_note(row) for row in rows[:limit]], next_position=more, plain=plain)


@router.post(
    "", status_code=201, response_model=NoteOut, responses=examples.CREATED, summary="Write a note"
)
async def create_note(
    uses: Uses,
    caller: Caller,
    session_id: SessionId,
    given: Annotated[NoteIn, Body(openapi_examples=examples.WISHES)],
) -> Response:
    """Write a note, also after the session's end.

    Without a snapshot it gets the newest value of every channel at its time, not of now; values
    that were sent to the session before are among them.
    """
    if given.telemetry_snapshot is None:
        await uses.written.wait(session_id)
    async with uses.pool.connection() as connection:
        session = await require_session(connection, caller, session_id)
        chosen = await take_snapshot(connection, session, given.to_row())
        row = await NoteStore(connection, session_id).insert(make_note_id(), chosen, actor=caller)
    return await _tell(uses, row, "note.created", status=201)


@router.get("/export", responses=examples.EXPORT, summary="Export a session")
async def read_export(
    uses: Uses, caller: Caller, session_id: SessionId, query: Annotated[ExportQuery, Query()]
) -> Response:
    """Return the session, its summary, channels, notes, moments with their reasons, transcripts.

    `markdown` for people and their tools, `json` for programs, `html` to print: it needs nothing
    else and runs nothing. `from` and `to` choose among the notes.
    """
    await uses.written.wait(session_id)
    wanted = NoteFilter(start=query.start or BEGINNING, end=query.end or END)
    return await export_session(uses, caller, session_id, wanted, query.format)


@router.get(
    "/{note_id:note}", response_model=NoteOut, responses=examples.ONE, summary="Read a note"
)
async def get_note(uses: Uses, caller: Caller, session_id: SessionId, note_id: NoteId) -> Response:
    """Return a note, its version in the ETag."""
    async with uses.pool.connection() as connection:
        await require_session(connection, caller, session_id)
        row = await NoteStore(connection, session_id).get(note_id)
    return _send(row)


@router.put(
    "/{note_id:note}", response_model=NoteOut, responses=examples.PUT, summary="Change a note"
)
async def put_note(
    uses: Uses,
    caller: Caller,
    session_id: SessionId,
    note_id: NoteId,
    given: Annotated[NotePatch, Body(openapi_examples=examples.CHANGES)],
    if_match: IfMatch = None,
) -> Response:
    """Change what is named, and keep what the note was, with who and when.

    The same again changes nothing.
    """
    async with uses.pool.connection() as connection:
        await require_session(connection, caller, session_id)
        row, is_changed = await NoteStore(connection, session_id).change(
            note_id, given.to_wish(), version=read_version(if_match, "note"), actor=caller
        )
    return await _tell(uses, row, "note.updated") if is_changed else _send(row)


@router.delete(
    "/{note_id:note}", response_model=NoteOut, responses=examples.DELETED, summary="Delete a note"
)
async def delete_note(
    uses: Uses,
    caller: Caller,
    session_id: SessionId,
    note_id: NoteId,
    if_match: IfMatch = None,
) -> Response:
    """Hide a note and return it; `POST …/restore` brings it back."""
    version, now = read_version(if_match, "note"), uses.clock.now()
    async with uses.pool.connection() as connection:
        await require_session(connection, caller, session_id)
        store = NoteStore(connection, session_id)
        row = await store.delete(note_id, version=version, actor=caller, now=now)
    return await _tell(uses, row, "note.deleted")


@router.post(
    "/{note_id:note}/restore",
    response_model=NoteOut,
    responses=examples.RESTORED,
    summary="Restore a deleted note",
)
async def restore_note(
    uses: Uses, caller: Caller, session_id: SessionId, note_id: NoteId
) -> Response:
    """Show a note again that was deleted; one that is there stays as it is."""
    async with uses.pool.connection() as connection:
        await require_session(connection, caller, session_id)
        row, is_changed = await NoteStore(connection, session_id).restore(note_id, actor=caller)
    return await _tell(uses, row, "note.created") if is_changed else _send(row)


@router.get(
    "/{note_id:note}/versions",
    response_model=NoteVersions,
    responses=examples.VERSIONS,
    summary="List what a note was before",
)
async def list_note_versions(
    uses: Uses, caller: Caller, plain: Plain, session_id: SessionId, note_id: NoteId
) -> Response:
    """Return the versions that were replaced, newest first; also of a note that was deleted."""
    async with uses.pool.connection() as connection:
        await require_session(connection, caller, session_id)
        rows = await NoteStore(connection, session_id).list_versions(note_id)
    return send_list(rows, next_position=None, plain=plain)


def _send(row: Row, *, status: int = 200) -> Response:
    return tag_version(send_row(show_note(row), status=status), row["version"])


async def _tell(uses: Resources, row: Row, event: EventName, *, status: int = 200) -> Response:
    await tell_event(uses, row["session_id"], event, show_note(row))
    return _send(row, status=status)
