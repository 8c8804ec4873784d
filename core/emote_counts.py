"""Emote counts: how often each emote was used in one minute, exactly at first, then by a sketch.

All streams of a shard share one frame a minute.
"""

from collections.abc import Sequence
from typing import Final

import polars as pl

from core.rows import Ints
from core.sketches import EmoteSketch

EXACT_MAX: Final = 1_000
"""Different emotes of a stream and minute that are counted exactly."""

TOP: Final = 10
"""How many emotes a row names; dashboards show five to seven."""

COUNTS: Final = pl.Schema({"key": pl.Int64(), "emote": pl.String(), "count": pl.Int64()})


class EmoteCounts:
    """The emotes of one minute; of a key either exact counts or a sketch."""

    def __init__(self) -> None:
        self.counts = pl.DataFrame(schema=COUNTS)
        self.sketches: dict[int, EmoteSketch] = {}

    def add(self, counts: pl.DataFrame) -> None:
        """Add counts of different pairs of ``key`` and ``emote``."""
        if self.sketches:
            rough = pl.col("key").is_in(list(self.sketches))
            self._add_roughly(counts.filter(rough))
            counts = counts.filter(~rough)
        self.counts = (
            pl.concat([self.counts, counts]).group_by("key", "emote").agg(pl.col("count").sum())
        )
        if self.counts.height > EXACT_MAX:
            self._bound()

    def list_counts(self, key: int) -> dict[str, int]:
        """Return how often each emote of a key was used; of a sketch the most frequent ones."""
        if (sketch := self.sketches.get(key)) is not None:
            return dict(sketch.list_top(TOP))
        found = self.counts.filter(pl.col("key") == key)
        return dict(found.select("emote", "count").iter_rows())

    def keep(self, keys: Ints) -> None:
        """Forget the emotes of all other keys."""
        known = pl.Series(keys)
        self.counts = self.counts.filter(pl.col("key").is_in(known.implode()))
        kept = set(keys.tolist())
        self.sketches = {key: sketch for key, sketch in self.sketches.items() if key in kept}

    def _bound(self) -> None:
        """Go on with a sketch where there are too many different emotes."""
        sizes = self.counts.group_by("key").len()
        large = sizes.filter(pl.col("len") > EXACT_MAX)["key"]
        if large.is_empty():
            return
        rough = pl.col("key").is_in(large.implode())
        self.sketches |= {key: EmoteSketch() for key in large.to_list()}
        # Always in the same order: what a sketch lets go of depends on it.
        self._add_roughly(self.counts.filter(rough).sort("key", "emote"))
        self.counts = self.counts.filter(~rough)

    def _add_roughly(self, counts: pl.DataFrame) -> None:
        for (key,), part in counts.group_by("key", maintain_order=True):
            emotes, numbers = part["emote"].to_list(), part["count"].to_list()
            self.sketches[int(key)].update(emotes, numbers)


def list_top(minutes: Sequence[EmoteCounts], keys: pl.Series) -> pl.DataFrame:
    """Return ``key`` and ``top_emotes``, the most frequent first, ties by name."""
    counts = pl.concat([minute.counts for minute in minutes])
    exact = (
        counts.filter(pl.col("key").is_in(keys.implode()))
        .sort(["count", "emote"], descending=[True, False])
        .group_by("key")
        .agg(top_emotes=pl.struct("emote", "count").head(TOP))
    )
    rough = [
        {"key": key, "top_emotes": [{"emote": e, "count": c} for e, c in sketch.list_top(TOP)]}
        for minute in minutes
        for key, sketch in minute.sketches.items()
    ]
    if not rough:
        return exact
    told = pl.DataFrame(rough, schema=exact.schema)
    return pl.concat([exact, told.filter(pl.col("key").is_in(keys.implode()))])
