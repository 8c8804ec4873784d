"""Chats: files of made-up chat lines, the same for the same options on every machine.

    ChatOptions -> write_chats -> {"stream_id", "type", "timestamp", "user", "text"} lines

Some streams and users say much more than others, some texts are said by everybody, times are out
of order by less than a second. Drawn in columns: two million lines take seconds.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import orjson
import polars as pl

from loadtest.peers.tasks import EMOTES

Indexes: TypeAlias = npt.NDArray[np.int64]

EVENTS_A_CHUNK: Final = 250_000
"""Drawn and written together: some 300 MB of memory at most."""

DISORDER_MS: Final = 900
"""How far an event may come after a younger one."""

TEXT_WORDS_MAX: Final = 12

HOT_TEXTS: Final = 500
"""So many texts are said again and again."""

_VOCABULARY: Final = """
    a the i you he it is was this that what how why so no yes ok wait go run left right
    behind play game map boss chat stream mods team round clip win lost again never always
    really nice great love best amazing clean good terrible bad worst awful boring hate slow
    sad one more time please hello hi bye today tonight first last old new big small
"""
WORDS: Final = tuple(_VOCABULARY.split())


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """What the lines are like."""

    events: int = 2_000_000
    streams: int = 20
    minutes: int = 10
    users: int = 30_000
    emotes: int = len(EMOTES)
    repeats: float = 0.2
    """Share of the messages whose text many others send as well."""

    stream_skew: float = 0.7
    """Exponent of Zipf's law over the streams; 0 makes them all alike."""

    user_shape: float = 0.8
    """Shape of the Pareto law over a stream's users; smaller lets fewer of them say more."""

    started_at: datetime = datetime(2026, 1, 26, 9, tzinfo=UTC)
    seed: int = 7


def provide_chats(folder: Path, options: ChatOptions) -> Path:
    """Return a file of chat lines, written when the folder does not have it yet."""
    digest = hashlib.blake2b(orjson.dumps(asdict(options)), digest_size=8).hexdigest()
    file = folder / f"chats-{digest}.ndjson"
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        half_written = file.with_suffix(".new")
        write_chats(half_written, options)
        half_written.rename(file)
    return file


def write_chats(file: Path, options: ChatOptions) -> None:
    """Write chat lines in the order in which they would arrive."""
    with file.open("wb") as target:
        for frame in draw_chats(options):
            frame.write_ndjson(target)


def draw_chats(options: ChatOptions) -> Iterator[pl.DataFrame]:
    """Draw the lines in frames, one after the other in time."""
    rng = np.random.default_rng(options.seed)
    hot = _draw_texts(rng, HOT_TEXTS, options)
    for first in range(0, options.events, EVENTS_A_CHUNK):
        count = min(EVENTS_A_CHUNK, options.events - first)
        streams = _draw_streams(rng, count, options)
        yield pl.DataFrame(
            {
                "stream_id": _name("stream-", streams),
                "type": pl.repeat("chat", count, eager=True),
                "timestamp": _draw_times(rng, first, count, options),
                "user": _name("viewer_", _draw_users(rng, streams, options)),
                "text": _mix(rng, _draw_texts(rng, count, options), hot, options.repeats),
            }
        )


def _draw_streams(rng: np.random.Generator, count: int, options: ChatOptions) -> Indexes:
    weights = np.arange(1, options.streams + 1, dtype=np.float64) ** -options.stream_skew
    edges = np.cumsum(weights) / weights.sum()
    found = np.searchsorted(edges, rng.random(count), side="right")
    return np.minimum(found, options.streams - 1).astype(np.int64)


def _draw_users(rng: np.random.Generator, streams: Indexes, options: ChatOptions) -> Indexes:
    """Draw who speaks; a stream's regulars are not those of the next one."""
    ranks = np.minimum(rng.pareto(options.user_shape, len(streams)) * 10, 1e12).astype(np.int64)
    return (ranks + streams * 7919) % options.users


def _draw_times(
    rng: np.random.Generator, first: int, count: int, options: ChatOptions
) -> pl.Series:
    """Return times that rise over the whole file, each moved back a little."""
    step_ms = options.minutes * 60_000 / options.events
    rising = (first + np.arange(count)) * step_ms
    moved = np.maximum(rising - rng.random(count) * DISORDER_MS, 0).astype(np.int64)
    start_ms = int(options.started_at.timestamp() * 1000)
    return pl.Series(moved + start_ms).cast(pl.Datetime("ms")).dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")


def _draw_texts(rng: np.random.Generator, count: int, options: ChatOptions) -> pl.Series:
    """Put words in a row, one in five of them an emote."""
    emotes = EMOTES[: options.emotes]
    lengths = np.minimum(rng.geometric(0.22, count), TEXT_WORDS_MAX)
    columns = []
    for place in range(TEXT_WORDS_MAX):
        word = rng.integers(0, len(WORDS), count)
        if emotes:
            emote = len(WORDS) + np.minimum(rng.geometric(0.3, count) - 1, len(emotes) - 1)
            word = np.where(rng.random(count) < 0.2, emote, word)
        chosen = pl.Series((*WORDS, *emotes)).gather(word)
        columns.append(chosen.set(pl.Series(lengths <= place), None).alias(str(place)))
    return pl.DataFrame(columns).select(pl.concat_str("*", separator=" ", ignore_nulls=True))["0"]


def _mix(rng: np.random.Generator, texts: pl.Series, hot: pl.Series, share: float) -> pl.Series:
    """Replace a share of the texts by hot ones, the hottest most often."""
    rank = np.minimum(rng.pareto(0.9, len(texts)) * 3, len(hot) - 1).astype(np.int64)
    is_repeat = pl.Series(rng.random(len(texts)) < share)
    return hot.gather(rank).zip_with(is_repeat, texts)


def _name(prefix: str, numbers: Indexes) -> pl.Series:
    return pl.Series(numbers).cast(pl.String).str.pad_start(4, "0").str.replace("^", prefix)
