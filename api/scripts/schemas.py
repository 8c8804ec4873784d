"""Script runs as clients send and read them."""

from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from core.yaml_texts import TEXT_BYTES_MAX

LIMIT_MAX = 1000

RunState: TypeAlias = Literal["queued", "running", "succeeded", "failed", "aborted"]
StepKind: TypeAlias = Literal["command", "wait", "pause"]


class ScriptIn(BaseModel):
    """A script to be looked at."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(
        min_length=1,
        max_length=TEXT_BYTES_MAX,
        description="YAML: `name` and `steps`, each a command, a wait or a pause.",
        examples=["steps:\n  - command: heat\n    parameters: {target: 80}\n  - pause: 5\n"],
    )


class ScriptRunIn(ScriptIn):
    """A script to be run."""

    confirm_dangerous: bool = Field(
        False, description="Also where it sends dangerous commands; each is confirmed as it comes."
    )


class StepOut(BaseModel):
    """A step of a script, and what became of it."""

    number: int = Field(description="From 1.")
    line: int
    kind: StepKind
    text: str = Field(description="In a few words.")
    state: Literal["waiting", "running", "succeeded", "failed", "aborted", "skipped"]
    message: str | None
    took_ms: int | None
    command_id: str | None


class CurrentOut(BaseModel):
    """The step that is under way."""

    number: int
    line: int
    kind: StepKind
    text: str
    began_at: datetime


class CheckedOut(BaseModel):
    """What a script would do."""

    name: str | None
    dangerous: list[str] = Field(description="Dangerous commands that it sends.")
    steps: list[StepOut]


class ScriptRunOut(BaseModel):
    """A run of a script, and how far it is."""

    run_id: str
    device_id: str
    name: str | None
    asker: str
    state: RunState
    steps_total: int
    steps_done: int = Field(description="Those that have ended, however.")
    current: CurrentOut | None
    message: str | None = Field(description="Why it failed or was aborted.")
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    abort_asked_at: datetime | None
    abort_asked_by: str | None


class ScriptRunDetailOut(ScriptRunOut):
    """A run with its script and all of its steps."""

    text: str
    steps: list[StepOut]


class ScriptRunPage(BaseModel):
    """A page of runs, newest first."""

    data: list[ScriptRunOut]
    next_cursor: str | None


class ScriptRunQuery(BaseModel):
    """The parameters of the list of runs."""

    model_config = ConfigDict(extra="forbid")

    state: RunState | None = None
    limit: int = Field(100, ge=1, le=LIMIT_MAX)
    cursor: str | None = Field(None, max_length=300, description="next_cursor of the page before.")
