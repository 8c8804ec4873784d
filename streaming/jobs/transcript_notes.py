"""Transcript notes: what was said becomes a note of its session, with the end of its task.

end of the task ─┬─ one transaction ─► both, or, where no note fits any more, the end alone
note ────────────┘
"""

from typing import Any, Final

import structlog

from core.errors import ConflictError
from core.keys import Caller
from core.notes import NoteType, make_note_id
from core.stt_tasks import Outcome
from db.notes import NoteStore
from db.pool import Connection
from db.session_telemetry import SessionTelemetryStore
from db.sessions import SessionStore
from db.stt_tasks import SttTaskStore

TAG: Final = "speech"

Row = dict[str, Any]

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


async def end_with_note(
    connection: Connection, task: Row, outcome: Outcome
) -> tuple[Row | None, Row | None]:
    """End a task and write its note; return both, None for what was not written."""
    store = SttTaskStore(connection)
    note_id = make_note_id()
    try:
        async with connection.transaction(isolation="read_committed"):
            row = await store.end(task["id"], outcome, attempt=task["attempts"], note_id=note_id)
            if row is None:
                return None, None
            return row, await _write_note(connection, note_id, row)
    except ConflictError as error:
        log.warning("transcript_note_left_out", task_id=task["id"], reason=error.detail)
        return await store.end(task["id"], outcome, attempt=task["attempts"]), None


async def _write_note(connection: Connection, note_id: str, task: Row) -> Row:
    session = await SessionStore(connection).get(task["session_id"])
    said_at = task["started_at"] or task["created_at"]
    snapshot = await SessionTelemetryStore(connection).take_snapshot(session, said_at)
    note = {
        "timestamp": said_at,
        "speaker": task["speaker"],
        "content": task["transcript"],
        "type": NoteType.OBSERVATION,
        "tags": [TAG],
        "telemetry_snapshot": snapshot,
    }
    # It is a note of whoever sent the audio.
    author = Caller(name=task["author"], scopes=frozenset())
    written = await NoteStore(connection, task["session_id"]).insert(note_id, note, actor=author)
    return {name: value for name, value in written.items() if name != "number"}
