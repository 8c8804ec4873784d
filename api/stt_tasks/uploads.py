"""Uploads: audio on its way from a form to a task, refused with the reason or kept whole.

    form ─► audio/incoming/… ─► looked at ─► audio/SESSION/TASK.FORMAT ─► task and job, at once

Whatever goes wrong, the file is removed; a process that is killed half-way leaves one that
``streaming.jobs`` sweeps away.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from api.forms import Form, FormRules, read_form
from api.stt_tasks.schemas import UploadIn
from core import metrics
from core.errors import FieldError, InvalidError, RoomFullError
from core.grammars import list_words
from core.keys import Caller
from core.settings import Settings
from core.stt_tasks import AUDIO_FOLDER, make_chunk_id, make_task_id, name_audio
from db.pool import Pool
from db.stt_tasks import MEGABYTE, Room, SttTaskStore
from streaming.audio.decoders import Sound, check_sound

UPLOADS_MAX: Final = 16
"""At once in one process: more of them only make each other slow."""

CHECKS_MAX: Final = 2
"""Looked at at once: each takes a core for a second."""

INCOMING: Final = "incoming"
"""Below the folder of audio; no session is called so."""

Row = dict[str, Any]


class Uploads:
    """Takes audio in; one of these a process."""

    def __init__(self, settings: Settings, pool: Pool) -> None:
        self._settings = settings
        self._pool = pool
        self._folder = settings.data_dir / AUDIO_FOLDER
        self._running = 0
        self._checks = asyncio.Semaphore(CHECKS_MAX)

    async def take(self, request: Request, session_id: str, caller: Caller) -> tuple[Row, bool]:
        """Keep the audio of a form and let it be transcribed; return the task, and whether new.

        Raises:
            TelemetraError: It is refused; nothing of it is left.
        """
        result = "refused"
        try:
            with self._claim_place():
                row, is_new = await self._take(request, session_id, caller)
            result = "taken" if is_new else "repeated"
        finally:
            metrics.stt_uploads_total.labels(result).inc()
        return row, is_new

    async def _take(self, request: Request, session_id: str, caller: Caller) -> tuple[Row, bool]:
        settings = self._settings
        async with _incoming(self._folder) as file:
            rules = FormRules("audio", settings.stt_audio_max_mb * MEGABYTE)
            form = await read_form(request, file, rules)
            wanted = read_fields(form, settings)
            task: Row = {
                "id": make_task_id(),
                "session_id": session_id,
                **wanted.model_dump(),
                "audio_chunk_id": wanted.audio_chunk_id
                or make_chunk_id(form.digest, wanted.grammar, wanted.language),
                "audio_bytes": form.size,
                "author": caller.name,
            }
            async with self._pool.connection() as connection:
                before = await SttTaskStore(connection).find_audio(
                    session_id, task["audio_chunk_id"]
                )
            if before is not None and before["status"] != "failed":
                return before, False
            sound = await self._look_at(file, settings.stt_audio_max_seconds)
            task |= {"audio_format": sound.form, "duration_seconds": round(sound.duration_s, 3)}
            return await self._keep(file, task, caller)

    async def _look_at(self, file: Path, seconds_max: int) -> Sound:
        async with self._checks:
            return await check_sound(file, seconds_max=seconds_max)

    async def _keep(self, file: Path, task: Row, caller: Caller) -> tuple[Row, bool]:
        """Move a file to its place and write its task down; neither stays without the other."""
        settings = self._settings
        place = name_audio(self._folder, task["session_id"], task["id"], task["audio_format"])
        room = Room(settings.stt_session_max_mb, settings.jobs_waiting_max)
        is_new = False
        try:
            # Before its task is known: its job may begin at once.
            await asyncio.to_thread(_move, file, place)
            async with self._pool.connection() as connection:
                store = SttTaskStore(connection)
                row, is_new = await store.insert_audio(task, room, actor=caller)
        finally:
            if not is_new:
                await asyncio.to_thread(place.unlink, missing_ok=True)
        return row, is_new

    @contextlib.contextmanager
    def _claim_place(self) -> Iterator[None]:
        if self._running >= UPLOADS_MAX:
            raise RoomFullError(
                f"{UPLOADS_MAX} uploads are under way. Send it again in a while.", retry_after_s=5
            )
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1


def read_fields(form: Form, settings: Settings) -> UploadIn:
    """Return the fields of a form.

    Raises:
        InvalidError: The grammar cannot be followed, or nobody here knows the language.
        RequestValidationError: A field is not allowed, or says what is not.
    """
    try:
        wanted = UploadIn.model_validate(form.fields)
    except ValidationError as error:
        wrong = [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]
        raise RequestValidationError(wrong) from None
    if wanted.grammar is not None:
        list_words(wanted.grammar)
    is_offline = settings.stt_transcriber == "pocketsphinx"
    if is_offline and wanted.language not in {None, "en"}:
        reason = f"the transcriber of this server knows en only, not {wanted.language}"
        raise InvalidError(f"language: {reason}.", errors=[FieldError("language", reason)])
    return wanted


def _move(file: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    file.rename(place)


@asynccontextmanager
async def _incoming(folder: Path) -> AsyncIterator[Path]:
    """Lend a place for a file that is removed unless it was moved."""
    incoming = folder / INCOMING
    await asyncio.to_thread(incoming.mkdir, parents=True, exist_ok=True)
    file = incoming / secrets.token_hex(16)
    try:
        yield file
    finally:
        await asyncio.to_thread(file.unlink, missing_ok=True)
