"""Emotes: known words and emoji in a message."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.emotes import KNOWN_EMOTES, find_emotes
from tests.fixtures.expectations import list_emotes

SOME = sorted(KNOWN_EMOTES)[:5]


def find(*texts: str) -> list[list[str]]:
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    return frame.select(find_emotes(pl.col("text")))["text"].to_list()


@pytest.mark.parametrize(
    ("text", "emotes"),
    [
        ("", []),
        ("hello there", []),
        ("PogChamp", ["PogChamp"]),
        ("what a play Kappa Kappa", ["Kappa", "Kappa"]),
        ("kappa KAPPA", []),
        ("Kappa!", []),
        ("KappaKappa", []),
        ("nice \U0001f602\U0001f602 Kappa", ["Kappa", "\U0001f602", "\U0001f602"]),
        ("\U0001f44d\U0001f3fd", ["\U0001f44d"]),
        ("I \u2764\ufe0f this", ["\u2764"]),
        ("LUL  LUL", ["LUL", "LUL"]),
    ],
)
def test_the_emotes_of_a_message(text: str, emotes: list[str]):
    assert find(text) == [emotes]


def test_no_messages_have_no_emotes():
    assert find() == []


pieces = st.sampled_from([*SOME, "hello", "", " ", "\U0001f525", "\U0001f3fb", "x\u2764y", "\n"])


@given(st.lists(st.lists(pieces, max_size=6).map(" ".join), max_size=6))
def test_columns_find_what_a_plain_loop_finds(texts: list[str]):
    assert find(*texts) == [list_emotes({"text": text}) for text in texts]
