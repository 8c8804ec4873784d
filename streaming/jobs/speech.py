"""Speech: the job that makes text of uploaded audio.

    task ─► claim (a try has a number) ─► samples ─► transcriber ─► outcome, once
              │                              progress and partials on the session's channel
              ╰─ tried too often: failed

A try whose number is not the last one any more changes nothing: a worker that was taken for dead
and comes back does no harm.
"""

import asyncio
import tempfile
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any, ClassVar, Final

import structlog
from typing_extensions import override

from core import metrics
from core.audio import AudioFormat
from core.errors import InvalidError, TooLargeError, UnsupportedMediaError
from core.session_events import SessionEvent
from core.settings import Settings
from core.stt_tasks import (
    AUDIO_FOLDER,
    ERROR_LENGTH_MAX,
    JOB,
    QUEUE,
    Outcome,
    TaskStatus,
    name_audio,
    show_task,
)
from core.transcripts import NO_SPEECH, Hints, Partial, Transcript
from db.pool import Pool
from db.stt_tasks import SttTaskStore
from streaming.audio.decoders import decode
from streaming.bus.session_news import SessionNews
from streaming.jobs.base import Job, RunLaterError
from streaming.jobs.transcribers.base import (
    Transcriber,
    TranscriberAwayError,
    TranscriptionFailedError,
)
from streaming.jobs.transcript_notes import end_with_note

TELL_EVERY_S: Final = 1.0
"""Between two looks at how far a try is."""

WORK_FOLDER: Final = "work"
"""Below the folder of audio; no session is called so."""

FINAL: Final = (TranscriptionFailedError, InvalidError, TooLargeError, UnsupportedMediaError)
"""What the same audio would come to again."""

Row = dict[str, Any]

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class _OverError(Exception):
    """Somebody else has ended the task, or begun another try."""


class SpeechJob(Job):
    """Transcribes."""

    name: ClassVar[str] = JOB
    queue: ClassVar[str] = QUEUE

    def __init__(
        self, settings: Settings, pool: Pool, transcriber: Transcriber, news: SessionNews
    ) -> None:
        self._settings = settings
        self._folder = settings.data_dir / AUDIO_FOLDER
        self._pool = pool
        self._transcriber = transcriber
        self._news = news

    @override
    async def run(self, **arguments: Any) -> None:
        async with self._pool.connection() as connection:
            task = await SttTaskStore(connection).claim(arguments["task_id"])
        if task is None:
            return
        if task["attempts"] > self._settings.jobs_attempts_max:
            await self._end(task, _fail("It was begun again and again, and never ended."))
            return
        try:
            outcome = await self._try(task)
        except _OverError:
            log.info("stt_task_over", task_id=task["id"])
            return
        await self._end(task, outcome)

    async def _try(self, task: Row) -> Outcome:
        try:
            transcript = await self._transcribe(task)
        except FINAL as error:
            return _fail(error.detail)
        except FileNotFoundError:
            return _fail("The audio is gone. Upload it again.")
        except TranscriberAwayError as error:
            if task["attempts"] >= self._settings.jobs_attempts_max:
                return _fail(f"{error.detail} It was tried {task['attempts']} times.")
            raise RunLaterError(error.detail, error.retry_after_s) from error
        if not transcript.text:
            return _fail(NO_SPEECH)
        metrics.stt_audio_seconds_total.inc(task["duration_seconds"] or 0.0)
        words = tuple(word.to_row() for word in transcript.words)
        return Outcome(TaskStatus.DONE, transcript.text, None, words)

    async def _transcribe(self, task: Row) -> Transcript:
        audio = name_audio(
            self._folder, task["session_id"], task["id"], AudioFormat(task["audio_format"])
        )
        work = self._folder / WORK_FOLDER
        await asyncio.to_thread(work.mkdir, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f"{task['id']}-", dir=work) as folder:
            samples = Path(folder) / "audio.pcm"
            await decode(audio, samples, seconds_max=self._settings.stt_audio_max_seconds)
            hints = Hints(task["language"], task["grammar"])
            async with aclosing(self._transcriber.transcribe(samples, hints)) as told:
                return await self._follow(task, told)

    async def _follow(
        self, task: Row, told: AsyncGenerator[Partial | Transcript, None]
    ) -> Transcript:
        """Hand on what is told, and return the transcript."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        async for each in told:
            if isinstance(each, Transcript):
                return each
            if loop.time() >= due:
                await self._tell(task, each)
                due = loop.time() + TELL_EVERY_S
        raise TranscriptionFailedError("The transcriber ended without a transcript.")

    async def _tell(self, task: Row, partial: Partial) -> None:
        async with self._pool.connection() as connection:
            row = await SttTaskStore(connection).note_progress(
                task["id"], task["attempts"], partial.progress
            )
        if row is None:
            raise _OverError
        data = {**show_task(row), "partial": partial.text}
        await self._news.tell(SessionEvent(task["session_id"], "stt.task.updated", data))

    async def _end(self, task: Row, outcome: Outcome) -> None:
        """Write an outcome down, with its note, and tell both."""
        makes_note = task["make_note"] and outcome.status is TaskStatus.DONE
        async with self._pool.connection() as connection:
            if makes_note:
                row, note = await end_with_note(connection, task, outcome)
            else:
                store = SttTaskStore(connection)
                row = await store.end(task["id"], outcome, attempt=task["attempts"])
                note = None
        if row is None:
            return
        log.info("stt_task_ended", task_id=task["id"], status=outcome.status)
        events = [SessionEvent(task["session_id"], "stt.task.done", show_task(row))]
        if note is not None:
            events.append(SessionEvent(task["session_id"], "note.created", note))
        await self._news.tell(*events)


def _fail(reason: str) -> Outcome:
    return Outcome(TaskStatus.FAILED, error=reason[:ERROR_LENGTH_MAX])
