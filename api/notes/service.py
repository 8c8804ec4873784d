"""Service of notes: gathers what an export holds, and writes it in a format."""

import asyncio
from dataclasses import replace
from typing import Final

from fastapi import Response

from api.deps import Resources
from api.notes.pages import HEADERS, write_page
from api.notes.schemas import ExportFormat
from api.sessions.service import Row, require_session, show_session
from core.errors import TooLargeError
from core.keys import Caller
from core.session_exports import SessionExport, write_json, write_markdown
from db.notes import NoteFilter, NoteStore
from db.pool import Connection
from db.session_telemetry import SessionTelemetryStore
from db.sessions import SessionStore
from db.stt_tasks import SttTaskStore

BYTES_MAX: Final = 50_000_000
"""Of the texts in one export: a book a thousand times over, and what a browser still opens."""

PAGE: Final = 500
"""Notes that are read at once."""

SUFFIXES: Final = {"markdown": "md", "json": "json", "html": "html"}
MEDIA_TYPES: Final = {
    "markdown": "text/markdown; charset=utf-8",
    "json": "application/json",
    "html": "text/html; charset=utf-8",
}


def show_note(row: Row) -> Row:
    """Return a stored note as clients read it."""
    return {name: value for name, value in row.items() if name != "number"}


async def export_session(
    uses: Resources, caller: Caller, session_id: str, wanted: NoteFilter, format_: ExportFormat
) -> Response:
    """Return a session with the notes of a filter as a document.

    Raises:
        NotFoundError: There is no such session within reach.
        TooLargeError: It would be too large.
    """
    async with uses.pool.connection() as connection:
        session = await require_session(connection, caller, session_id)
        now = uses.clock.now()
        export = SessionExport(
            session=show_session(session),
            summary=await SessionStore(connection).summarise(session, now),
            notes=await _read_notes(NoteStore(connection, session_id), wanted),
            moments=await NoteStore(connection, session_id).list_moments(now),
            transcripts=await SttTaskStore(connection).list_transcripts(session_id),
            exported_at=now,
        )
    # Some megabytes of text take a second: others are served meanwhile.
    document = await asyncio.to_thread(_write, export, format_)
    name = f"{session_id}.{SUFFIXES[format_]}"
    headers = {
        **(HEADERS if format_ == "html" else {"X-Content-Type-Options": "nosniff"}),
        "Cache-Control": "no-store",
        "Content-Disposition": f'inline; filename="{name}"',
    }
    return Response(document, media_type=MEDIA_TYPES[format_], headers=headers)


async def take_snapshot(connection: Connection, session: Row, given: Row) -> Row:
    """Return a note with a snapshot, its own or the newest values of its time."""
    if given["telemetry_snapshot"] is not None:
        return given
    store = SessionTelemetryStore(connection)
    return {**given, "telemetry_snapshot": await store.take_snapshot(session, given["timestamp"])}


async def _read_notes(store: NoteStore, wanted: NoteFilter) -> list[Row]:
    notes: list[Row] = []
    size = 0
    while True:
        rows = await store.list_notes(replace(wanted, limit=PAGE))
        notes += map(show_note, rows)
        size += sum(len(row["content"]) for row in rows)
        if size > BYTES_MAX:
            raise TooLargeError("The export is over 50 MB. Ask for less of it, with from and to.")
        if len(rows) < PAGE:
            return notes
        wanted = replace(wanted, after=(rows[-1]["timestamp"], rows[-1]["number"]))


def _write(export: SessionExport, format_: ExportFormat) -> bytes | str:
    if format_ == "json":
        return write_json(export)
    return write_markdown(export) if format_ == "markdown" else write_page(export)
