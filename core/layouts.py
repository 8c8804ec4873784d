"""Layouts: which column of a foreign table is what of an event.

    columns and a sample + what people say -> Layout -> (``core.tables``) -> raw events

Columns are known by their names, or named by people; numeric columns that nobody named become
channels of their own. Used by ``streaming.connectors.files``.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import polars as pl

from core.errors import InvalidError
from core.events import EVENT_TYPES, RAW_SCHEMA

NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "timestamp": ("timestamp", "time", "ts", "datetime", "date_time", "date", "created_at", "at"),
    "stream_id": ("stream_id", "stream", "host", "hostname", "device", "device_id", "source"),
    "channel": ("channel", "metric", "sensor", "measurement"),
    "value": ("value", "reading", "val"),
    "unit": ("unit", "units"),
    "user": ("user", "username", "user_name", "author", "nick", "sender", "login"),
    "text": ("text", "message", "body", "msg", "content", "comment"),
    "viewers": ("viewers", "viewer_count", "concurrent_viewers"),
    "amount": ("amount",),
    "currency": ("currency",),
    "kind": ("kind", "transaction_type"),
    "id": ("event_id", "message_id", "msg_id", "uuid"),
    "type": ("type", "event_type"),
    "emotes": ("emotes",),
    "badges": ("badges",),
    "bits": ("bits",),
    "event": ("event",),
    "title": ("title",),
    "category": ("category",),
}
"""Under which names the fields of events are known, the likeliest first. A column that is just
called ``id`` often names a device, and would make all of its events count as one."""

FIELDS: Final = tuple(RAW_SCHEMA)
LISTS: Final = frozenset({"emotes", "badges"})
_UNSAFE: Final = r"[^A-Za-z0-9_.:@~+=#-]+"
_NAME_LENGTH_MAX: Final = 128
_DECIMAL_COMMA: Final = r"^\s*[+-]?\d+,\d+\s*$"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What people say of a table."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """Fields of events, and the columns that they stand in; two of them joined by ``+``."""

    type: str | None = None
    stream: str | None = None
    channel: str | None = None
    is_wide: bool = False
    """Whether every numeric column is a channel, although one is called value."""

    time_format: str | None = None
    zone: str | None = None
    """Of times that name none."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Which column is what."""

    columns: Mapping[str, str]
    constants: Mapping[str, str]
    times: tuple[str, ...]
    """The columns that make up the time, joined by a space."""

    wide: Mapping[str, str] = field(default_factory=dict)
    """Columns that are channels of their own, and the names of these."""

    has_decimal_commas: bool = False
    time_format: str | None = None
    zone: str | None = None
    unused: tuple[str, ...] = ()
    """The columns that are nothing of an event."""

    @property
    def used(self) -> list[str]:
        """The columns that are needed, each once."""
        return list(dict.fromkeys([*self.times, *self.columns.values(), *self.wide]))

    def tell(self) -> str:
        """Return for people which column is taken for what."""
        parts = [f"{name} {text}" for name, text in self.constants.items()]
        parts.append(f"time from {' and '.join(self.times)}")
        parts += [f"{name} from {column}" for name, column in self.columns.items()]
        if self.wide:
            parts.append(f"channels {', '.join(self.wide.values())}")
        text = ", ".join(parts)
        return f"{text}; not used: {', '.join(self.unused)}" if self.unused else text


def clean_name(text: str) -> str:
    """Return a text as a name of a stream or a channel."""
    return re.sub(_UNSAFE, "_", text).strip("_")[:_NAME_LENGTH_MAX] or "unnamed"


def find_layout(sample: pl.DataFrame, wishes: Wishes, *, stream: str) -> Layout:
    """Return which column of a table is what.

    Args:
        sample: The first rows, texts or typed.
        wishes: What goes before anything found.
        stream: The name of the stream where no column and nobody names it.

    Raises:
        InvalidError: It cannot be told; the text names the columns found and shows how to say it.
    """
    names = sample.columns
    columns = _name_columns(names, wishes)
    times = _find_times(names, columns, wishes)
    if "type" in columns and not _are_types(sample[columns["type"]]):
        del columns["type"]
    is_comma = _has_decimal_commas(sample)
    taken = {*times, *columns.values()}
    numeric = [
        name
        for name in names
        if (name not in taken or name == columns.get("value"))
        and _is_numeric(sample[name], is_comma=is_comma)
    ]
    kind = wishes.type or (None if "type" in columns else _guess_type(columns, numeric))
    if not times or (kind is None and "type" not in columns):
        raise _explain(names, "no column is known as the time" if not times else None)
    constants = {} if kind is None else {"type": kind}
    constants |= _place_stream(columns, kind, wishes, stream)
    wide = _find_wide(columns, numeric, kind, wishes)
    if not wide:
        _place_values(columns, constants, kind, wishes)
        _refuse_lacking(names, columns, constants, kind)
    layout = Layout(
        {name: column for name, column in columns.items() if name in FIELDS},
        constants,
        times,
        wide,
        is_comma,
        wishes.time_format,
        wishes.zone,
    )
    return replace(layout, unused=tuple(name for name in names if name not in layout.used))


