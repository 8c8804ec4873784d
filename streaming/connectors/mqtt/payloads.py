"""Payloads: what topics and payloads of MQTT say, into columns of raw events.

    values   sensors/{stream}/{channel}    21.5   {"value": 21.5, "ts": 1760000000, "unit": "C"}
    fields   sensors/{stream}              {"temp": 21.5, "humidity": 40, "ts": 1760000000}
    events   plant/events                  {"stream_id": "press", "type": "meta", …}   [{…}, {…}]

A message without a time happened when it arrived. Pure; the rules for events stay in
``core.events``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

import orjson
import polars as pl
from polars.selectors import by_name

from core.events import RAW_SCHEMA, RejectedRow
from core.json_objects import read_objects
from core.ndjson import read_ndjson
from streaming.connectors.mqtt.templates import Place
from streaming.connectors.rows import decode_texts

Kind: TypeAlias = Literal["values", "fields", "events"]

FIELDS_MAX: Final = 512
"""Different names of fields that are read together; a payload with more of them is refused."""

TIMES: Final = ("timestamp", "ts", "time")
VALUES: Final = ("value", "val")
BARE_CHANNEL: Final = "value"
"""The channel of a bare number where the topic names none."""

NO_TEMPLATE: Final = "topic fits no template"
NO_NUMBER: Final = "no number in it"
NOT_TEXT: Final = "not text"
EMPTY: Final = "empty"
TOO_MANY_FIELDS: Final = f"more than {FIELDS_MAX} fields"

_KEY: Final = r'"((?:[^"\\]|\\.)*)"\s*:'
_TRUTHS: Final[Mapping[str, str]] = {"true": "1", "false": "0"}
_INDEX: Final = pl.get_index_type()


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Messages, as columns."""

    places: Sequence[Place]
    payloads: Sequence[bytes]
    ids: Sequence[str]
    """A name of each, the same when it is delivered again."""

    arrived_ms: Sequence[int]


@dataclass(frozen=True, slots=True)
class Read:
    """What messages hold."""

    events: pl.DataFrame
    """Raw events, and ``message``, the place of the message that each came in."""

    rejected: list[RejectedRow]
    """By the places of messages."""


def read_payloads(arrivals: Arrivals, kind: Kind) -> Read:
    """Return the events of messages, and those that hold none."""
    if not arrivals.payloads:
        return Read(pl.DataFrame(), [])
    readers: Mapping[Kind, Callable[[Arrivals], Read]] = {
        "values": _read_values,
        "fields": _read_fields,
        "events": _read_events,
    }
    return readers[kind](arrivals)


def _read_values(arrivals: Arrivals) -> Read:
    """Read one number a message, bare or in an object."""
    texts = _read_texts(arrivals)
    is_object = texts["text"].str.starts_with("{").fill_null(value=False)
    bare = texts.filter(~is_object)
    held = texts.filter(is_object)
    names = [*VALUES, *TIMES, "unit", "id"]
    found = read_objects(
        [arrivals.payloads[index] for index in held["message"]],
        pl.Schema(dict.fromkeys(names, pl.String())),
    )
    objects = found.fields.select(
        message=held["message"].gather(found.indexes),
        text=pl.coalesce(VALUES),
        time=pl.coalesce(TIMES),
        unit="unit",
        own_id="id",
    )
    rows = pl.concat([bare, objects], how="diagonal").with_columns(value=_to_number("text"))
    unread = rows.filter(pl.col("value").is_null())
    rejected = [
        *(RejectedRow(held["message"][row.index], row.reason) for row in found.rejected),
        *(RejectedRow(index, _explain(arrivals.payloads[index])) for index in unread["message"]),
    ]
    readings = rows.drop_nulls("value").join(_read_places(arrivals), on="message")
    return Read(_finish(readings), rejected)


