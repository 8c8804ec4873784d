"""Alert rules as clients send and read them."""

from datetime import date, datetime
from typing import Annotated, Any, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StringConstraints

from api.alert_routes.schemas import Name
from api.deliveries.schemas import RouteName
from api.hours import Hours, write_hours
from api.partial_bodies import LEFT_OUT, describe_left_out
from core.alerts import AlertRule, Dimension, Severity, read_rule
from core.keys import STREAM_PATTERN
from core.moments import MomentType

ROUTES_MAX: Final = 20
TAGS_MAX: Final = 20
DAY_S: Final = 86_400.0

StreamGlob: TypeAlias = Annotated[str, StringConstraints(pattern=STREAM_PATTERN)]
WordGlob: TypeAlias = Annotated[
    str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00\[\]?]+$")
]

_STREAM: Final = "Name of a stream, * for any part of it."
_KIND: Final = "Kind of the stream, * for any part of it."
_TAGS: Final = "Each has to be met by one of the tags in the stream's metadata; * for any part."
_TYPES: Final = "Types of moments; empty: all."
_SCORE: Final = "Least score; 1 is where a moment begins."
_DURATION: Final = (
    "Seconds that a moment has to go on before it is told. What ends or is acknowledged before is"
    " not told at all."
)
_SCHEDULE: Final = (
    "Hours in which the rule speaks. What still goes on when they begin is told then. null: always."
)
_GROUP: Final = "Moments that have these in common are told together."
_WAIT: Final = "Seconds from the first moment of a group until it is told, for more to come."
_COOL: Final = "Seconds after a telling in which nothing more of the group is told."
_ROUTES: Final = "Over which it is told."
_ENDS: Final = "Whether the end of what was told is told."


