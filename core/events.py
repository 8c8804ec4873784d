"""Events: the columns of an event, and the rules that every door applies to them.

    body -> columns (``core.ndjson``) -> ``check_events`` -> accepted frame + rejected rows

One frame holds events of all types; a column that a type does not use is null. Nothing here loops
over events.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

import polars as pl

from core.event_times import TIME, read_times
from core.ids import NAME_PATTERN

Rule: TypeAlias = tuple[pl.Expr | None, str, str]
"""What a row must not be, the field at fault and the words for it; nothing where a glance at the
rows excludes it."""

EVENT_TYPES: Final = ("chat", "viewers", "reading", "transaction", "meta")
TRANSACTION_KINDS: Final = ("donation", "subscription", "bits", "gift_sub", "renewal", "other")
META_EVENTS: Final = (
    "stream_start",
    "stream_end",
    "title_change",
    "category_change",
    "raid",
)

TEXT_BYTES_MAX: Final = 16_384
"""Longest text field; the longest chat services allow about 4 000 characters."""

VALUE_MAX: Final = 1e100
"""Largest value of a reading or a count of viewers: the squares of more would not fit a float."""

TIMESTAMP: Final = TIME

OLDEST: Final = datetime(1, 1, 1, tzinfo=UTC)
NEWEST: Final = datetime(5000, 1, 1, tzinfo=UTC)
"""The numbers of minutes beyond would not fit ``core.minutes``' keys, and be those of others."""

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
_ALWAYS: Final = frozenset({"stream_id", "type", "timestamp"})
_NAME_RULE: Final = "is not 1 to 128 letters, digits or _.:@~+=#-"


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
    field: str | None = None
    """The one at fault, where it is a single one."""


def check_events(
    raw: pl.DataFrame, *, now: datetime, policy: TimePolicy
) -> tuple[pl.DataFrame, list[RejectedRow]]:
    """Split raw rows into checked events and named refusals.

    Columns that no event uses are left out.

    Args:
        raw: Columns of ``RAW_SCHEMA``, as far as they are used, and ``index``, the row's place in
            the request. Times may be read already.
        now: The time of arrival; events without a time get it.
        policy: The window of believable times.
    """
    raw = _fill_raw(raw)
    used = [name for name in SCHEMA.names() if name in raw.columns and _is_used(raw, name)]
    # Whole columns are put beside one another: expressions cost a small frame more than its rows.
    times = read_times(raw["timestamp"], now).alias("timestamp")
    events = raw[[name for name in used if name != "timestamp"]].hstack([times])
    types = events["type"].unique().drop_nulls().to_list()
    asked = [
        *_rules_of_all(events, types),
        *_rules_of_times(events["timestamp"], now, policy),
        *_rules_of_texts(events),
        *(rule for kind in EVENT_TYPES if kind in types for rule in _RULES_OF[kind](events)),
    ]
    rules = [(broken, field, words) for broken, field, words in asked if broken is not None]
    is_bad = _find_bad([broken for broken, _, _ in rules], events)
    if is_bad is None:
        return events[used], []
    # Only the bad rows are asked which rule they break.
    bad = events.filter(is_bad).with_columns(raw["index"].filter(is_bad))
    rule = pl.coalesce(pl.when(broken).then(pl.lit(n)) for n, (broken, _, _) in enumerate(rules))
    named = [(field, f"{field} {words}") for _, field, words in rules]
    rejected = [
        RejectedRow(index, named[n][1], named[n][0])
        for index, n in bad.select("index", rule).iter_rows()
    ]
    return events[used].filter(~is_bad), rejected


def _find_bad(broken: Sequence[pl.Expr], events: pl.DataFrame) -> pl.Series | None:
    """Tell which rows break a rule; None if none does."""
    if not broken:
        return None
    is_bad = events.select(pl.any_horizontal(broken).fill_null(value=False)).to_series()
    return is_bad if is_bad.any() else None


def fill_columns(events: pl.DataFrame, names: Iterable[str]) -> pl.DataFrame:
    """Return events with the columns named, empty where no event used them."""
    missing = {
        name: pl.lit(None, dtype=SCHEMA[name]) for name in names if name not in events.columns
    }
    return events.with_columns(**missing) if missing else events


