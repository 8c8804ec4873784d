"""Words: a table of texts, and the same by a plain loop that looks back."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import word_books
from core.lexicon import chat, english
from core.vocabulary import BOOSTS, EMOJI, EMOTES, SIGNS, WORDS
from core.word_books import WORDS_KEPT
from core.words import read_texts
from tests.fixtures.expectations import list_emotes, score_text

HEART = "\u2764"
JOY = "\U0001f602"
THUMB = "\U0001f44d"

SENTENCES = [
    ("", 0),
    ("the whole brown fox", 0),
    ("amazing", 428),
    ("AMAZING!!!", 512),
    ("Amazing!", 473),
    ("amaaaazing", 473),
    ("(terrible)", -428),
    ("good bad", 0),
    ("PogChamp what a play", 428),
    ("amazing amazing amazing", 692),
    ("lag garbage NotLikeThis", -600),
    ("RIP", -333),
    ("W", 333),
    ("w", 0),
    ("AMAZing", 428),
    ("TY", 333),
    ("noooo", -230),
    ("loooser", -375),
    (":) <3", 500),
    (":)", 200),
]

NEGATIONS = [
    ("not good", -259),
    ("don't like it", -148),
    ("dont like it", -148),
    ("mustn\u2019t like it", -148),
    ("isn't bad", 259),
    ("not one two good", -259),
    ("not one two three good", 333),
    ("no, good", 333),
    ("it was not. Good", 333),
    ("not not good", -259),
    ("not PogChamp", 428),
    (f"not {JOY}", 333),
    ("not :)", 200),
]

BOOSTS_AND_CONTRASTS = [
    ("very good", 393),
    ("very very good", 444),
    ("very the good", 393),
    ("very the whole good", 333),
    ("very, good", 333),
    ("slightly bad", -200),
    ("extremely extremely extremely good", 500),
    ("slightly slightly good", 90),
    ("not very good", -312),
    ("very PogChamp", 428),
    ("soooo good", 393),
    ("good but bad", -333),
    ("good but bad but good", 428),
    ("but good", 428),
]

ODD_TEXTS = [
    (f"great{JOY}", 500),
    (f"{JOY}{JOY}{JOY}", 600),
    (f"{THUMB}\U0001f3fd", 333),
    (f"I {HEART}\ufe0f this", 428),
    ("caf\u0065\u0301 good", 333),
    ("\U0001f1eb\U0001f1f7 good", 333),
    ("good\tgood\ngood", 600),
    ("  good   \r\n  not    good  ", 130),
    ("\u00a0good\u3000", 333),
]


@pytest.mark.parametrize(
    ("text", "thousandths"), [*SENTENCES, *NEGATIONS, *BOOSTS_AND_CONTRASTS, *ODD_TEXTS]
)
def test_the_sentiment_of_a_text(text: str, thousandths: int):
    assert read_texts(pl.Series([text])).sentiment.to_list() == [thousandths]


def test_no_text_changes_another():
    table = [*SENTENCES, *NEGATIONS, *BOOSTS_AND_CONTRASTS, *ODD_TEXTS]
    texts = pl.Series(["not", "very", "but", *(text for text, _ in table)])
    assert read_texts(texts).sentiment.to_list() == [0, 0, 0, *(score for _, score in table)]


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
        (":) W <3", []),
        (f"nice {JOY}{THUMB}{JOY} Kappa", [JOY, THUMB, JOY, "Kappa"]),
        (f"{THUMB}\U0001f3fd", [THUMB]),
        (f"I {HEART}\ufe0f this", [HEART]),
        ("LUL  LUL\nLUL", ["LUL", "LUL", "LUL"]),
        ("\U0001f469\u200d\U0001f4bb", ["\U0001f469", "\U0001f4bb"]),
        ("\U0001f1eb\U0001f1f7", []),
    ],
)
def test_the_emotes_of_a_text(text: str, emotes: list[str]):
    assert read_texts(pl.Series([text])).emotes.rows() == [(0, emote) for emote in emotes]


def test_emotes_name_the_row_of_their_text():
    emotes = read_texts(pl.Series(["Kappa", "", f"x{JOY}{JOY}", None, "LUL"])).emotes
    assert emotes.rows() == [(0, "Kappa"), (2, JOY), (2, JOY), (4, "LUL")]
    assert emotes.schema == {"row": pl.UInt32, "emote": pl.String}


@pytest.mark.parametrize("texts", [[], [None], ["", " ", "\t\n"]])
def test_texts_without_words_feel_nothing(texts: list[str | None]):
    feelings = read_texts(pl.Series(texts, dtype=pl.String))
    assert feelings.sentiment.to_list() == [0] * len(texts)
    assert feelings.sentiment.dtype == pl.Int64
    assert feelings.emotes.schema == {"row": pl.UInt32, "emote": pl.String}
    assert feelings.emotes.is_empty()


@pytest.mark.parametrize("piece", ["so bad ", "not ", JOY, "a", "go" + "o" * 50, "\n", "but good "])
def test_a_huge_text_is_read_like_any_other(piece: str):
    text = piece * (16_384 // len(piece))
    feelings = read_texts(pl.Series([text, "good"]))
    assert feelings.sentiment.to_list() == [score_text(text), 333]
    found = feelings.emotes.filter(pl.col("row") == 0)["emote"].to_list()
    assert found == list_emotes({"text": text})


WORD = st.sampled_from(
    [
        *sorted(WORDS)[::40],
        *sorted(BOOSTS)[::4],
        *sorted(english.NEGATORS)[::5],
        *sorted(EMOTES)[::12],
        *sorted(SIGNS)[::9],
        *sorted(EMOJI)[::20],
        *("not", "very", "but", "however,", "no.", "SO", "Not!", "veryyy", "nooo", "yesss"),
        *("the", "", "...", "Great!", "GOOOOD!!", "don\u2019t", f"{JOY}x", f"{JOY}bad!{THUMB}"),
        *("\n", "\tgood", "good\u00a0not", "\U0001f3fb", "\u200d", "e\u0301", "\u0130", "LUL!"),
    ]
)
LINES = st.lists(st.lists(WORD, max_size=9).map(" ".join), max_size=8)


@settings(max_examples=4 * settings().max_examples)
@given(LINES | st.lists(st.text(max_size=12), max_size=6))
def test_columns_read_as_a_plain_loop_does(texts: list[str]):
    feelings = read_texts(pl.Series(texts, dtype=pl.String))
    assert feelings.sentiment.to_list() == [score_text(text) for text in texts]
    assert feelings.emotes.rows() == [
        (row, emote) for row, text in enumerate(texts) for emote in list_emotes({"text": text})
    ]


def test_more_words_than_a_book_holds_are_read_like_any_other():
    for begin in range(0, 5 * WORDS_KEPT, WORDS_KEPT * 3 // 4):
        texts = [f"good word{number} bad" for number in range(begin, begin + WORDS_KEPT)]
        feelings = read_texts(pl.Series([*texts, "not good Kappa"]))
        assert feelings.sentiment.unique().to_list() == [score_text("not good"), 0]
        assert feelings.emotes.rows() == [(WORDS_KEPT, "Kappa")]


def test_a_frame_that_cannot_be_read_leaves_no_words_of_which_nothing_is_known(
    monkeypatch: pytest.MonkeyPatch,
):
    def run_out(words: pl.Series) -> None:
        raise MemoryError(len(words))

    with monkeypatch.context() as patch:
        patch.setattr(word_books, "classify_words", run_out)
        with pytest.raises(MemoryError):
            read_texts(pl.Series(["unheard awful of"]))
    assert read_texts(pl.Series(["unheard awful of"])).sentiment.to_list() == [score_text("awful")]


def test_threads_may_read_at_once():
    texts = [[f"good new{number} LUL", "bad"] * 20 for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        feelings = list(pool.map(lambda lines: read_texts(pl.Series(lines)), texts))
    assert all(found.sentiment.to_list() == feelings[0].sentiment.to_list() for found in feelings)
    assert all(found.emotes["emote"].to_list() == ["LUL"] * 20 for found in feelings)


def test_every_listed_word_has_one_weight_and_can_be_met():
    lists = [
        *english.WORDS_BY_WEIGHT.values(),
        *english.BOOSTS_BY_PERCENT.values(),
        *chat.SLANG_BY_WEIGHT.values(),
        " ".join([*english.NEGATORS, *english.CONTRASTS]),
    ]
    words = list(itertools.chain.from_iterable(text.split() for text in lists))
    assert [word for word in words if words.count(word) > 1] == []
    assert [word for word in words if word != word.strip("!?.,;:'\"()[]{}*~-_#").lower()] == []
    for by_weight in (chat.EMOTES_BY_WEIGHT, chat.SIGNS_BY_WEIGHT, chat.EMOJI_BY_WEIGHT):
        written = " ".join(by_weight.values()).split()
        assert len(written) == len(set(written))
    assert not EMOTES.keys() & SIGNS.keys()
    assert all(len(emoji) == 1 for emoji in EMOJI)
