"""Events: the columns of an event, and the rules that every door applies to them.

    body -> columns (``core.ndjson``) -> ``check_events`` -> accepted frame + rejected rows

One frame holds events of all types; a column that a type does not use is null. Nothing here loops
over events.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

import polars as pl

TextTest: TypeAlias = Callable[[pl.Expr], pl.Expr]

Rule: TypeAlias = tuple[pl.Expr, str]
"""What a row must not be, and the words for it."""

EVENT_TYPES: Final = ("chat", "viewers", "reading", "transaction", "meta")
TRANSACTION_KINDS: Final = ("donation", "subscription", "bits", "gift_sub", "renewal", "other")
META_EVENTS: Final = (
    "stream_start",
    "stream_end",
    "title_change",
    "category_change",
    "raid",
)

NAME_PATTERN: Final = r"^[A-Za-z0-9_.:@~+=#-]{1,128}$"
"""Ids of streams and names of channels: they stand in addresses, keys and labels."""

TEXT_BYTES_MAX: Final = 16_384
"""Longest text field; the longest chat services allow about 4 000 characters."""

VALUE_MAX: Final = 1e100
"""Largest value of a reading or a count of viewers: the squares of more would not fit a float."""

TIMESTAMP: Final = pl.Datetime("us", "UTC")

SCHEMA: Final = pl.Schema(
    {
        "stream_id": pl.String(),
        "type": pl.String(),
        "timestamp": TIMESTAMP,
        "id": pl.String(),
        "user": pl.String(),
        "text": pl.String(),
        "emotes": pl.List(pl.String),
        "badges": pl.List(pl.String),
        "bits": pl.Int64(),
        "value": pl.Float64(),
        "channel": pl.String(),
        "unit": pl.String(),
        "kind": pl.String(),
        "amount": pl.Float64(),
        "currency": pl.String(),
        "event": pl.String(),
        "title": pl.String(),
        "category": pl.String(),
        "viewers": pl.Int64(),
    }
)
"""The columns of checked events, as they travel over the bus."""

RAW_SCHEMA: Final = pl.Schema({**SCHEMA, "timestamp": pl.String()})
"""The columns as they arrive: the time is still text or a number of some size."""

_TEXTS: Final = tuple(name for name, kind in SCHEMA.items() if kind == pl.String())
_LISTS: Final = ("emotes", "badges")
_ZONELESS: Final = (
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%dT%H:%MZ",
    "%Y-%m-%d",
)


@dataclass(frozen=True, slots=True)
class TimePolicy:
    """Decides which event times are believable."""

    past: timedelta = timedelta(days=365)
    ahead: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that was refused: where it stood and why."""

    index: int
    reason: str


def check_events(
    raw: pl.DataFrame, *, now: datetime, policy: TimePolicy
) -> tuple[pl.DataFrame, list[RejectedRow]]:
    """Split raw rows into checked events and named refusals.

    Args:
        raw: Columns of ``RAW_SCHEMA`` and ``index``, the row's place in the request.
        now: The time of arrival; events without a time get it.
        policy: The window of believable times.
    """
    parsed = raw.with_columns(
        timestamp=_parse_times(raw["timestamp"], now), given=pl.col("timestamp")
    )
    judged = parsed.with_columns(reason=_reason(now, policy))
    bad = judged.filter(pl.col("reason").is_not_null())
    rejected = [RejectedRow(*row) for row in bad.select("index", "reason").iter_rows()]
    good = judged.filter(pl.col("reason").is_null()) if rejected else judged
    return good.select(SCHEMA.names()), rejected


def is_impossible(events: pl.DataFrame) -> pl.Expr:
    """Build the test for events that no door lets through and that could not be counted or stored.

    Cheaper than the rules of the doors: it is asked again for every event of the bus.
    """
    col, columns = pl.col, events.columns
    tests = [
        pl.any_horizontal(col("stream_id", "type", "timestamp").is_null()),
        ~col("type").is_in(EVENT_TYPES),
        *(_is_unnamed(events[name]) for name in ("stream_id", "channel") if name in columns),
        *(_has_null_byte(col(name)) for name in ("unit", "currency", "title") if name in columns),
    ]
    for kind, names in _NEEDED.items():
        missing = [col(name).is_null() if name in columns else pl.lit(value=True) for name in names]
        tests.append((col("type") == kind) & pl.any_horizontal(missing))
    if "kind" in columns:
        tests.append(col("kind").is_not_null() & ~col("kind").is_in(TRANSACTION_KINDS))
        if "user" in columns:
            tests.append((col("type") == "transaction") & _has_null_byte(col("user")))
    tests += [
        col(name).is_not_null() & ~(col(name).abs() <= VALUE_MAX)
        for name in ("value", "amount")
        if name in columns
    ]
    if "emotes" in columns:
        tests.append(_has_null_byte(col("emotes").list.join("", ignore_nulls=True)))
    return pl.any_horizontal(tests).fill_null(value=False)


_NEEDED: Final = {
    "chat": ("user", "text"),
    "viewers": ("value",),
    "reading": ("channel", "value"),
    "transaction": ("kind",),
}
"""What an event of a type is nothing without."""


