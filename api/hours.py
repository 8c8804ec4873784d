"""Hours of the week as clients name them: when a rule speaks, when a route is quiet."""

import zoneinfo
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

TIME_OF_DAY: Final = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"

Day: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
TimeOfDay: TypeAlias = Annotated[str, StringConstraints(pattern=TIME_OF_DAY)]


def _require_zone(value: str) -> str:
    if value not in zoneinfo.available_timezones():
        raise ValueError("there is no such time zone; Europe/Berlin is one")
    return value


Zone: TypeAlias = Annotated[str, StringConstraints(max_length=64), AfterValidator(_require_zone)]


class Hours(BaseModel):
    """Some days of the week, from one time of day to another."""

    model_config = ConfigDict(extra="forbid")

    days: list[Day] = Field(min_length=1, max_length=7, description="On which they begin.")
    begins: TimeOfDay = Field(alias="from", examples=["08:00"])
    ends: TimeOfDay = Field(
        alias="to", description="No later than `from`: on the next day.", examples=["18:00"]
    )
    zone: Zone = Field("UTC", description="IANA time zone.", examples=["Europe/Berlin"])


def write_hours(hours: Hours | None) -> dict[str, Any] | None:
    """Return hours as they are stored."""
    return None if hours is None else hours.model_dump(by_alias=True)
