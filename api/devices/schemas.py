"""Devices and their commands as clients send and read them."""

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.paging import Time
from core.commands import (
    PRIORITY_MAX,
    PRIORITY_USUAL,
    SECONDS_MAX,
    State,
)
from core.devices import DataType, ParameterType
from core.ids import NAME_PATTERN
from db.device_logs import Kind

LIMIT_MAX = 1000
WAIT_S_MAX = 30.0
"""How long a request may wait for the end of a command; whoever waits longer asks again."""


class DeviceOut(BaseModel):
    """A device, and how much it registered."""

    device_id: str = Field(description="Also the stream of its readings.")
    title: str | None
    kind: str | None
    link: Literal["connected", "stale", "gone"]
    heartbeat_s: float
    last_seen_at: datetime
    registered_at: datetime
    created_at: datetime
    telemetry_types: int
    command_templates: int


class DevicePage(BaseModel):
    """A page of devices, by id."""

    data: list[DeviceOut]
    next_cursor: str | None


class DeviceIn(BaseModel):
    """What people may change of a device."""

    model_config = ConfigDict(extra="forbid")

    title: str | None = Field(
        max_length=100,
        pattern=r"^[^\x00-\x1f\x7f-\x9f]*$",
        description="null: what the device calls itself.",
        examples=["Chamber in the cellar"],
    )


class DeletedOut(BaseModel):
    """What was deleted."""

    device_id: str
    title: str | None


class RangeOut(BaseModel):
    """Between what a value lies."""

    min: float | None = None
    max: float | None = None


class TelemetryTypeOut(BaseModel):
    """What the values of an id are."""

    data_type: DataType
    unit: str | None = None
    range: RangeOut | None = None
    enum: list[Any] | None = None
    description: str | None = None
    last_updated: datetime


class TelemetryTypesOut(BaseModel):
    """The types that a device registered, by id."""

    device_id: str
    telemetry_types: dict[str, TelemetryTypeOut]
    last_updated: datetime


class ParameterOut(BaseModel):
    """What a parameter of a command may be."""

    type: ParameterType
    required: bool = False
    enum: list[Any] | None = None
    min: float | None = None
    max: float | None = None
    default: Any = None
    description: str | None = None


class CommandTemplateOut(BaseModel):
    """A command that a device knows."""

    description: str | None = None
    dangerous: bool = False
    timeout_seconds: float | None = None
    parameters: dict[str, ParameterOut]
    verifiers: dict[str, Any] | None = None
    last_updated: datetime


class CommandTemplatesOut(BaseModel):
    """The commands that a device registered, by name."""

    device_id: str
    command_templates: dict[str, CommandTemplateOut]
    last_updated: datetime


class LinkOut(BaseModel):
    """That a device came, fell silent, went, or was replaced."""

    id: int
    state: Literal["connected", "stale", "gone", "replaced"]
    at: datetime
    reason: str


class LinkPage(BaseModel):
    """A page of what became of the connection, newest first."""

    data: list[LinkOut]
    next_cursor: str | None


class CommandIn(BaseModel):
    """A command to be queued."""

    model_config = ConfigDict(extra="forbid")

    command: str = Field(min_length=1, max_length=128, pattern=r"^[^\x00]*$", examples=["heat"])
    parameters: dict[str, Any] = Field(
        {}, description="As the command's template says.", examples=[{"target": 80}]
    )
    priority: int = Field(PRIORITY_USUAL, ge=0, le=PRIORITY_MAX, description="Higher goes first.")
    deadline_seconds: float | None = Field(
        None,
        gt=0,
        le=SECONDS_MAX,
        description="Given up after so long, wherever it is; else what the template says.",
    )


class ConfirmationOut(BaseModel):
    """What releases a dangerous command, and until when."""

    token: str
    expires_at: datetime