def _read_fields(arrivals: Arrivals) -> Read:
    """Read every number of an object as a reading of its own; a bare number is one, too."""
    arrivals = replace(arrivals, payloads=[_write_plainly(one) for one in arrivals.payloads])
    texts = _read_texts(arrivals)
    is_object = texts["text"].str.starts_with("{").fill_null(value=False)
    bare = texts.filter(~is_object).with_columns(
        channel=pl.lit(BARE_CHANNEL), value=_to_number("text")
    )
    long, rejected = _read_objects(arrivals, texts.filter(is_object))
    unread = bare.filter(pl.col("value").is_null())
    rejected += [
        RejectedRow(index, _explain(arrivals.payloads[index])) for index in unread["message"]
    ]
    rows = pl.concat([bare.drop_nulls("value"), long], how="diagonal")
    places = _read_places(arrivals).drop("channel")
    return Read(_finish(rows.join(places, on="message")), rejected)


def _read_objects(arrivals: Arrivals, held: pl.DataFrame) -> tuple[pl.DataFrame, list[RejectedRow]]:
    """Return a row for each number of each object; halved until the names of fields are few."""
    empty = pl.DataFrame(schema={"message": _INDEX, "channel": pl.String, "value": pl.Float64})
    if held.is_empty():
        return empty, []
    keys = held["text"].str.extract_all(_KEY).explode().unique().drop_nulls()
    names = keys.str.extract(_KEY).to_list()
    if len(names) <= FIELDS_MAX:
        return _unpivot(arrivals, held["message"], names)
    if held.height == 1:
        return empty, [RejectedRow(held["message"][0], TOO_MANY_FIELDS)]
    halves = (held[: held.height // 2], held[held.height // 2 :])
    first, second = (_read_objects(arrivals, half) for half in halves)
    return pl.concat([first[0], second[0]], how="diagonal"), [*first[1], *second[1]]


def _write_plainly(payload: bytes) -> bytes:
    """Return an object with escapes written without them, so that its names stand as they are."""
    if b"\\" not in payload:
        return payload
    try:
        return orjson.dumps(orjson.loads(payload))
    except orjson.JSONDecodeError:
        return payload


def _unpivot(
    arrivals: Arrivals, messages: pl.Series, names: Sequence[str]
) -> tuple[pl.DataFrame, list[RejectedRow]]:
    """Turn the columns of objects into rows of channel and number."""
    known = dict.fromkeys([BARE_CHANNEL, *names, *TIMES, "unit", "id"])
    found = read_objects(
        [arrivals.payloads[index] for index in messages],
        pl.Schema(dict.fromkeys(known, pl.String())),
    )
    fields = found.fields
    about = fields.select(time=pl.coalesce(TIMES), unit="unit", own_id="id")
    channels = [name for name in known if name not in {*TIMES, "unit", "id"}]
    # Their names may be any: ours as well, or what looks like a pattern.
    wide = fields.select(by_name(channels)).rename(lambda name: str(channels.index(name)))
    wide = wide.with_columns(messages.gather(found.indexes).alias("message"), *about)
    long = (
        wide.unpivot(index=["message", *about.columns], variable_name="place", value_name="text")
        .with_columns(
            value=_to_number("text"),
            channel=pl.col("place").replace_strict(
                {str(place): name for place, name in enumerate(channels)}, return_dtype=pl.String
            ),
        )
        .drop_nulls("value")
        .drop("place", "text")
    )
    silent = wide.filter(~pl.col("message").is_in(long["message"].unique().implode()))["message"]
    rejected = [
        *(RejectedRow(messages[row.index], row.reason) for row in found.rejected),
        *(RejectedRow(index, NO_NUMBER) for index in silent),
    ]
    return long, rejected


def _read_events(arrivals: Arrivals) -> Read:
    """Read whole events; what they leave out of stream, channel and time, the topic says."""
    lines: list[bytes] = []
    owners: list[int] = []
    rejected: list[RejectedRow] = []
    for index, payload in enumerate(arrivals.payloads):
        # A look at each payload, and not at each event of it.
        if not (stripped := payload.strip()):
            rejected.append(RejectedRow(index, EMPTY))
            continue
        parts = _split_list(stripped) if stripped.startswith(b"[") else [stripped]
        lines += [part.replace(b"\n", b" ") for part in parts]
        owners += [index] * len(parts)
    if not lines:
        return Read(pl.DataFrame(), rejected)
    raw, unread = read_ndjson(b"\n".join(lines))
    rejected += [RejectedRow(owners[row.index], row.reason) for row in unread]
    messages = pl.Series("message", owners, dtype=_INDEX).gather(raw["index"])
    events = raw.drop("index").with_columns(messages, nth=raw["index"])
    events = events.with_columns(nth=pl.col("nth") - pl.col("nth").min().over("message"))
    said = _read_places(arrivals).rename(lambda name: name if name == "message" else f"_{name}")
    return Read(_fill_events(events.join(said, on="message")), rejected)


def _fill_events(events: pl.DataFrame) -> pl.DataFrame:
    known = events.columns
    filled = {
        ours: pl.coalesce(ours, theirs) if ours in known else pl.col(theirs)
        for ours, theirs in (("stream_id", "_stream_id"), ("channel", "_channel"))
    }
    own_id = pl.format("{}/{}", "_id", "nth")
    time = _write_times(events["timestamp"]) if "timestamp" in known else pl.lit(None, pl.String)
    return events.with_columns(
        **filled,
        id=pl.coalesce("id", own_id) if "id" in known else own_id,
        timestamp=pl.coalesce(time, "_arrived"),
    ).select(
        "message", *(name for name in RAW_SCHEMA if name in {*known, *filled, "id", "timestamp"})
    )


def _write_times(times: pl.Series) -> pl.Series:
    """Return times as text, whether the reader has read them already or not."""
    return times if times.dtype == pl.String() else times.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")


def _split_list(payload: bytes) -> list[bytes]:
    """Return the items of a JSON list; what is none stays whole, and is refused as what it is."""
    try:
        return [orjson.dumps(item) for item in orjson.loads(payload)] or [payload]
    except orjson.JSONDecodeError:
        return [payload]


def _read_texts(arrivals: Arrivals) -> pl.DataFrame:
    """Return payloads as text, as far as they are."""
    text = decode_texts(arrivals.payloads).str.strip_chars()
    return pl.DataFrame(
        {"message": pl.int_range(len(text), dtype=_INDEX, eager=True), "text": text}
    )


def _read_places(arrivals: Arrivals) -> pl.DataFrame:
    """Return what is known of each message beside its payload."""
    return pl.DataFrame(
        {
            "message": pl.int_range(len(arrivals.places), dtype=_INDEX, eager=True),
            "stream_id": pl.Series([place.stream for place in arrivals.places], dtype=pl.String),
            "channel": pl.Series([place.channel for place in arrivals.places], dtype=pl.String),
            "id": pl.Series(arrivals.ids, dtype=pl.String),
            "arrived": pl.Series(arrivals.arrived_ms, dtype=pl.Int64).cast(pl.String),
        }
    )


def _to_number(name: str) -> pl.Expr:
    """Build numbers from texts; what is switched on is 1, what is switched off 0."""
    text = pl.col(name).str.strip_chars(' \t\r\n"').replace(_TRUTHS)
    return text.cast(pl.Float64, strict=False)


def _finish(readings: pl.DataFrame) -> pl.DataFrame:
    """Return readings as raw events."""
    columns = set(readings.columns)
    time = pl.coalesce("time", "arrived") if "time" in columns else pl.col("arrived")
    # Several readings may share what their message is called.
    own = pl.format("{}/{}", "own_id", "channel") if "own_id" in columns else pl.lit(None)
    return readings.with_columns(pl.col("channel").fill_null(BARE_CHANNEL)).select(
        "message",
        "stream_id",
        "channel",
        "value",
        type=pl.lit("reading"),
        timestamp=time,
        id=pl.coalesce(own, pl.format("{}/{}", "id", "channel")),
        unit=pl.col("unit") if "unit" in columns else pl.lit(None, pl.String),
    )


def _explain(payload: bytes) -> str:
    if not payload.strip():
        return EMPTY
    try:
        payload.decode()
    except UnicodeDecodeError:
        return NOT_TEXT
    return NO_NUMBER
