"""STT tasks as clients send and read them."""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from api.sessions.schemas import ListQuery
from core.grammars import GRAMMAR_LENGTH_MAX
from core.stt_tasks import (
    CHUNK_ID_LENGTH_MAX,
    DURATION_S_MAX,
    ERROR_LENGTH_MAX,
    LANGUAGE_PATTERN,
    SPEAKER_LENGTH_MAX,
    Outcome,
    TaskStatus,
)
from core.times import parse_time
from core.transcripts import TRANSCRIPT_LENGTH_MAX

_STORABLE = r"^[^\x00]*$"

ChunkId: TypeAlias = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=CHUNK_ID_LENGTH_MAX, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f]$"
    ),
]


def _read_time(value: object) -> object:
    return parse_time(value) if isinstance(value, str) else value


class SttTaskIn(BaseModel):
    """Audio that lies elsewhere, and that somebody else transcribes."""

    audio_chunk_id: ChunkId = Field(
        description="What whoever has the audio calls it.", examples=["chunk-0017"]
    )
    duration_seconds: float | None = Field(
        None, ge=0, le=DURATION_S_MAX, allow_inf_nan=False, examples=[12.5]
    )


class SttOutcomeIn(BaseModel):
    """What became of a task, as whoever transcribed it says."""

    status: Literal["done", "failed"] = Field(examples=["done"])
    transcript: str | None = Field(
        None,
        max_length=TRANSCRIPT_LENGTH_MAX,
        pattern=_STORABLE,
        description="What was said; of a task that is done.",
        examples=["open the left valve now"],
    )
    error: str | None = Field(
        None,
        max_length=ERROR_LENGTH_MAX,
        pattern=_STORABLE,
        description="Why not; of a task that has failed.",
    )

    def to_outcome(self) -> Outcome:
        """Return it as the store reads it."""
        if self.status == "done":
            return Outcome(TaskStatus.DONE, self.transcript or "")
        return Outcome(TaskStatus.FAILED, None, self.error or "No reason was given.")


class UploadIn(BaseModel):
    """The fields of an upload beside the audio."""

    model_config = ConfigDict(extra="forbid")

    audio_chunk_id: ChunkId | None = None
    grammar: str | None = Field(None, max_length=GRAMMAR_LENGTH_MAX, pattern=_STORABLE)
    language: Annotated[str, StringConstraints(pattern=LANGUAGE_PATTERN)] | None = None
    started_at: Annotated[datetime, BeforeValidator(_read_time)] | None = None
    make_note: bool = False
    speaker: (
        Annotated[str, StringConstraints(max_length=SPEAKER_LENGTH_MAX, pattern=_STORABLE)] | None
    ) = None

    @model_validator(mode="before")
    @classmethod
    def _take_empty_for_absent(cls, given: Any) -> Any:  # noqa: ANN401 (before it is a model)
        # A form in a browser sends its empty fields too.
        if isinstance(given, dict):
            return {name: value for name, value in given.items() if value != ""}
        return given


class SttWordOut(BaseModel):
    """A word and when it was said, in seconds from the beginning of the audio."""

    word: str
    start: float
    end: float


class SttTaskOut(BaseModel):
    """A piece of audio that becomes text, or has."""

    id: str
    session_id: str
    audio_chunk_id: str
    duration_seconds: float | None
    status: Literal["pending", "processing", "done", "failed"]
    progress: float = Field(description="Share of the audio that is done with, 0 to 1.")
    transcript: str | None
    words: list[SttWordOut] = Field(description="Empty where the transcriber tells no times.")
    error: str | None
    language: str | None
    started_at: datetime | None = Field(description="When the audio begins, if somebody said.")
    speaker: str | None
    make_note: bool = Field(description="Whether the transcript becomes a note.")
    note_id: str | None = Field(description="The note that it became.")
    created_at: datetime
    updated_at: datetime
    author: str


class SttTaskPage(BaseModel):
    """A page of tasks, newest first."""

    data: list[SttTaskOut]
    next_cursor: str | None


class SttTaskQuery(ListQuery):
    """The parameters of the list."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["pending", "processing", "done", "failed"] | None = None
