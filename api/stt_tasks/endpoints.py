"""STT tasks: audio of a session, uploaded to be transcribed here or told of to be elsewhere."""

import asyncio
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Body, Path, Query, Request, Response

from api.aliases import Plain, send_list
from api.answers import send_row
from api.deps import Caller, Uses
from api.paging import read_place, write_place
from api.sessions.endpoints import SessionId
from api.sessions.service import read_session, require_session, tell_event
from api.stt_tasks import examples
from api.stt_tasks.schemas import (
    SttOutcomeIn,
    SttTaskIn,
    SttTaskOut,
    SttTaskPage,
    SttTaskQuery,
)
from core.audio import AudioFormat
from core.stt_tasks import AUDIO_FOLDER, TASK_ID_PATTERN, make_task_id, name_audio, show_task
from db.stt_tasks import SttTaskStore, Wanted

TaskId: TypeAlias = Annotated[str, Path(pattern=TASK_ID_PATTERN, examples=[examples.TASK_ID])]

router = APIRouter(prefix="/sessions/{session_id}/stt", tags=["speech to text"])


@router.get(
    "/tasks", response_model=SttTaskPage, responses=examples.TASKS, summary="List STT tasks"
)
async def list_stt_tasks(
    uses: Uses,
    caller: Caller,
    plain: Plain,
    session_id: SessionId,
    query: Annotated[SttTaskQuery, Query()],
) -> Response:
    """Return the tasks of a session, newest first."""
    limit = query.choose_limit(plain=plain)
    async with uses.pool.connection() as connection:
        await require_session(connection, caller, session_id)
        after = read_place(query.cursor) if query.cursor else None
        rows = await SttTaskStore(connection).list_tasks(
            session_id, Wanted(query.status, after, limit + 1)
        )
    last = rows[limit - 1] if len(rows) > limit else None
    more = None if last is None else write_place(last["created_at"], last["id"])
    shown = [show_task(row) for row in rows[:limit]]
    return send_list(shown, next_position=more, plain=plain)


@router.post(
    "/tasks",
    status_code=201,
    response_model=SttTaskOut,
    responses=examples.CREATED,
    summary="Tell of audio that lies elsewhere",
)
async def create_stt_task(
    uses: Uses, caller: Caller, session_id: SessionId, given: Annotated[SttTaskIn, Body()]
) -> Response:
    """Make a task for audio that somebody else transcribes, who then puts the outcome."""
    task = {
        **given.model_dump(),
        "id": make_task_id(),
        "session_id": session_id,
        "author": caller.name,
    }
    async with uses.pool.connection() as connection:
        await require_session(connection, caller, session_id)
        row = await SttTaskStore(connection).insert(task, actor=caller)
    shown = show_task(row)
    await tell_event(uses, session_id, "stt.task.created", shown)
    return send_row(shown, status=201)


@router.post(
    "/upload",
    status_code=201,
    response_model=SttTaskOut,
    responses=examples.UPLOADED,
    openapi_extra={"requestBody": examples.UPLOAD_BODY},
    summary="Upload audio to be transcribed",
)
async def upload_audio(
    uses: Uses, caller: Caller, session_id: SessionId, request: Request
) -> Response:
    """Take WAV, FLAC, OGG, WebM or MP4 audio, look at it, and let a job transcribe it.

    The answer is a task that is pending; what becomes of it is told on the session's socket and
    read here. The same audio again is the same task (200), unless that one has failed. Audio that
    is damaged, silent, too long or of another format is refused with the reason.
    """
    await read_session(uses, caller, session_id)
    row, is_new = await uses.uploads.take(request, session_id, caller)
    shown = show_task(row)
    if is_new:
        await tell_event(uses, session_id, "stt.task.created", shown)
    return send_row(shown, status=201 if is_new else 200)


@router.get(
    "/tasks/{task_id}",
    response_model=SttTaskOut,
    responses=examples.ONE,
    summary="Read an STT task",
)
async def get_stt_task(
    uses: Uses, caller: Caller, session_id: SessionId, task_id: TaskId
) -> Response:
    """Return a task."""
    async with uses.pool.connection() as connection:
        await require_session(connection, caller, session_id)
        row = await SttTaskStore(connection).get(session_id, task_id)
    return send_row(show_task(row))


@router.put(
    "/tasks/{task_id}",
    response_model=SttTaskOut,
    responses=examples.PUT,
    summary="Say what became of an STT task",
)
async def put_stt_task(
    uses: Uses,
    caller: Caller,
    session_id: SessionId,
    task_id: TaskId,
    given: Annotated[SttOutcomeIn, Body(openapi_examples=examples.OUTCOMES)],
) -> Response:
    """End a task with a transcript or with the reason why there is none.

    A job of it is stopped. The same outcome again changes nothing; another one is refused.
    """
    async with uses.pool.connection() as connection:
        await require_session(connection, caller, session_id)
        row, is_new = await SttTaskStore(connection).put_outcome(
            session_id, task_id, given.to_outcome(), actor=caller
        )
    shown = show_task(row)
    if is_new:
        await tell_event(uses, session_id, "stt.task.done", shown)
    return send_row(shown)


@router.delete(
    "/tasks/{task_id}",
    response_model=SttTaskOut,
    responses=examples.ONE,
    summary="Delete an STT task",
)
async def delete_stt_task(
    uses: Uses, caller: Caller, session_id: SessionId, task_id: TaskId
) -> Response:
    """Stop a task, and take it away with its audio; a note that it became stays."""
    async with uses.pool.connection() as connection:
        await require_session(connection, caller, session_id)
        row = await SttTaskStore(connection).delete(session_id, task_id, actor=caller)
    if row["audio_format"] is not None:
        folder = uses.settings.data_dir / AUDIO_FOLDER
        file = name_audio(folder, session_id, task_id, AudioFormat(row["audio_format"]))
        await asyncio.to_thread(file.unlink, missing_ok=True)
    return send_row(show_task(row))