def find_impossible(events: pl.DataFrame) -> pl.Series | None:
    """Tell which events no door lets through and could not be counted or stored; None if none is.

    It is asked again for every event of the bus: what a glance at a column excludes is not tested.
    """
    types = events["type"].unique().drop_nulls().to_list()
    tests = [
        *(pl.col(name).is_null() for name in _ALWAYS if events[name].null_count()),
        *(_is_lacking(events, kind) for kind in types),
        *(_is_unnamed(events[name]) for name in ("stream_id", "channel") if name in events.columns),
        *_list_unstorable(events, types),
    ]
    if not set(types) <= set(EVENT_TYPES):
        tests.append(~pl.col("type").is_in(EVENT_TYPES))
    if not events["timestamp"].is_between(OLDEST, NEWEST).all():
        tests.append(~pl.col("timestamp").is_between(OLDEST, NEWEST))
    tests = [test for test in tests if test is not None]
    if not tests:
        return None
    bad = events.select(pl.any_horizontal(tests).fill_null(value=False)).to_series()
    return bad if bad.any() else None


_NEEDED: Final = {
    "chat": ("user", "text"),
    "viewers": ("value",),
    "reading": ("channel", "value"),
    "transaction": ("kind",),
}
"""What an event of a type is nothing without."""


def _is_lacking(events: pl.DataFrame, kind: str) -> pl.Expr | None:
    """Build the test for events of a type without what it needs."""
    needed = _NEEDED.get(kind, ())
    if any(name not in events.columns for name in needed):
        return pl.col("type") == kind
    missing = [pl.col(name).is_null() for name in needed if events[name].null_count()]
    return (pl.col("type") == kind) & pl.any_horizontal(missing) if missing else None


def _list_unstorable(events: pl.DataFrame, types: Container[str]) -> Iterator[pl.Expr]:
    """Build the tests for values that the database or a sum could not take."""
    col = pl.col
    for name in ("unit", "currency", "title"):
        if name in events.columns:
            yield _has_null_byte(col(name))
    if "kind" in events.columns:
        yield col("kind").is_not_null() & ~col("kind").is_in(TRANSACTION_KINDS)
    if "user" in events.columns and "transaction" in types:
        yield (col("type") == "transaction") & _has_null_byte(col("user"))
    for name in ("value", "amount"):
        if name in events.columns:
            yield col(name).is_not_null() & ~(col(name).abs() <= VALUE_MAX)
    if "emotes" in events.columns:
        yield _has_null_byte(col("emotes").list.join("", ignore_nulls=True))


def _is_unnamed(names: pl.Series) -> pl.Expr | None:
    """Build the test for names that are none, looking at each different one once."""
    wrong = names.unique().drop_nulls()
    wrong = wrong.filter(~wrong.str.contains(NAME_PATTERN))
    return pl.col(names.name).is_in(wrong.implode()) if len(wrong) else None


def _fill_raw(raw: pl.DataFrame) -> pl.DataFrame:
    """Return raw rows with the columns that no event may lack."""
    missing = {name: pl.lit(None, RAW_SCHEMA[name]) for name in _ALWAYS if name not in raw.columns}
    return raw.with_columns(**missing) if missing else raw


def _is_used(raw: pl.DataFrame, name: str) -> bool:
    return name in _ALWAYS or raw[name].null_count() < raw.height


def _name(events: pl.DataFrame, name: str) -> pl.Expr:
    """Build a column, or nulls where no event uses it."""
    return pl.col(name) if name in events.columns else pl.lit(None, dtype=SCHEMA[name])


def _rules_of_all(events: pl.DataFrame, types: Sequence[str]) -> list[Rule]:
    col = pl.col
    is_known = set(types) <= set(EVENT_TYPES)
    return [
        (_is_missing(events, "stream_id"), "stream_id", "is missing"),
        (_is_unnamed(events["stream_id"]), "stream_id", _NAME_RULE),
        (_is_missing(events, "type"), "type", "is missing"),
        (
            None if is_known else ~col("type").is_in(EVENT_TYPES),
            "type",
            f"is not one of {', '.join(EVENT_TYPES)}",
        ),
    ]


