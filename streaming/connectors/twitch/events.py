"""Events: what messages of Twitch's chat mean to Telemetra.

    PRIVMSG     -> chat, and bits as a transaction beside it
    USERNOTICE  -> subscription, renewal, gift_sub; a raid; and chat where somebody wrote something
    all others  -> counted

A message that came over from another channel of a shared chat belongs to that channel, and is not
counted in this one.
"""

from dataclasses import dataclass
from typing import Final

import polars as pl

from streaming.connectors.twitch.messages import read_messages, read_tag

KINDS: Final = {
    "sub": "subscription",
    "resub": "renewal",
    # Somebody goes on with a subscription that was a gift, or one of Prime.
    "giftpaidupgrade": "renewal",
    "anongiftpaidupgrade": "renewal",
    "primepaidupgrade": "renewal",
    "subgift": "gift_sub",
    "anonsubgift": "gift_sub",
}
"""``submysterygift`` is not among them: each of its gifts follows as a ``subgift``."""

BITS: Final = "bits"
"""Their kind, and their currency."""

_COUNTED: Final = (
    "CAP",
    "CLEARCHAT",
    "CLEARMSG",
    "GLOBALUSERSTATE",
    "HOSTTARGET",
    "JOIN",
    "NOTICE",
    "PART",
    "PING",
    "PONG",
    "RECONNECT",
    "ROOMSTATE",
    "USERNOTICE",
    "USERSTATE",
)
"""Commands that are counted by name when they make no event; a label must not grow for ever."""

_TAGS: Final = (
    "id",
    "tmi-sent-ts",
    "room-id",
    "source-room-id",
    "login",
    "msg-id",
    "emotes",
    "badges",
    "bits",
    "msg-param-viewerCount",
)


@dataclass(frozen=True, slots=True)
class Heard:
    """What lines came to."""

    lines: list[bytes]
    """Events as JSON."""

    newest_ms: int
    """The time of the newest of them; 0 when there are none."""

    ignored: dict[str, int]
    """How many messages made no event, by kind."""


def read_events(lines: list[str], *, prefix: str, now_ms: int) -> Heard:
    """Return the events that lines of chat tell.

    Args:
        lines: As they came, without their ends.
        prefix: Stands before a channel's name in the stream's id.
        now_ms: The time of messages that do not say theirs.
    """
    told = read_messages(lines).with_row_index("row")
    is_told = pl.col("command").is_in(["PRIVMSG", "USERNOTICE"])
    rows = _read_rows(told.filter(is_told), prefix, now_ms)
    own = rows.filter(~pl.col("is_copy"))
    kinds = (_list_chat(own), _list_transactions(own), _list_raids(own))
    events = pl.concat(kind.select("row", "timestamp") for kind in kinds)
    ignored = _count_ignored(told.filter(is_told.fill_null(value=False).not_()))
    copies, eventless = len(rows) - len(own), len(own) - events["row"].n_unique()
    for name, count in (("shared_copy", copies), ("usernotice", eventless)):
        if count:
            ignored[name] = ignored.get(name, 0) + count
    # In the order in which it was said: what is told far behind its neighbours would be late.
    written = pl.concat(_write(kind) for kind in kinds).sort("row", maintain_order=True)
    return Heard(
        lines=written["line"].to_list(),
        newest_ms=0 if events.is_empty() else events["timestamp"].sort()[-1],
        ignored=ignored,
    )


def _write(events: pl.DataFrame) -> pl.DataFrame:
    """Return events as lines of JSON, each with its row."""
    lines = events.drop("row").write_ndjson().encode().split(b"\n")[:-1]
    return events.select("row", line=pl.Series(lines, dtype=pl.Binary))


