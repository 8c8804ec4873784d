"""Examples of STT tasks: what the pages of the API show."""

from typing import Any, Final

from api.examples import Responses, show, show_error, show_problem
from core.errors import QueueFullError, StorageFullError
from core.grammars import GRAMMAR_LENGTH_MAX
from core.stt_tasks import CHUNK_ID_LENGTH_MAX, LANGUAGE_PATTERN, SPEAKER_LENGTH_MAX

SESSION_ID: Final = "sess_0123456789abcdef"
PATH: Final = f"/api/v1/sessions/{SESSION_ID}/stt/tasks"
UPLOAD_PATH: Final = f"/api/v1/sessions/{SESSION_ID}/stt/upload"
TASK_ID: Final = "stt_0123456789abcdef"
ONE_PATH: Final = f"{PATH}/{TASK_ID}"

TASK: Final[dict[str, Any]] = {
    "id": TASK_ID,
    "session_id": SESSION_ID,
    "audio_chunk_id": "chunk-0017",
    "duration_seconds": 12.5,
    "status": "pending",
    "progress": 0.0,
    "transcript": None,
    "words": [],
    "error": None,
    "language": None,
    "started_at": None,
    "speaker": None,
    "make_note": False,
    "note_id": None,
    "created_at": "2026-01-26T10:32:15Z",
    "updated_at": "2026-01-26T10:32:15Z",
    "author": "test bench",
}
DONE: Final[dict[str, Any]] = {
    **TASK,
    "audio_chunk_id": "sha256-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "duration_seconds": 1.834,
    "status": "done",
    "progress": 1.0,
    "transcript": "open the left valve now",
    "words": [
        {"word": "open", "start": 0.0, "end": 0.4},
        {"word": "the", "start": 0.4, "end": 0.52},
        {"word": "left", "start": 0.52, "end": 0.95},
        {"word": "valve", "start": 0.95, "end": 1.3},
        {"word": "now", "start": 1.44, "end": 1.82},
    ],
    "started_at": "2026-01-26T10:32:12Z",
    "speaker": "Ada",
    "make_note": True,
    "note_id": "note_0123456789abcdef",
    "updated_at": "2026-01-26T10:32:17Z",
}
OUTCOMES: Final[dict[str, Any]] = {
    "done": {
        "summary": "It was understood",
        "value": {"status": "done", "transcript": "open the left valve now"},
    },
    "failed": {
        "summary": "It was not",
        "value": {"status": "failed", "error": "The file cannot be read."},
    },
}

UPLOAD_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["audio"],
                "additionalProperties": False,
                "properties": {
                    "audio": {
                        "type": "string",
                        "format": "binary",
                        "description": "WAV, FLAC, OGG, WebM or MP4, told by its content.",
                    },
                    "grammar": {
                        "type": "string",
                        "maxLength": GRAMMAR_LENGTH_MAX,
                        "description": "The sentences that can come, in JSGF: they are understood"
                        " far better than free speech.",
                    },
                    "language": {
                        "type": "string",
                        "pattern": LANGUAGE_PATTERN,
                        "description": "As ISO 639-1 has it, `en`.",
                    },
                    "started_at": {
                        "type": "string",
                        "format": "date-time",
                        "description": "When the audio begins.",
                    },
                    "make_note": {
                        "type": "boolean",
                        "default": False,
                        "description": "Let the transcript become a note of the session.",
                    },
                    "speaker": {"type": "string", "maxLength": SPEAKER_LENGTH_MAX},
                    "audio_chunk_id": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": CHUNK_ID_LENGTH_MAX,
                        "description": "By which an upload is known that is sent twice; without"
                        " one it is known by its content.",
                    },
                },
            },
            "example": {
                "audio": "(the bytes of a file)",
                "language": "en",
                "started_at": "2026-01-26T10:32:12Z",
                "make_note": True,
                "speaker": "Ada",
            },
        }
    },
}

_NO_SESSION: Final = f"There is no session '{SESSION_ID}'."
_NO_TASK: Final = f"There is no task '{TASK_ID}' in this session."
_BOUND: Final = "limit: Input should be less than or equal to 1000"
_OVER: Final = (
    f"The task {TASK_ID} is done and cannot become failed. It may become nothing else: its end is"
    " final."
)
_FULL: Final = "The session has 10000 tasks already. Delete some, or make another session."
_LARGE: Final = (
    "audio: it is over the limit of 25 MB. Nothing was kept. Send it in pieces, or as FLAC or Opus."
)
_KIND: Final = (
    "audio: it is none of WAV, FLAC, OGG, WebM or MP4, by its first bytes. Send it in one of them."
)
_SILENT: Final = "audio: it is silent. No speech was heard. Check the microphone."
_WAITING: Final = "100 jobs wait already. Nothing was kept; send it again in a while."

TASKS: Final[Responses] = {
    **show({"data": [DONE], "next_cursor": None}),
    **show_problem(404, PATH, _NO_SESSION),
    **show_problem(422, PATH, _BOUND, "limit"),
}
CREATED: Final[Responses] = {
    **show(TASK, 201),
    **show_problem(404, PATH, _NO_SESSION),
    **show_problem(409, PATH, _FULL),
    **show_problem(422, PATH, "audio_chunk_id: Field required", "audio_chunk_id"),
}
UPLOADED: Final[Responses] = {
    200: {
        "description": "The same audio was there already; its task.",
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/SttTaskOut"},
                "example": DONE,
            }
        },
    },
    **show(TASK, 201),
    **show_problem(404, UPLOAD_PATH, _NO_SESSION),
    **show_problem(409, UPLOAD_PATH, _FULL),
    **show_problem(413, UPLOAD_PATH, _LARGE),
    **show_problem(415, UPLOAD_PATH, _KIND),
    **show_problem(422, UPLOAD_PATH, _SILENT, "audio"),
    **show_error(QueueFullError, UPLOAD_PATH, _WAITING),
    **show_error(StorageFullError, UPLOAD_PATH, "The disk is full. Nothing was kept."),
}
ONE: Final[Responses] = {**show(DONE), **show_problem(404, ONE_PATH, _NO_TASK)}
PUT: Final[Responses] = {
    **ONE,
    **show_problem(409, ONE_PATH, _OVER),
    **show_problem(422, ONE_PATH, "status: Input should be 'done' or 'failed'", "status"),
}
