"""Sentiment: the mood of messages, from -1 to +1, in columns.

    texts -> words -> weight of each *different* word -> back to words -> sum per message

The result is a whole number of thousandths, so that sums are exact in any order.
"""

from typing import Final

import polars as pl

from core.emotes import EMOJI_PATTERN
from core.lexicon import EMOTES, WORDS

THOUSANDTHS: Final = 1000

SOFTNESS: Final = 4
"""A message of total weight w has sentiment w / (|w| + 4): one strong word says much, ten say
little more."""

_PUNCTUATION: Final = "!?.,;:'\"()[]*~-_…"


def score_texts(texts: pl.Series) -> pl.Series:
    """Return the sentiment of each text in thousandths; 0 where nothing is known."""
    words = (
        texts.to_frame("word")
        .with_row_index("row")
        .with_columns(pl.col("word").str.split(" "))
        .explode("word", empty_as_null=True)
    )
    known = _weigh(words["word"].unique())
    sums = words.join(known, on="word").group_by("row").agg(pl.col("weight").sum())
    rows = pl.DataFrame({"row": pl.arange(texts.len(), eager=True, dtype=pl.UInt32)})
    weight = rows.join(sums, on="row", how="left", maintain_order="left")["weight"].fill_null(0)
    size = weight.abs()
    return (weight.sign() * ((size * THOUSANDTHS) // (size + SOFTNESS))).alias("sentiment")


def _weigh(words: pl.Series) -> pl.DataFrame:
    """Return the known ones among different words with their weights."""
    word = pl.col("word")
    plain = word.str.strip_chars(_PUNCTUATION).str.to_lowercase()
    weight = pl.coalesce(
        word.replace_strict(EMOTES, default=None, return_dtype=pl.Int64),
        plain.replace_strict(WORDS, default=None, return_dtype=pl.Int64),
        word.str.extract(f"({EMOJI_PATTERN})").replace_strict(
            EMOTES, default=None, return_dtype=pl.Int64
        ),
    )
    return words.to_frame("word").select(word, weight=weight).drop_nulls()
