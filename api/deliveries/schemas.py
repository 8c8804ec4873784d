"""Deliveries as clients read them."""

from datetime import datetime
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from core.alerts import Severity
from core.deliveries import DeliveryState, Outcome

RuleName: TypeAlias = Annotated[str, StringConstraints(pattern=r"^rul_[0-9a-f]{16}$")]
RouteName: TypeAlias = Annotated[str, StringConstraints(pattern=r"^rte_[0-9a-f]{16}$")]
MomentName: TypeAlias = Annotated[str, StringConstraints(pattern=r"^mom_[0-9a-f]{20}$")]


class DeliveryQuery(BaseModel):
    """Which deliveries a list names."""

    model_config = ConfigDict(extra="forbid")

    state: DeliveryState | None = None
    route_id: RouteName | None = None
    rule_id: RuleName | None = None
    moment_id: MomentName | None = Field(None, description="Only those that tell of this moment.")
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=200, description="next_cursor of the page before.")


class DeliveryOut(BaseModel):
    """One thing that is sent over one route."""

    delivery_id: str = Field(description="The same whenever it is sent again.")
    rule_id: str | None = Field(description="null: a test of the route.")
    route_id: str
    group: dict[str, str] = Field(description="What its moments have in common.")
    severity: Severity
    is_test: bool
    state: DeliveryState
    moment_ids: list[str]
    created_at: datetime
    next_at: datetime = Field(
        description="While it is queued: when it is sent; while it is sent: when another worker"
        " takes over."
    )
    attempts: int
    done_at: datetime | None
    reason: str | None = Field(description="Why it failed, or has to be sent again.")


class DeliveryPage(BaseModel):
    """A page of deliveries, newest first."""

    data: list[DeliveryOut]
    next_cursor: str | None


class DeliveryCountOut(BaseModel):
    """How many deliveries of one rule over one route are in one state."""

    rule_id: str | None = Field(description="null: tests of the route.")
    route_id: str
    state: DeliveryState
    deliveries: int = Field(description="Of the last seven days.")
    newer: int = Field(description="Of the last 24 hours.")


class DeliveryCounts(BaseModel):
    """What became of the deliveries of the last seven days."""

    data: list[DeliveryCountOut]


class AttemptOut(BaseModel):
    """One attempt to deliver."""

    number: int
    started_at: datetime
    ended_at: datetime | None = Field(description="null: it goes on, or its worker was killed.")
    outcome: Outcome | None
    status: int | None = Field(description="Of an HTTP answer.")
    detail: str | None


class DeliveryDetailOut(DeliveryOut):
    """A delivery, what it says, and the attempts to deliver it."""

    content: dict[str, Any]
    tried: list[AttemptOut] = Field(description="The newest first, 500 at most.")
