"""Preparations: what can be done with a batch before its turn, because it needs no state.

batch -> decode -> sentiment and emotes of the texts -> Prepared -> reduce_events
"""

from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from core.batches import Batch, Decoded, decode_batch
from core.words import read_texts

NO_EMOTES: Final = pl.DataFrame(schema={"row": pl.UInt32(), "emote": pl.String()})


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch that only waits for what is known of its shard."""

    decoded: Decoded
    """Where there are texts, its events have ``sentiment`` and ``row`` besides."""

    emotes: pl.DataFrame
    """``row`` and ``emote``: every emote in the text of a row."""


def prepare(batch: Batch) -> Prepared:
    """Decode a batch and read its texts."""
    return prepare_decoded(decode_batch(batch))


def prepare_decoded(decoded: Decoded) -> Prepared:
    """Read the texts of events."""
    events = decoded.events
    if "text" not in events.columns:
        return Prepared(decoded, NO_EMOTES)
    feelings = read_texts(events["text"])
    felt = events.with_columns(feelings.sentiment, row=pl.int_range(pl.len(), dtype=pl.UInt32))
    return Prepared(replace(decoded, events=felt), feelings.emotes)