def _read_rows(told: pl.DataFrame, prefix: str, now_ms: int) -> pl.DataFrame:
    """Return what is common to all events of a message, and what makes one of it."""
    rows = told.with_columns(read_tag(name) for name in _TAGS)
    col = pl.col
    text = col("trailing").str.extract("(?s)^\x01ACTION (.*?)\x01?$")
    rows = rows.select(
        "row",
        "id",
        "command",
        stream_id=prefix + col("middle").str.extract("^#([^ ]+)").str.to_lowercase(),
        timestamp=col("tmi-sent-ts").cast(pl.Int64, strict=False).fill_null(now_ms),
        user=pl.when(col("command") == "PRIVMSG").then("nick").otherwise("login"),
        text=pl.coalesce(text, "trailing"),
        spots="emotes",
        badges=col("badges").str.split(","),
        bits=col("bits").cast(pl.Int64, strict=False),
        notice=col("msg-id"),
        viewers=col("msg-param-viewerCount").cast(pl.Int64, strict=False),
        is_copy=(col("source-room-id") != col("room-id")).fill_null(value=False),
    )
    return rows.join(name_emotes(rows), on="row", how="left", maintain_order="left")


def name_emotes(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the emotes of each row that has any, as they stand in its text.

    The tag names places by their first and last character, ``25:0-4,12-16/1902:6-10``; characters
    are code points. Places that the text does not have are passed over.
    """
    col = pl.col
    spots = (
        rows.select("row", "text", spot=col("spots").str.extract_all(r"[:,][0-9]+-[0-9]+"))
        .explode("spot")
        .with_columns(
            first=col("spot").str.extract("([0-9]+)-").cast(pl.Int64, strict=False),
            last=col("spot").str.extract("-([0-9]+)").cast(pl.Int64, strict=False),
        )
        .filter(col("first") <= col("last"), col("last") < col("text").str.len_chars())
        .sort("row", "first")
    )
    return spots.group_by("row", maintain_order=True).agg(
        emotes=col("text").str.slice(col("first"), col("last") - col("first") + 1)
    )


def _list_chat(rows: pl.DataFrame) -> pl.DataFrame:
    # Where Twitch names no emotes they are left out, so that emoji and those of others are found.
    return rows.filter(
        (pl.col("command") == "PRIVMSG") | (pl.col("text").str.len_bytes() > 0)
    ).select(
        *("row", "stream_id", "timestamp", "id", "user", "text", "emotes", "badges", "bits"),
        type=pl.lit("chat"),
    )


def _list_transactions(rows: pl.DataFrame) -> pl.DataFrame:
    bits = pl.col("bits") > 0
    kind = pl.col("notice").replace_strict(KINDS, default=None, return_dtype=pl.String)
    of_notice = pl.when(pl.col("command") == "USERNOTICE").then(kind)
    transactions = rows.with_columns(kind=pl.when(bits).then(pl.lit(BITS)).otherwise(of_notice))
    return transactions.filter(pl.col("kind").is_not_null()).select(
        *("row", "stream_id", "timestamp", "user", "kind"),
        # The chat message beside it has the id itself, and ids are those of a whole stream.
        id=pl.col("id") + ":" + pl.col("kind"),
        amount=pl.when(bits).then(pl.col("bits").cast(pl.Float64)),
        currency=pl.when(bits).then(pl.lit(BITS)),
        type=pl.lit("transaction"),
    )


def _list_raids(rows: pl.DataFrame) -> pl.DataFrame:
    is_raid = (pl.col("command") == "USERNOTICE") & (pl.col("notice") == "raid")
    return rows.filter(is_raid).select(
        *("row", "stream_id", "timestamp", "user", "viewers"),
        id=pl.col("id") + ":raid",
        event=pl.lit("raid"),
        type=pl.lit("meta"),
    )


def _count_ignored(told: pl.DataFrame) -> dict[str, int]:
    kind = (
        pl.when(pl.col("command").is_null())
        .then(pl.lit("garbage"))
        .when(pl.col("command").is_in(_COUNTED))
        .then(pl.col("command").str.to_lowercase())
        .otherwise(pl.lit("other"))
    )
    return dict(told.group_by(kind.alias("kind")).len().iter_rows())
