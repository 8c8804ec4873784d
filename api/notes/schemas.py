"""Notes as clients send and read them."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self, TypeAlias

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from api.paging import Time
from api.sessions.schemas import ListQuery
from core.notes import (
    CONTENT_LENGTH_MAX,
    SNAPSHOT_BYTES_MAX,
    SPEAKER_LENGTH_MAX,
    TAG_LENGTH_MAX,
    TAGS_MAX,
    NoteType,
)
from core.sessions import NAME_PATTERN
from db.minutes import BEGINNING, END

_TEXT = r"^[^\x00]*$"
Content: TypeAlias = Annotated[
    str, StringConstraints(min_length=1, max_length=CONTENT_LENGTH_MAX, pattern=NAME_PATTERN)
]
Speaker: TypeAlias = Annotated[str, StringConstraints(max_length=SPEAKER_LENGTH_MAX, pattern=_TEXT)]
Tag: TypeAlias = Annotated[
    str, StringConstraints(min_length=1, max_length=TAG_LENGTH_MAX, pattern=NAME_PATTERN)
]
Tags: TypeAlias = Annotated[list[Tag], Field(max_length=TAGS_MAX)]
ExportFormat: TypeAlias = Literal["markdown", "json", "html"]


def _require_size(value: dict[str, Any]) -> dict[str, Any]:
    try:
        size = len(orjson.dumps(value))
    except orjson.JSONEncodeError:
        raise ValueError("telemetry_snapshot: is no JSON that can be stored") from None
    if size > SNAPSHOT_BYTES_MAX:
        raise ValueError(f"telemetry_snapshot: is over {SNAPSHOT_BYTES_MAX} bytes")
    return value


def _require_time(value: datetime) -> datetime:
    if not BEGINNING <= value < END:
        raise ValueError("timestamp: lies between 1970 and 3000")
    return value


NoteTime: TypeAlias = Annotated[Time, AfterValidator(_require_time)]
Snapshot: TypeAlias = Annotated[dict[str, Any], AfterValidator(_require_size)]


class NoteIn(BaseModel):
    """A note to be written."""

    timestamp: NoteTime = Field(examples=["2026-01-26T10:32:15Z"])
    content: Content = Field(examples=["Valve opened by hand."])
    speaker: Speaker | None = Field(None, examples=["Mara"])
    type: NoteType = NoteType.OBSERVATION
    tags: Tags | None = Field(None, examples=[["valve"]])
    telemetry_snapshot: Snapshot | None = Field(
        None,
        description="Left out: the newest value of every channel at that time, none older than a"
        " day.",
    )

    def to_row(self) -> dict[str, Any]:
        """Return it as it is stored, but for a snapshot that is left out."""
        tags = list(dict.fromkeys(self.tags or []))
        return {**self.model_dump(), "speaker": self.speaker or None, "tags": tags}


class NotePatch(BaseModel):
    """What is to change of a note; what is left out or null stays as it is."""

    timestamp: NoteTime | None = None
    content: Content | None = Field(None, examples=["Valve opened by hand, twice."])
    speaker: Speaker | None = Field(None, description="An empty one takes it away.")
    type: NoteType | None = None
    tags: Tags | None = None
    telemetry_snapshot: Snapshot | None = None

    def to_wish(self) -> dict[str, Any]:
        """Return what is to change, as it is stored."""
        wish = self.model_dump(exclude_none=True)
        if "speaker" in wish:
            wish["speaker"] = wish["speaker"] or None
        if "tags" in wish:
            wish["tags"] = list(dict.fromkeys(wish["tags"]))
        return wish


class NoteOut(BaseModel):
    """A note."""

    id: str
    session_id: str
    timestamp: datetime
    speaker: str | None
    content: str
    type: NoteType
    tags: list[str]
    telemetry_snapshot: dict[str, Any] = Field(
        description="By channel; made here: `value`, `unit` and `timestamp` of each."
    )
    created_at: datetime
    updated_at: datetime
    author: str = Field(description="Whose key it was written with.")
    updated_by: str
    moment_id: str | None = Field(description="Of the moment that it tells of.")
    version: int = Field(description="Another number after each change; also in the ETag.")
    deleted_at: datetime | None


class NotePage(BaseModel):
    """A page of notes, as time went on."""

    data: list[NoteOut]
    next_cursor: str | None


class NoteVersionOut(BaseModel):
    """What a note was before somebody changed it."""

    version: int
    timestamp: datetime
    speaker: str | None
    content: str
    type: NoteType
    tags: list[str]
    telemetry_snapshot: dict[str, Any]
    written_at: datetime
    written_by: str
    replaced_at: datetime
    replaced_by: str


class NoteVersions(BaseModel):
    """All that a note was before, the newest first."""

    data: list[NoteVersionOut]
    next_cursor: None


class _Span(BaseModel):
    start: Time | None = Field(None, alias="from", description="From here on.")
    end: Time | None = Field(None, alias="to", description="Up to here, and not including it.")

    @model_validator(mode="after")
    def _end_follows_start(self) -> Self:
        if self.start is not None and self.end is not None and self.end < self.start:
            raise ValueError("to lies before from")
        return self


class NoteQuery(_Span, ListQuery):
    """Which notes a list names."""

    model_config = ConfigDict(extra="forbid")

    speaker: Speaker | None = None
    type: NoteType | None = None
    tag: Tag | None = None
    q: Annotated[str, StringConstraints(max_length=500, pattern=_TEXT)] | None = Field(
        None,
        description='Words of the content: all of them, "as a phrase", `or`, and `-without`.',
        examples=["valve -leak"],
    )


class ExportQuery(_Span):
    """How a session is exported."""

    model_config = ConfigDict(extra="forbid")

    format: ExportFormat = "markdown"
