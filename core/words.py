"""Words shim."""

from dataclasses import dataclass

import polars as pl

from core.emotes import find_emotes
from core.sentiment import THOUSANDTHS, score_texts  # noqa: F401


@dataclass
class T:
    sentiment: pl.Series
    emotes: pl.DataFrame


def read_texts(texts: pl.Series) -> T:
    """x."""
    e = (
        texts.to_frame("t")
        .with_row_index("row")
        .select("row", emote=find_emotes(pl.col("t")))
        .explode("emote", empty_as_null=True)
        .drop_nulls("emote")
    )
    return T(score_texts(texts), e)