class AlertConditionIn(BaseModel):
    """Which moments a rule is about, and when it tells them."""

    model_config = ConfigDict(extra="forbid")

    stream: StreamGlob = Field("*", description=_STREAM, examples=["northlight_*"])
    kind: WordGlob = Field("*", description=_KIND)
    tags: list[WordGlob] = Field([], max_length=TAGS_MAX, description=_TAGS)
    types: list[MomentType] = Field([], max_length=20, description=_TYPES)
    min_score: StrictFloat = Field(0.0, ge=0, le=1e9, description=_SCORE)
    min_duration_s: StrictFloat = Field(0.0, ge=0, le=DAY_S, description=_DURATION)
    schedule: Hours | None = Field(None, description=_SCHEDULE)
    group_by: list[Dimension] = Field(
        [Dimension.STREAM, Dimension.TYPE], max_length=3, description=_GROUP
    )
    group_wait_s: StrictFloat = Field(0.0, ge=0, le=3600, description=_WAIT)
    cool_down_s: StrictFloat = Field(300.0, ge=0, le=DAY_S, description=_COOL)

    def to_row(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return {**self.model_dump(mode="json"), "schedule": write_hours(self.schedule)}

    def to_rule(self, now: datetime) -> AlertRule:
        """Return a rule that nobody has made yet."""
        unsaid = {
            "rule_id": "",
            "name": "",
            "created_at": now,
            "enabled": True,
            "severity": Severity.WARNING,
            "routes": (),
            "tell_ends": True,
        }
        return read_rule(unsaid | self.to_row())


class AlertRuleIn(AlertConditionIn):
    """A rule to be made."""

    name: Name = Field(examples=["spikes"])
    enabled: StrictBool = True
    severity: Severity = Severity.WARNING
    routes: list[RouteName] = Field(
        min_length=1,
        max_length=ROUTES_MAX,
        description=_ROUTES,
        examples=[["rte_0123456789abcdef"]],
    )
    tell_ends: StrictBool = Field(True, description=_ENDS)


class AlertRuleChangeIn(BaseModel):
    """What to change of a rule; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: Name = Field(LEFT_OUT, json_schema_extra=describe_left_out)
    enabled: StrictBool = Field(LEFT_OUT, json_schema_extra=describe_left_out, examples=[False])
    stream: StreamGlob = Field(LEFT_OUT, description=_STREAM, json_schema_extra=describe_left_out)
    kind: WordGlob = Field(LEFT_OUT, description=_KIND, json_schema_extra=describe_left_out)
    tags: list[WordGlob] = Field(
        LEFT_OUT, max_length=TAGS_MAX, description=_TAGS, json_schema_extra=describe_left_out
    )
    types: list[MomentType] = Field(
        LEFT_OUT, max_length=20, description=_TYPES, json_schema_extra=describe_left_out
    )
    min_score: StrictFloat = Field(
        LEFT_OUT,
        ge=0,
        le=1e9,
        description=_SCORE,
        json_schema_extra=describe_left_out,
        examples=[2.0],
    )
    min_duration_s: StrictFloat = Field(
        LEFT_OUT, ge=0, le=DAY_S, description=_DURATION, json_schema_extra=describe_left_out
    )
    schedule: Hours | None = Field(
        LEFT_OUT, description=_SCHEDULE, json_schema_extra=describe_left_out
    )
    severity: Severity = Field(LEFT_OUT, json_schema_extra=describe_left_out)
    group_by: list[Dimension] = Field(
        LEFT_OUT, max_length=3, description=_GROUP, json_schema_extra=describe_left_out
    )
    group_wait_s: StrictFloat = Field(
        LEFT_OUT, ge=0, le=3600, description=_WAIT, json_schema_extra=describe_left_out
    )
    cool_down_s: StrictFloat = Field(
        LEFT_OUT, ge=0, le=DAY_S, description=_COOL, json_schema_extra=describe_left_out
    )
    routes: list[RouteName] = Field(
        LEFT_OUT,
        min_length=1,
        max_length=ROUTES_MAX,
        description=_ROUTES,
        json_schema_extra=describe_left_out,
    )
    tell_ends: StrictBool = Field(LEFT_OUT, description=_ENDS, json_schema_extra=describe_left_out)

    def to_row(self) -> dict[str, Any]:
        """Return what is named, as it is stored."""
        named = self.model_dump(mode="json", exclude_unset=True)
        return {**named, "schedule": write_hours(self.schedule)} if "schedule" in named else named


class AlertRuleOut(BaseModel):
    """A rule: who is told of which moments, and when."""

    rule_id: str
    name: str
    enabled: bool
    stream: str
    kind: str
    tags: list[str]
    types: list[str]
    min_score: float
    min_duration_s: float
    schedule: Hours | None
    severity: Severity
    group_by: list[Dimension]
    group_wait_s: float
    cool_down_s: float
    routes: list[str]
    tell_ends: bool
    created_at: datetime
    created_by: str
    updated_at: datetime


class AlertRulePage(BaseModel):
    """A page of rules."""

    data: list[AlertRuleOut]
    next_cursor: str | None


class AlertRuleQuery(BaseModel):
    """The parameters of the list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(100, ge=1, le=200)
    cursor: str | None = Field(None, max_length=600, description="next_cursor of the page before.")


class PreviewDayOut(BaseModel):
    """One day, in UTC; the last one goes on."""

    day: date
    moments: int
    matched: int
    told: int


class PreviewScoreOut(BaseModel):
    """What another least score would have meant."""

    min_score: float
    told: int
    labelled_false: int


class AlertPreviewOut(BaseModel):
    """How often a rule would have told something: today and the six days before."""

    moments: int = Field(description="All there were.")
    matched: int = Field(description="Those that the rule would have had to tell of.")
    told: int = Field(description="How often, after waits and cool-downs, and without ends.")
    told_24h: int
    labelled_true: int = Field(description="Of those matched, what people said was right.")
    labelled_false: int
    is_complete: bool = Field(description="false: there were more, and only the newest count.")
    days: list[PreviewDayOut]
    at_scores: list[PreviewScoreOut] = Field(description="The same with other least scores.")
