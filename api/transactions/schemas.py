"""Transactions as clients read them, and how they ask for them."""

from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import BaseModel, Field

from api.paging import PointQuery

Kind: TypeAlias = Literal["donation", "subscription", "bits", "gift_sub", "renewal", "other"]


class TransactionQuery(PointQuery):
    """Which transactions are wanted."""

    kind: Kind | None = None
    currency: str | None = Field(None, min_length=1, max_length=100, examples=["EUR"])


class TransactionOut(BaseModel):
    """Money or its like that moved."""

    stream_id: str
    timestamp: datetime
    kind: Kind
    amount: float | None
    currency: str | None
    user: str | None


class TransactionPage(BaseModel):
    """A page of transactions, newest first."""

    data: list[TransactionOut]
    next_cursor: str | None


class TransactionMinute(BaseModel):
    """The transactions of one kind in one currency in one minute."""

    stream_id: str
    window_start: datetime
    window_end: datetime
    kind: Kind
    currency: str | None
    count: int
    sum: float | None
    revision: int
    final: bool


class TransactionMinutePage(BaseModel):
    """A page of minutes, newest first."""

    data: list[TransactionMinute]
    next_cursor: str | None
