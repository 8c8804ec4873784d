"""Alert routes as clients send and read them."""

from datetime import datetime
from typing import Annotated, Any, Final, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from api.hours import Hours, write_hours
from api.partial_bodies import LEFT_OUT, describe_left_out
from core.alert_routes import RouteKind, find_wrong_target, read_secret

RATE_MAX: Final = 6000
TIME_OUT_S_MAX: Final = 60.0

Name: TypeAlias = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$"
    ),
]
"""One line: it becomes the subject of mails."""

Target: TypeAlias = Annotated[
    str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[\x21-\x7e]+$")
]
Secret: TypeAlias = Annotated[
    str, StringConstraints(max_length=100, pattern=r"^whsec_[A-Za-z0-9+/]{32,88}={0,2}$")
]

_TARGET: Final = (
    "An http:// or https:// URL; of an Alertmanager its base URL; of Apprise one of its URLs, as"
    " slack://… or mailto://…. It is never shown again but for scheme and host."
)
_SIGNED: Final = (
    "Of a webhook: what its requests are signed with, `whsec_` and 24 to 64 bytes in base64. It is"
    " never shown again. Without one nothing is signed."
)
_RATE: Final = "Requests a minute; what exceeds it waits. null: as many as there are."
_QUIET: Final = "Hours in which nothing is sent; it waits until they end. null: none."
_PASSES: Final = "Whether what is critical is sent in quiet hours too."
_TIME_OUT: Final = "Seconds after which a receiver that says nothing is asked again later."


class AlertRouteIn(BaseModel):
    """A route to be made."""

    model_config = ConfigDict(extra="forbid")

    name: Name = Field(examples=["on call"])
    kind: RouteKind = Field(examples=["webhook"])
    target: Target = Field(description=_TARGET, examples=["https://hooks.example.com/telemetra"])
    secret: Secret | None = Field(None, description=_SIGNED)
    enabled: bool = True
    rate_per_minute: int | None = Field(None, ge=1, le=RATE_MAX, description=_RATE)
    quiet: Hours | None = Field(None, description=_QUIET)
    critical_passes: bool = Field(True, description=_PASSES)
    timeout_s: float = Field(10.0, ge=0.1, le=TIME_OUT_S_MAX, description=_TIME_OUT)

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if (wrong := find_wrong(self.kind, self.target, self.secret)) is not None:
            raise ValueError(wrong)
        return self

    def to_row(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return {**self.model_dump(), "quiet": write_hours(self.quiet)}


class AlertRouteChangeIn(BaseModel):
    """What to change of a route; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: Name = Field(LEFT_OUT, json_schema_extra=describe_left_out)
    target: Target = Field(LEFT_OUT, description=_TARGET, json_schema_extra=describe_left_out)
    secret: Secret | None = Field(
        LEFT_OUT, description=_SIGNED, json_schema_extra=describe_left_out
    )
    enabled: bool = Field(LEFT_OUT, json_schema_extra=describe_left_out, examples=[False])
    rate_per_minute: int | None = Field(
        LEFT_OUT,
        ge=1,
        le=RATE_MAX,
        description=_RATE,
        json_schema_extra=describe_left_out,
        examples=[20],
    )
    quiet: Hours | None = Field(LEFT_OUT, description=_QUIET, json_schema_extra=describe_left_out)
    critical_passes: bool = Field(
        LEFT_OUT, description=_PASSES, json_schema_extra=describe_left_out
    )
    timeout_s: float = Field(
        LEFT_OUT,
        ge=0.1,
        le=TIME_OUT_S_MAX,
        description=_TIME_OUT,
        json_schema_extra=describe_left_out,
    )

    def to_row(self) -> dict[str, Any]:
        """Return what is named, as it is stored."""
        named = self.model_dump(exclude_unset=True)
        return {**named, "quiet": write_hours(self.quiet)} if "quiet" in named else named


class AlertRouteOut(BaseModel):
    """A route without what opens doors."""

    route_id: str
    name: str
    kind: RouteKind
    enabled: bool
    target: str = Field(description="Scheme and host; `…` stands for everything else.")
    has_secret: bool
    rate_per_minute: int | None
    quiet: Hours | None
    critical_passes: bool
    timeout_s: float
    created_at: datetime
    created_by: str
    updated_at: datetime


class AlertRoutePage(BaseModel):
    """A page of routes."""

    data: list[AlertRouteOut]
    next_cursor: str | None


class AlertRouteQuery(BaseModel):
    """The parameters of the list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(100, ge=1, le=200)
    cursor: str | None = Field(None, max_length=600, description="next_cursor of the page before.")


def find_wrong(kind: RouteKind, target: str, secret: str | None) -> str | None:
    """Return what is wrong with a target and a secret of a kind; None when nothing is."""
    if (wrong := find_wrong_target(kind, target)) is not None:
        return f"target: {wrong}"
    if secret is None:
        return None
    if kind is not RouteKind.WEBHOOK:
        return "secret: only a webhook is signed"
    try:
        read_secret(secret)
    except ValueError as error:
        return f"secret: {error}"
    return None
