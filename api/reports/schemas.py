"""Reports as clients ask for and read them."""

from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import BaseModel, Field

from api.moments.schemas import MomentOut
from api.paging import RangeQuery, Time
from core.errors import InvalidError
from core.reports import PERIOD_MAX, Period
from core.resolutions import MINUTE
from db.minutes import BEGINNING

ReportFormat: TypeAlias = Literal["html", "json"]
"""A page, or what stands on it."""


class ReportQuery(RangeQuery):
    """Which period is wanted, and how."""

    start: Time = Field(description="From here on.", examples=["2026-01-26T10:00:00Z"])
    end: Time | None = Field(None, description="Up to here, and not including it; now without it.")
    format: ReportFormat = Field(
        "html", description="`html`: a page that needs nothing else. `json`: what stands on it."
    )

    def to_period(self, now: datetime) -> Period:
        """Return the period, of which nothing lies ahead.

        Raises:
            InvalidError: It is empty or too long.
        """
        period = Period(self.start, min(self.end or now, now))
        if period.end - period.start < MINUTE.width:
            raise InvalidError("A report tells of a minute at least that is over: see start, end.")
        if period.end - period.start > PERIOD_MAX:
            raise InvalidError(f"A report tells of {PERIOD_MAX.days} days at most.")
        if period.before.start < BEGINNING:
            raise InvalidError("start: there is no period of that length before it.")
        return period


class TotalsOut(BaseModel):
    """What a period comes to."""

    messages: int
    chat_rate: float | None = Field(description="Messages a second, over windows that have data.")
    chat_rate_max: float | None = Field(description="The highest of any window.")
    unique_chatters_max: int | None = Field(description="The most in any minute.")
    avg_viewers: float | None
    peak_viewers: float | None
    avg_sentiment: float | None
    moments: int
    transactions: int


class ReportChatOut(BaseModel):
    """Chat and viewers in columns, oldest first."""

    times: list[datetime]
    chat_rate: list[float | None]
    avg_viewers: list[float | None]
    peak_viewers: list[float | None]
    avg_sentiment: list[float | None]


class ReportChannelOut(BaseModel):
    """A channel in columns, oldest first."""

    channel: str
    unit: str | None
    mean: float | None
    min: float | None
    max: float | None
    times: list[datetime]
    means: list[float | None]
    mins: list[float | None]
    maxs: list[float | None]


class LedgerOut(BaseModel):
    """The transactions of one kind and currency."""

    kind: str
    currency: str | None
    count: int
    sum: float
    count_before: int
    sum_before: float


class ReportEmoteOut(BaseModel):
    """How often an emote was said."""

    emote: str
    count: int = Field(description="As far as the ten most used of each minute tell.")
    count_before: int


class ReportOut(BaseModel):
    """A stream over a period, beside the period before, which is as long."""

    stream_id: str
    title: str | None
    start: datetime
    end: datetime
    before_start: datetime
    resolution: str
    made_at: datetime
    totals: TotalsOut
    totals_before: TotalsOut
    chat: ReportChatOut
    transaction_times: list[datetime]
    transaction_counts: list[int]
    ledgers: list[LedgerOut]
    emotes: list[ReportEmoteOut]
    channels: list[ReportChannelOut]
    moments: list[MomentOut] = Field(description="Those with the highest scores, highest first.")
