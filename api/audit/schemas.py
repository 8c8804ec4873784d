"""The audit log as clients read it."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class AuditQuery(BaseModel):
    """The parameters of the list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(100, ge=1, le=500)
    cursor: str | None = Field(None, max_length=200, description="next_cursor of the page before.")


class AuditEntryOut(BaseModel):
    """Who changed what."""

    id: int
    at: datetime
    actor_key_id: str | None
    actor_name: str
    action: str = Field(examples=["key.revoke"])
    target: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class AuditPage(BaseModel):
    """A page of the audit log."""

    data: list[AuditEntryOut]
    next_cursor: str | None
