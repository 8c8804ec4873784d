"""Reports: a stream over a period, told as a whole, beside the period before.

    windows, transactions, moments of both periods -> make_report -> Report -> a page, or JSON

Pure. ``api.reports`` reads the rows and writes the page. Who said how much is no part of it: no
table keeps it, and unique chatters of two minutes cannot be added up.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from core.resolutions import Resolution

PERIOD_MAX: Final = timedelta(days=366)
"""A year: of longer ones nobody reads the page."""

WINDOWS_MAX: Final = 400
"""Values of a chart: as many as a page of paper has room for."""

MOMENTS_MAX: Final = 10
EMOTES_MAX: Final = 12
CHANNELS_MAX: Final = 8

Row: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Period:
    """What is told of."""

    start: datetime
    end: datetime

    @property
    def before(self) -> "Period":
        """The period before, as long."""
        return Period(self.start - (self.end - self.start), self.start)


@dataclass(frozen=True, slots=True)
class Totals:
    """What a period comes to; None where nothing was heard."""

    messages: int
    chat_rate: float | None
    chat_rate_max: float | None
    unique_chatters_max: int | None
    avg_viewers: float | None
    peak_viewers: float | None
    avg_sentiment: float | None
    moments: int
    transactions: int


@dataclass(frozen=True, slots=True)
class Chat:
    """The windows of a period in columns, oldest first."""

    times: list[datetime]
    chat_rate: list[float | None]
    avg_viewers: list[float | None]
    peak_viewers: list[float | None]
    avg_sentiment: list[float | None]


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel over the period, in columns, oldest first."""

    channel: str
    unit: str | None
    mean: float | None
    min: float | None
    max: float | None
    times: list[datetime]
    means: list[float | None]
    mins: list[float | None]
    maxs: list[float | None]


@dataclass(frozen=True, slots=True)
class Ledger:
    """The transactions of one kind and currency."""

    kind: str
    currency: str | None
    count: int
    sum: float
    count_before: int
    sum_before: float


@dataclass(frozen=True, slots=True)
class Emote:
    """How often an emote was said, as far as the ten of each minute tell."""

    emote: str
    count: int
    count_before: int


@dataclass(frozen=True, slots=True)
class Found:
    """What was read of one period."""

    chat: Sequence[Row]
    """Windows, newest first, as ``db.windows`` lists them."""

    transactions: Sequence[Row]
    """``window_start``, ``kind``, ``currency``, ``count`` and ``sum``."""

    moments: Sequence[Row]
    """The best ones, best first."""

    moments_found: int
    channels: Mapping[str, Sequence[Row]]
    """The windows of each channel, newest first."""


@dataclass(frozen=True, slots=True)
class Report:
    """A stream over a period."""

    stream_id: str
    title: str | None
    start: datetime
    end: datetime
    before_start: datetime
    resolution: str
    made_at: datetime
    totals: Totals
    totals_before: Totals
    chat: Chat
    transaction_times: list[datetime]
    transaction_counts: list[int]
    ledgers: list[Ledger]
    emotes: list[Emote]
    channels: list[Channel]
    moments: list[Row]


def make_report(
    stream: Row, period: Period, resolution: Resolution, found: tuple[Found, Found], now: datetime
) -> Report:
    """Return a report.

    Args:
        stream: Its id and title.
        period: What is told of.
        resolution: Of the windows.
        found: What was read of the period, and of the one before.
        now: When.
    """
    inside, before = found
    counts = Counter[datetime]()
    for row in inside.transactions:
        counts[row["window_start"]] += row["count"]
    return Report(
        stream_id=stream["stream_id"],
        title=stream["title"],
        start=period.start,
        end=period.end,
        before_start=period.before.start,
        resolution=resolution.name,
        made_at=now,
        totals=sum_up(inside, resolution),
        totals_before=sum_up(before, resolution),
        chat=_list_columns(inside.chat),
        transaction_times=sorted(counts),
        transaction_counts=[counts[at] for at in sorted(counts)],
        ledgers=_list_ledgers(inside.transactions, before.transactions),
        emotes=_list_emotes(inside.chat, before.chat),
        channels=[_describe_channel(name, rows) for name, rows in inside.channels.items() if rows],
        moments=list(inside.moments),
    )


