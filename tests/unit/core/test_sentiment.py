"""Sentiment: a table of sentences, and the same by a plain loop."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lexicon import EMOTES, WORDS
from core.sentiment import score_texts
from tests.fixtures.expectations import score_text

SENTENCES = [
    ("", 0),
    ("the quick brown fox", 0),
    ("amazing", 428),
    ("AMAZING!!!", 428),
    ("(terrible)", -428),
    ("good bad", -200),
    ("PogChamp what a play", 428),
    ("pogchamp", 0),
    ("this is amazing amazing amazing", 692),
    ("lag lag garbage NotLikeThis", -692),
    ("\U0001f602", 333),
    ("\U0001f602\U0001f602\U0001f602", 333),
    ("why\U0001f621", -428),
    ("RIP", -333),
    ("rip", -333),
    ("Pog", 333),
    ("pog", 200),
]


@pytest.mark.parametrize(("text", "thousandths"), SENTENCES)
def test_the_sentiment_of_a_sentence(text: str, thousandths: int):
    assert score_texts(pl.Series([text])).to_list() == [thousandths]


def test_all_sentences_at_once_keep_their_order():
    texts = pl.Series([text for text, _ in SENTENCES])
    assert score_texts(texts).to_list() == [score for _, score in SENTENCES]


def test_no_sentences_have_no_sentiment():
    assert score_texts(pl.Series([], dtype=pl.String)).to_list() == []


words = st.sampled_from(
    [*sorted(WORDS)[::9], *sorted(EMOTES)[::5], "the", "", "...", "Great!", "\U0001f602x", "\n"]
)


@given(st.lists(st.lists(words, max_size=8).map(" ".join), max_size=8))
def test_columns_score_as_a_plain_loop_does(texts: list[str]):
    scores = score_texts(pl.Series(texts, dtype=pl.String)).to_list()
    assert scores == [score_text(text) for text in texts]
