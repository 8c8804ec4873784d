"""STT tasks: a piece of audio of a session that becomes text, here or elsewhere.

    pending ─► processing ─┬─► done      (a transcript)
       ╰───────────────────┴─► failed    (the reason)

Pure. A task that was only told of waits for whoever transcribes it and says so; one with audio is
transcribed by ``streaming.jobs``. ``db.stt_tasks`` keeps tasks, ``api.stt_tasks`` shows them.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from core.audio import AudioFormat
from core.errors import ConflictError

AUDIO_FOLDER: Final = "audio"
"""Of the data folder: the API writes it, the jobs read it."""

TASK_ID_PATTERN: Final = r"^stt_[0-9a-f]{8,32}$"
CHUNK_ID_LENGTH_MAX: Final = 200
SPEAKER_LENGTH_MAX: Final = 200
LANGUAGE_PATTERN: Final = r"^[a-z]{2}$"
"""As ISO 639-1 has it."""

ERROR_LENGTH_MAX: Final = 500
DURATION_S_MAX: Final = 86_400.0
"""Of audio that lies elsewhere: a day."""

TASKS_MAX: Final = 10_000
"""Of one session: a chunk every ten seconds for a day."""

JOB: Final = "transcribe"
"""The name of the job that makes the transcript, as the worker knows it."""

QUEUE: Final = "speech"


class TaskStatus(StrEnum):
    """How far a task is."""

    PENDING = "pending"
    PROCESSING = "processing"
    DONE = "done"
    FAILED = "failed"


ALLOWED: Final = {
    TaskStatus.PENDING: (TaskStatus.PROCESSING, TaskStatus.DONE, TaskStatus.FAILED),
    TaskStatus.PROCESSING: (TaskStatus.DONE, TaskStatus.FAILED),
    TaskStatus.DONE: (),
    TaskStatus.FAILED: (),
}
"""What may become of a task; an end is final."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a task ended."""

    status: TaskStatus
    transcript: str | None = None
    error: str | None = None
    words: tuple[dict[str, object], ...] = ()


def make_task_id() -> str:
    """Return a new id of a task."""
    return "stt_" + secrets.token_hex(8)


def make_chunk_id(digest: bytes, grammar: str | None, language: str | None) -> str:
    """Return the id of uploaded audio: the same audio with the same hints has the same."""
    name = b"\x1f".join((digest, (grammar or "").encode(), (language or "").encode()))
    return "sha256-" + hashlib.sha256(name).hexdigest()


def require_transition(task_id: str, now: TaskStatus, wanted: TaskStatus) -> None:
    """Let a task become what is wanted.

    Raises:
        ConflictError: It may not; the text names what it may become.
    """
    if wanted in ALLOWED[now]:
        return
    allowed = ", ".join(ALLOWED[now]) or "nothing else: its end is final"
    raise ConflictError(
        f"The task {task_id} is {now} and cannot become {wanted}. It may become {allowed}."
    )


def name_audio(folder: Path, session_id: str, task_id: str, form: AudioFormat) -> Path:
    """Return where the audio of a task lies."""
    return folder / session_id / f"{task_id}.{form}"


SHOWN: Final = (
    "id",
    "session_id",
    "audio_chunk_id",
    "duration_seconds",
    "status",
    "progress",
    "transcript",
    "words",
    "error",
    "language",
    "started_at",
    "speaker",
    "make_note",
    "note_id",
    "created_at",
    "updated_at",
    "author",
)
"""What clients read of a task; the rest is between the API and the jobs."""


def show_task(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored task as clients read it."""
    return {name: row[name] for name in SHOWN}