def sum_up(found: Found, resolution: Resolution) -> Totals:
    """Return what a period comes to."""
    rows = found.chat
    messages = sum(row["chat_count"] for row in rows)
    rates = [row["chat_rate"] for row in rows if row["chat_rate"] is not None]
    heard_s = len(rows) * resolution.width.total_seconds()
    return Totals(
        messages=messages,
        # Over the windows that have data: a stream that was off the air was not quiet.
        chat_rate=messages / heard_s if rows else None,
        chat_rate_max=max(rates, default=None),
        unique_chatters_max=max((row["unique_chatters"] for row in rows), default=None),
        avg_viewers=_average(rows, "avg_viewers"),
        peak_viewers=max(
            (v for row in rows if (v := row["peak_viewers"]) is not None), default=None
        ),
        avg_sentiment=_average(rows, "avg_sentiment", weight="chat_count"),
        moments=found.moments_found,
        transactions=sum(row["count"] for row in found.transactions),
    )


def _average(rows: Sequence[Row], column: str, *, weight: str | None = None) -> float | None:
    pairs = [
        (row[column], 1 if weight is None else row[weight])
        for row in rows
        if row[column] is not None
    ]
    total = sum(weight for _, weight in pairs)
    return sum(value * weight for value, weight in pairs) / total if total else None


def _list_columns(rows: Sequence[Row]) -> Chat:
    ordered = sorted(rows, key=lambda row: row["window_start"])
    return Chat(
        times=[row["window_start"] for row in ordered],
        chat_rate=[row["chat_rate"] for row in ordered],
        avg_viewers=[row["avg_viewers"] for row in ordered],
        peak_viewers=[row["peak_viewers"] for row in ordered],
        avg_sentiment=[row["avg_sentiment"] for row in ordered],
    )


def _describe_channel(name: str, rows: Sequence[Row]) -> Channel:
    ordered = sorted(rows, key=lambda row: row["window_start"])
    return Channel(
        channel=name,
        unit=ordered[-1]["unit"],
        mean=_average(ordered, "mean", weight="count"),
        min=min(row["min"] for row in ordered),
        max=max(row["max"] for row in ordered),
        times=[row["window_start"] for row in ordered],
        means=[row["mean"] for row in ordered],
        mins=[row["min"] for row in ordered],
        maxs=[row["max"] for row in ordered],
    )


def _list_ledgers(inside: Iterable[Row], before: Iterable[Row]) -> list[Ledger]:
    now, past = _sum_ledgers(inside), _sum_ledgers(before)
    ledgers = [
        Ledger(kind, currency, *told, *past.get((kind, currency), (0, 0.0)))
        for (kind, currency), told in now.items()
    ]
    return sorted(ledgers, key=lambda ledger: (-ledger.count, ledger.kind, ledger.currency or ""))


def _sum_ledgers(rows: Iterable[Row]) -> dict[tuple[str, str | None], tuple[int, float]]:
    """Return count and sum of each kind and currency."""
    sums: dict[tuple[str, str | None], tuple[int, float]] = {}
    for row in rows:
        key = row["kind"], row["currency"]
        count, total = sums.get(key, (0, 0.0))
        sums[key] = count + row["count"], total + (row["sum"] or 0.0)
    return sums


def _list_emotes(inside: Sequence[Row], before: Sequence[Row]) -> list[Emote]:
    counts, counts_before = _count_emotes(inside), _count_emotes(before)
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [Emote(name, count, counts_before[name]) for name, count in ordered[:EMOTES_MAX]]


def _count_emotes(rows: Iterable[Row]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for row in rows:
        for one in row["top_emotes"]:
            counts[one["emote"]] += one["count"] or 0
    return counts
