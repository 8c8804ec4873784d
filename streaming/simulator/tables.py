"""Tables: what the numbers of rows stand for, written as lines of JSON or as a frame.

    row {user 17, text 4, …} -> {"user":"owl42","text":"gg 🎉","emotes":["🎉"],…}

A line is put together from pieces that were written once, so that no event is encoded by itself.
Line 0 of every table is nothing.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray

from core.events import SCHEMA, TIMESTAMP
from streaming.simulator.profiles import CHANNELS, Profile
from streaming.simulator.rows import Records, Rows, Type
from streaming.simulator.transactions import OFFERS
from streaming.simulator.users import BADGES, NAMES
from streaming.simulator.words import MESSAGES

TYPES: Final = ("meta", "viewers", "chat", "transaction", "reading")
"""By ``rows.Type``."""

COLUMNS: Final = [name for name in SCHEMA.names() if name not in {"bits", "title", "category"}]
"""Of a frame; the others are never used here."""

FRAME_SCHEMA: Final = pl.Schema({name: SCHEMA[name] for name in COLUMNS})

_VALUES: Final = pl.Series(['"event":"raid","viewers":', '"value":', "", "", '"value":'])
"""What stands before the number of a row, by type."""

_MILLISECONDS: Final = pl.Series([f"{number:03}Z" for number in range(1000)])

_USERS: Final = pl.Series([None, *NAMES])
_TEXTS: Final = pl.Series([None, *MESSAGES.texts])
_EMOTES: Final = pl.Series([None, *map(list, MESSAGES.emotes)], dtype=pl.List(pl.String))
_BADGES: Final = pl.Series(BADGES, dtype=pl.List(pl.String))
_OFFERS: Final = pl.DataFrame(
    [(None, None, None), *(offer[:3] for offer in OFFERS)],
    schema=["kind", "amount", "currency"],
    orient="row",
)
_CHANNELS: Final = pl.DataFrame([(None, None), *CHANNELS], schema=["channel", "unit"], orient="row")


def _write_pieces(facts: Iterable[dict[str, object]]) -> pl.Series:
    """Return what stands in a line for each line of a table; nothing for the first."""
    return pl.Series(["", *(orjson.dumps(each)[1:-1].decode() + "," for each in facts)])


_USER_PIECES: Final = _write_pieces({"user": name} for name in NAMES)
_TEXT_PIECES: Final = _write_pieces(
    {"text": text, "emotes": emotes}
    for text, emotes in zip(MESSAGES.texts, MESSAGES.emotes, strict=True)
)
_BADGE_PIECES: Final = _write_pieces({"badges": badges} for badges in BADGES)
_OFFER_PIECES: Final = _write_pieces(_OFFERS[1:].to_dicts())
_CHANNEL_PIECES: Final = _write_pieces(_CHANNELS[1:].to_dicts())


class Tables:
    """Writes the rows of some streams."""

    def __init__(self, profiles: Sequence[Profile]) -> None:
        self._streams = pl.Series([profile.stream_id for profile in profiles])
        heads = [
            orjson.dumps({"stream_id": profile.stream_id, "type": event_type})[:-1].decode()
            + ',"timestamp":"'
            for profile in profiles
            for event_type in TYPES
        ]
        self._heads = pl.Series(heads)

    def write_lines(self, rows: Rows) -> bytes:
        """Return rows as NDJSON, without a line end behind the last."""
        records = rows.records
        if not len(records):
            return b""
        kind = records["type"]
        head = records["stream"] * len(TYPES) + kind
        lines = pl.select(
            pl.concat_str(
                _take(self._heads, head),
                *_write_times(records),
                pl.lit('","id":"'),
                *_write_ids(rows),
                pl.lit('",'),
                _take(_USER_PIECES, records["user"]),
                _take(_TEXT_PIECES, records["text"]),
                _take(_BADGE_PIECES, np.where(kind == Type.CHAT, 1 + records["badges"], 0)),
                _take(_OFFER_PIECES, records["offer"]),
                _take(_CHANNEL_PIECES, records["channel"]),
                _take(_VALUES, kind),
                _write_values(records),
            ).str.strip_suffix(",")
        ).to_series()
        return ("}\n".join(lines.to_list()) + "}").encode()

    def make_frame(self, rows: Rows) -> pl.DataFrame:
        """Return rows as columns of events."""
        records, kind = rows.records, rows.records["type"]
        is_chat, is_raid = kind == Type.CHAT, kind == Type.RAID
        has_value = (kind == Type.VIEWERS) | (kind == Type.READING)
        value = pl.Series(records["value"])
        frame = pl.DataFrame(
            {
                "stream_id": _take(self._streams, records["stream"]),
                "type": _take(pl.Series(TYPES), kind),
                "timestamp": pl.Series(records["at_ms"] * 1000).cast(TIMESTAMP),
                "id": pl.select(pl.concat_str(*_write_ids(rows))).to_series(),
                "user": _take(_USERS, records["user"]),
                "text": _take(_TEXTS, records["text"]),
                "emotes": _take(_EMOTES, records["text"]),
                "badges": _keep(_take(_BADGES, records["badges"]), is_chat),
                "value": _keep(value, has_value),
                "event": _keep(_take(pl.Series(["raid"]), np.zeros(len(rows), np.int8)), is_raid),
                "viewers": _keep(value.cast(pl.Int64), is_raid),
            }
        )
        offers = _OFFERS[records["offer"].astype(np.uint32)]
        channels = _CHANNELS[records["channel"].astype(np.uint32)]
        return frame.hstack(offers).hstack(channels).select(COLUMNS)


def _take(table: pl.Series, places: NDArray[np.integer]) -> pl.Series:
    return table.gather(pl.Series(places.astype(np.uint32)))


def _keep(series: pl.Series, is_kept: NDArray[np.bool_]) -> pl.Series:
    """Return a column with nothing where it is not kept."""
    return series.to_frame("it").select(pl.when(pl.Series(is_kept)).then("it")).to_series()


def _write_times(records: Records) -> tuple[pl.Series, pl.Series]:
    """Return the seconds and the milliseconds of the times as text, to stand beside each other."""
    second, millisecond = np.divmod(records["at_ms"], 1000)
    first = int(second.min())
    known = np.arange(first, int(second.max()) + 1).astype("datetime64[s]")
    texts = pl.Series([f"{text}." for text in np.datetime_as_string(known).tolist()])
    return _take(texts, second - first), _take(_MILLISECONDS, millisecond)


def _write_ids(rows: Rows) -> tuple[pl.Series, pl.Series]:
    stems = pl.Series(rows.stems, dtype=pl.String)
    return _take(stems, rows.records["stem"]), pl.Series(rows.records["number"]).cast(pl.String)


def _write_values(records: Records) -> pl.Series:
    """Return the numbers of rows as text; nothing where a row has none."""
    value, kind = pl.Series(records["value"]), records["type"]
    whole = _keep(value.cast(pl.Int64).cast(pl.String), kind <= Type.VIEWERS)
    broken = _keep(value, kind == Type.READING).cast(pl.String)
    return pl.select(pl.coalesce(whole, broken, pl.lit(""))).to_series()