class CommandOut(BaseModel):
    """A command and where it is in its life."""

    command_id: str
    device_id: str
    request_id: str | None = Field(description="The Idempotency-Key.")
    asker: str
    command: str
    parameters: dict[str, Any]
    priority: int
    dangerous: bool
    held: bool = Field(description="Waits for its confirmation.")
    state: State
    status: Literal["pending", "success", "error"]
    message: str | None
    details: Any
    sends: int = Field(description="More than once when the device was away in between.")
    created_at: datetime
    deadline_at: datetime
    confirm_expires_at: datetime | None
    confirmed_at: datetime | None
    confirmed_by: str | None
    sent_at: datetime | None
    acknowledged_at: datetime | None
    running_at: datetime | None
    ended_at: datetime | None


class QueuedOut(CommandOut):
    """A command that was asked for."""

    confirmation: ConfirmationOut | None = Field(description="Of a dangerous one that is held.")


class CommandEventOut(BaseModel):
    """Something said of a command, and what it did."""

    id: int
    at: datetime
    stage: State
    source: Literal["person", "device", "telemetry", "clock"]
    verdict: str = Field(
        description="moved; or why not: repeated, overtaken, late, awaited (telemetry has to show"
        " it first), early."
    )
    actor: str | None
    message: str | None
    details: Any


class CommandDetailOut(CommandOut):
    """A command with all that was said of it."""

    events: list[CommandEventOut]


class CommandPage(BaseModel):
    """A page of commands, newest first."""

    data: list[CommandOut]
    next_cursor: str | None


class ConfirmIn(BaseModel):
    """What releases a dangerous command."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(
        min_length=1,
        max_length=100,
        pattern=r"^[A-Za-z0-9_-]+$",
        examples=["h6D0bXkqP1sTgVzA"],
    )


class HistoryRowOut(BaseModel):
    """One line of a device's log."""

    type: Kind
    id: str
    value: Any
    timestamp: datetime
    received_at: datetime


class HistoryPage(BaseModel):
    """A page of a log, newest first."""

    data: list[HistoryRowOut]
    next_cursor: str | None
    total_records: int
    filtered_records: int = Field(description="Counted up to 100 000.")


class HistoryOut(BaseModel):
    """The newest lines of a log."""

    data: list[HistoryRowOut]
    total_records: int
    filtered_records: int = Field(description="Counted up to 100 000.")


class ClearedOut(BaseModel):
    """What was deleted of a log."""

    device_id: str
    deleted_records: int
    complete: bool = Field(description="false: call again, there was more than one call deletes.")


class SummaryOut(BaseModel):
    """What the device that is meant registered, in numbers and names."""

    device_id: str
    title: str | None
    link: str
    telemetry_types_count: int
    command_templates_count: int
    telemetry_types: list[str]
    command_templates: list[str]
    dangerous_commands: list[str]
    total_records: int
    last_updated: datetime


class ValidationOut(BaseModel):
    """What the parameters of a command have to be."""

    device_id: str
    command: str
    description: str | None
    dangerous: bool
    required_parameters: list[str]
    optional_parameters: list[str]
    parameters: dict[str, ParameterOut]
    json_schema: dict[str, Any]
    last_updated: datetime


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: int = Field(100, ge=1, le=LIMIT_MAX)
    cursor: str | None = Field(None, max_length=300, description="next_cursor of the page before.")


class PageQuery(_Query):
    """The parameters of a list."""


class _SpanQuery(_Query):
    since: Time | None = Field(None, description="From here on.", examples=["2026-01-26T10:00:00Z"])
    until: Time | None = Field(None, description="Up to here.")

    @model_validator(mode="after")
    def _until_follows_since(self) -> Self:
        if self.since is not None and self.until is not None and self.until < self.since:
            message = "until lies before since"
            raise ValueError(message)
        return self


class CommandQuery(_SpanQuery):
    """The parameters of the list of commands."""

    state: State | None = None
    command: str | None = Field(None, max_length=128, pattern=NAME_PATTERN)
    asker: str | None = Field(None, max_length=200, pattern=r"^[^\x00]*$")


class HistoryQuery(_SpanQuery):
    """The parameters of a log."""

    type: Kind | None = None
    id: str | None = Field(None, max_length=128, pattern=NAME_PATTERN)


class WaitQuery(BaseModel):
    """The parameters of one command."""

    model_config = ConfigDict(extra="forbid")

    wait: float = Field(
        0.0, ge=0, le=WAIT_S_MAX, description="Seconds to wait for its end, if it has not ended."
    )