def _rules_of_times(times: pl.Series, now: datetime, policy: TimePolicy) -> list[Rule]:
    col = pl.col("timestamp")
    oldest, newest = now - policy.past, now + policy.ahead
    ahead = policy.ahead // timedelta(minutes=1)
    if not times.null_count() and times.is_between(oldest, newest).all():
        return []
    return [
        (col.is_null(), "timestamp", "is neither ISO 8601 nor an epoch"),
        (col < oldest, "timestamp", f"lies more than {policy.past.days} days in the past"),
        (col > newest, "timestamp", f"lies more than {ahead} minutes ahead"),
    ]


def _rules_of_texts(events: pl.DataFrame) -> list[Rule]:
    col = pl.col
    rules: list[Rule] = []
    # What a stream may be called and which types there are is asked of all of them anyway.
    for name in _TEXTS:
        if name in events.columns and name not in _ALWAYS:
            rules.append((_has_null_byte(col(name)), name, "has a null byte"))
            rules.append((_is_long(col(name)), name, f"is longer than {TEXT_BYTES_MAX} bytes"))
    for name in _LISTS:
        if name in events.columns:
            joined = col(name).list.join("", ignore_nulls=True)
            bad = _has_null_byte(joined) | _is_long(joined)
            rules.append((bad, name, "has a null byte or is too long"))
    return rules


def _rules_of_chats(events: pl.DataFrame) -> list[Rule]:
    is_chat = pl.col("type") == "chat"
    return [
        (_and(is_chat, _is_missing(events, name)), name, "is missing") for name in ("user", "text")
    ]


def _rules_of_viewers(events: pl.DataFrame) -> list[Rule]:
    value = _name(events, "value")
    is_good = ((value.abs() <= VALUE_MAX) & (value >= 0)).fill_null(value=False)
    return [((pl.col("type") == "viewers") & ~is_good, "value", "is not a number of viewers")]


def _rules_of_readings(events: pl.DataFrame) -> list[Rule]:
    is_reading = pl.col("type") == "reading"
    is_good = (_name(events, "value").abs() <= VALUE_MAX).fill_null(value=False)
    unnamed = _is_unnamed(events["channel"]) if "channel" in events.columns else None
    return [
        (_and(is_reading, _is_missing(events, "channel")), "channel", "is missing"),
        (_and(is_reading, unnamed), "channel", _NAME_RULE),
        (is_reading & ~is_good, "value", f"is not a number of at most {VALUE_MAX:g}"),
    ]


def _rules_of_transactions(events: pl.DataFrame) -> list[Rule]:
    is_transaction = pl.col("type") == "transaction"
    is_known = _name(events, "kind").is_in(TRANSACTION_KINDS).fill_null(value=False)
    is_good = _name(events, "amount").is_between(0, VALUE_MAX).fill_null(value=True)
    return [
        (is_transaction & ~is_known, "kind", f"is not one of {', '.join(TRANSACTION_KINDS)}"),
        (
            is_transaction & ~is_good,
            "amount",
            f"is not a positive number of at most {VALUE_MAX:g}",
        ),
    ]


def _rules_of_metas(events: pl.DataFrame) -> list[Rule]:
    is_known = _name(events, "event").is_in(META_EVENTS).fill_null(value=False)
    words = f"is not one of {', '.join(META_EVENTS)}"
    return [((pl.col("type") == "meta") & ~is_known, "event", words)]


_RULES_OF: Final[Mapping[str, Callable[[pl.DataFrame], list[Rule]]]] = {
    "chat": _rules_of_chats,
    "viewers": _rules_of_viewers,
    "reading": _rules_of_readings,
    "transaction": _rules_of_transactions,
    "meta": _rules_of_metas,
}


def _is_missing(events: pl.DataFrame, name: str) -> pl.Expr | None:
    if name in events.columns and not events[name].null_count():
        return None
    return _name(events, name).is_null()


def _and(test: pl.Expr, other: pl.Expr | None) -> pl.Expr | None:
    return None if other is None else test & other


def _is_long(text: pl.Expr) -> pl.Expr:
    return text.str.len_bytes() > TEXT_BYTES_MAX


def _has_null_byte(text: pl.Expr) -> pl.Expr:
    return text.str.contains("\x00", literal=True)