def _name_columns(names: Sequence[str], wishes: Wishes) -> dict[str, str]:
    """Return the column of each field that is named, by people or by a known name."""
    known = {_fold(name): name for name in reversed(names)}
    found: dict[str, str] = {}
    for name, aliases in NAMES.items():
        column = next((known[alias] for alias in aliases if alias in known), None)
        if column is not None:
            found[name] = column
    if {"stream_id", "type"} <= set(names) and "id" in names:
        # A table of events as they are: here an id is what it says.
        found["id"] = "id"
    for name, column in wishes.columns.items():
        if name not in FIELDS and name != "viewers":
            raise InvalidError(f"--map {name}=…: events have {', '.join(FIELDS)}.")
        wanted = column.split("+") if name == "timestamp" and column not in names else [column]
        if missing := [part for part in wanted if part not in names]:
            raise _explain(names, f"there is no column {missing[0]!r}")
        found = {known: other for known, other in found.items() if other not in wanted}
        found[name] = column
    return found


def _find_times(names: Sequence[str], columns: dict[str, str], wishes: Wishes) -> tuple[str, ...]:
    column = columns.pop("timestamp", None)
    if column is None:
        return ()
    if "timestamp" in wishes.columns:
        return (column,) if column in names else tuple(column.split("+"))
    known = {_fold(name): name for name in names}
    if _fold(column) in {"time", "date"} and {"time", "date"} <= known.keys():
        return known["date"], known["time"]
    return (column,)


def _guess_type(columns: Mapping[str, str], numeric: Sequence[str]) -> str | None:
    if "text" in columns:
        return "chat"
    if "amount" in columns and ("kind" in columns or "currency" in columns):
        return "transaction"
    if "viewers" in columns and "value" not in columns:
        return "viewers"
    return "reading" if "value" in columns or numeric else None


def _place_stream(
    columns: dict[str, str], kind: str | None, wishes: Wishes, stream: str
) -> dict[str, str]:
    """Return the stream where no column says it."""
    if kind not in {None, "reading"} and "stream_id" not in columns and "channel" in columns:
        # Chats call a stream a channel.
        columns["stream_id"] = columns.pop("channel")
    if wishes.stream is not None:
        columns.pop("stream_id", None)
        return {"stream_id": wishes.stream}
    return {} if "stream_id" in columns else {"stream_id": clean_name(stream)}


def _place_values(
    columns: dict[str, str], constants: dict[str, str], kind: str | None, wishes: Wishes
) -> None:
    """Fill what an event of its type is nothing without, where it can be told."""
    if kind == "viewers" and "viewers" in columns and "value" not in columns:
        columns["value"] = columns.pop("viewers")
    if kind == "reading" and wishes.channel is not None:
        columns.pop("channel", None)
        constants["channel"] = wishes.channel
    elif kind == "reading" and "channel" not in columns and "value" in columns:
        constants["channel"] = clean_name(columns["value"])
    if kind == "transaction" and "kind" not in columns:
        constants["kind"] = "other"


def _find_wide(
    columns: Mapping[str, str], numeric: Sequence[str], kind: str | None, wishes: Wishes
) -> dict[str, str]:
    if kind != "reading" or ("value" in columns and not wishes.is_wide):
        return {}
    names: dict[str, str] = {}
    for column in numeric:
        name = clean_name(column)
        while name in names.values():
            name = f"{name[: _NAME_LENGTH_MAX - 1]}_"
        names[column] = name
    return names


def _refuse_lacking(
    names: Sequence[str],
    columns: Mapping[str, str],
    constants: Mapping[str, str],
    kind: str | None,
) -> None:
    needed = {"chat": ("user", "text"), "viewers": ("value",), "reading": ("channel", "value")}
    lacking = [
        name for name in needed.get(kind or "", ()) if name not in columns and name not in constants
    ]
    if lacking:
        raise _explain(names, f"no column is known as {lacking[0]} of a {kind} event")


def _explain(names: Iterable[str], what: str | None) -> InvalidError:
    return InvalidError(
        f"{what or 'it cannot be told what events these are'}. Columns found: {', '.join(names)}."
        " Say which is which, as in --map timestamp=Date --map value=Close --stream NAME"
        " --channel price --type reading."
    )


def _are_types(values: pl.Series) -> bool:
    found = values.drop_nulls()
    return found.dtype == pl.String and len(found) > 0 and found.is_in(EVENT_TYPES).all()


def _is_numeric(values: pl.Series, *, is_comma: bool) -> bool:
    if values.dtype.is_numeric():
        return True
    if values.dtype != pl.String:
        return False
    texts = values.drop_nulls().str.strip_chars()
    texts = texts.filter(texts != "")
    if is_comma:
        texts = texts.str.replace(",", ".", literal=True)
    # A cell that is none among many that are is a mistake, to be named, and no reason to drop all.
    return len(texts) > 2 * texts.cast(pl.Float64, strict=False).null_count()


def _has_decimal_commas(sample: pl.DataFrame) -> bool:
    """Tell whether some column is nothing but numbers with a comma for the point."""
    texts = [sample[name].drop_nulls() for name, kind in sample.schema.items() if kind == pl.String]
    return any(len(text) > 0 and text.str.contains(_DECIMAL_COMMA).all() for text in texts)


def _fold(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