def _is_unnamed(names: pl.Series) -> pl.Expr:
    """Build the test for names that are none, looking at each different one once."""
    wrong = names.unique().drop_nulls()
    wrong = wrong.filter(~wrong.str.contains(NAME_PATTERN))
    return pl.col(names.name).is_in(wrong.implode()) if len(wrong) else pl.lit(value=False)


def _parse_times(given: pl.Series, now: datetime) -> pl.Series:
    """Read ISO 8601 with or without a zone, and epochs told apart by their size."""
    text = given.alias("t")
    times = text.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)
    if times.null_count():
        frame = pl.DataFrame({"t": text, "known": times})
        number = pl.col("t").cast(pl.Float64, strict=False)
        size = number.abs()
        micros = (
            pl.when(size < 1e11)
            .then(number * 1e6)
            .when(size < 1e14)
            .then(number * 1e3)
            .when(size < 1e17)
            .then(number)
            .when(size < 1e20)
            .then(number / 1e3)
        )
        zoneless = [
            pl.col("t")
            .str.to_datetime(form, time_unit="us", strict=False)
            .dt.replace_time_zone("UTC")
            for form in _ZONELESS
        ]
        absent = pl.when(pl.col("t").is_null()).then(pl.lit(now, dtype=TIMESTAMP))
        epoch = micros.round().cast(pl.Int64, strict=False).cast(TIMESTAMP)
        times = frame.select(t=pl.coalesce("known", *zoneless, epoch, absent))["t"]
    return times


def _reason(now: datetime, policy: TimePolicy) -> pl.Expr:
    """Build the expression that names the first rule a row breaks, or null."""
    rules = [*_rules_of_all(now, policy), *_rules_of_types()]
    return pl.coalesce(pl.when(broken).then(pl.lit(reason)) for broken, reason in rules)


def _rules_of_all(now: datetime, policy: TimePolicy) -> list[Rule]:
    col = pl.col
    oldest, newest = now - policy.past, now + policy.ahead
    return [
        (col("stream_id").is_null(), "stream_id is missing"),
        (
            ~col("stream_id").str.contains(NAME_PATTERN),
            "stream_id is not 1 to 128 letters, digits or _.:@~+=#-",
        ),
        (col("type").is_null(), "type is missing"),
        (~col("type").is_in(EVENT_TYPES), f"type is not one of {', '.join(EVENT_TYPES)}"),
        (col("timestamp").is_null(), "timestamp is neither ISO 8601 nor an epoch"),
        (
            col("timestamp") < oldest,
            f"timestamp lies more than {policy.past.days} days in the past",
        ),
        (
            col("timestamp") > newest,
            f"timestamp lies more than {policy.ahead // timedelta(minutes=1)} minutes ahead",
        ),
        (_any_text(_has_null_byte), "a text field has a null byte"),
        (
            _any_text(lambda text: text.str.len_bytes() > TEXT_BYTES_MAX),
            f"a text field is longer than {TEXT_BYTES_MAX} bytes",
        ),
        (_any_list_is_bad(), "a list field has a null byte or is too long"),
    ]


def _rules_of_types() -> list[Rule]:
    col = pl.col
    is_type = {name: col("type") == name for name in EVENT_TYPES}
    finite = (col("value").abs() <= VALUE_MAX).fill_null(value=False)
    return [
        (is_type["chat"] & col("user").is_null(), "user is missing"),
        (is_type["chat"] & col("text").is_null(), "text is missing"),
        (
            is_type["viewers"] & ~(finite & (col("value") >= 0)).fill_null(value=False),
            "value is not a number of viewers",
        ),
        (is_type["reading"] & col("channel").is_null(), "channel is missing"),
        (
            is_type["reading"] & ~col("channel").str.contains(NAME_PATTERN),
            "channel is not 1 to 128 letters, digits or _.:@~+=#-",
        ),
        (is_type["reading"] & ~finite, f"value is not a number of at most {VALUE_MAX:g}"),
        (
            is_type["transaction"] & ~col("kind").is_in(TRANSACTION_KINDS).fill_null(value=False),
            f"kind is not one of {', '.join(TRANSACTION_KINDS)}",
        ),
        (
            is_type["transaction"]
            & ~(col("amount").is_finite() & (col("amount") >= 0)).fill_null(value=True),
            "amount is not a positive number",
        ),
        (
            is_type["meta"] & ~col("event").is_in(META_EVENTS).fill_null(value=False),
            f"event is not one of {', '.join(META_EVENTS)}",
        ),
    ]


def _any_text(test: TextTest) -> pl.Expr:
    return pl.any_horizontal(test(pl.col(name)) for name in _TEXTS)


def _has_null_byte(text: pl.Expr) -> pl.Expr:
    return text.str.contains("\x00", literal=True)


def _any_list_is_bad() -> pl.Expr:
    joined = [pl.col(name).list.join("", ignore_nulls=True) for name in _LISTS]
    return pl.any_horizontal(
        _has_null_byte(text) | (text.str.len_bytes() > TEXT_BYTES_MAX) for text in joined
    )
