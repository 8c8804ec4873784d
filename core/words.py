"""Words: the mood of texts and the emotes in them, read in one pass over columns.

    texts -> words -> the *different* words -> what each does -> back to its places -> sum per text

A text's weight is the sum of its words' weights, each changed by what stands near it:

- a negator within the three words before turns a word around and leaves 70 % of it;
- a booster within the two words before makes it stronger or weaker, by its own percent;
- neither reaches past the end of a sentence or a comma;
- what stands before the last ``but`` of a text counts half, what follows one and a half;
- CAPITALS, a stretched letter (``sooo goood``) and ``!`` add 20 % each (``core.vocabulary``);
- emotes, emoticons and emoji say how the writer feels and are not changed by anything.

A text of weight w has sentiment w / (|w| + 4), in whole thousandths: all numbers are whole, so that
sums are exact in any order. ``core.chat_minutes`` reads each frame once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from core.vocabulary import PERCENT, Bools, Ints, Vocabulary, classify_words

THOUSANDTHS: Final = 1000

SOFTNESS: Final = 4
"""One strong word says much, ten say little more."""

NEGATION_REACH: Final = 3
NEGATION_PERCENT: Final = -70
"""``not good`` is less bad than ``bad``."""

BOOST_REACH: Final = 2
BOOST_PERCENT_MIN: Final = -80
BOOST_PERCENT_MAX: Final = 100
"""However many boosters stand before a word."""

CONTRAST_HALVES: Final = (1, 3)
"""Halves of its weight that a word has before and after the last ``but``; else two."""

UNIT: Final = PERCENT * PERCENT * PERCENT * 2
"""A weight of one: hundredths of emphasis, of boost and of negation, and halves of contrast."""

_WHITESPACE: Final = "[\t\n\v\f\r\u00a0\u2028\u2029\u3000]"


@dataclass(frozen=True, slots=True)
class TextFeelings:
    """What texts say without saying it."""

    sentiment: pl.Series
    """Of each text, in thousandths from -1000 to 1000; 0 where nothing is known."""

    emotes: pl.DataFrame
    """``row`` (the index of the text) and ``emote``: one row an occurrence, in reading order."""


@dataclass(frozen=True, slots=True)
class _Occurrences:
    """The words that do something, where they stand."""

    number: Ints
    """Index of each word in the vocabulary."""

    row: Ints
    """Index of its text."""

    place: Ints
    """Index among all words of all texts."""

    wall: Bools
    """For every place, and one past the last: whether no word reaches it from before."""


def read_texts(texts: pl.Series) -> TextFeelings:
    """Return the sentiment of each text, and every emote in it."""
    different, number, row = _split(texts)
    if different.str.contains(_WHITESPACE).any():
        different, number, row = _split(texts.str.replace_all(_WHITESPACE, " "))
    vocabulary = classify_words(different)
    found = _locate(vocabulary, number, row)
    return TextFeelings(
        sentiment=_score(vocabulary, found, len(texts)),
        emotes=_list_emotes(vocabulary.emotes, found, len(different)),
    )


def _split(texts: pl.Series) -> tuple[pl.Series, Ints, Ints]:
    """Return the different words of texts; of every word its number among them and its row."""
    lists = texts.fill_null("").str.split(" ")
    words = lists.explode(empty_as_null=True)
    row = np.repeat(np.arange(len(texts)), lists.list.len().to_numpy())
    # A category numbers words as they come, at half the price of ``unique`` and a join.
    category = words.cast(pl.Categorical(pl.Categories.random())).to_physical()
    number: Ints = category.to_numpy().astype(np.int64)
    place = np.empty(int(number.max(initial=-1)) + 1, np.int64)
    place[number] = np.arange(len(number))
    different = words.gather(place)
    if (blank := (different == "").arg_true()).len():
        filled = number != blank[0]
        number, row = number[filled], row[filled]
    return different, number, row


def _locate(vocabulary: Vocabulary, number: Ints, row: Ints) -> _Occurrences:
    wall = np.ones(len(row) + 1, np.bool_)
    wall[1:-1] = row[1:] != row[:-1]
    place = np.flatnonzero(vocabulary.find_useful()[number])
    number = number[place]
    wall[place[vocabulary.ends[number]] + 1] = True
    return _Occurrences(number, row[place], place, wall)


def _score(vocabulary: Vocabulary, words: _Occurrences, count: int) -> pl.Series:
    weight = vocabulary.weight[words.number]
    weight *= _measure_boosts(vocabulary, words)
    weight *= _measure_turns(vocabulary, words)
    weight *= _measure_contrasts(vocabulary, words, count)
    weight += vocabulary.feeling[words.number] * UNIT
    # Sums in float64 are exact up to 2**53: three hundred million strong words in one text.
    total = np.bincount(words.row, weights=weight, minlength=count).astype(np.int64)
    size = np.abs(total)
    sentiment = np.sign(total) * (size * THOUSANDTHS // (size + SOFTNESS * UNIT))
    return pl.Series("sentiment", sentiment, dtype=pl.Int64)


def _measure_boosts(vocabulary: Vocabulary, words: _Occurrences) -> npt.NDArray[np.int16]:
    """Return the percents of its weight that each word has after the boosters before it."""
    # Two boosters reach a word at most; small numbers because this is as long as all words.
    percent = np.full(len(words.wall), PERCENT, np.int16)
    boosters = np.flatnonzero((vocabulary.boost != 0)[words.number])
    boost = vocabulary.boost[words.number[boosters]].astype(np.int16)
    for index, place in _follow(words.place[boosters], words.wall, BOOST_REACH):
        percent[place] += boost[index]
    lowest, highest = PERCENT + BOOST_PERCENT_MIN, PERCENT + BOOST_PERCENT_MAX
    return percent[words.place].clip(lowest, highest)


def _measure_turns(vocabulary: Vocabulary, words: _Occurrences) -> Ints:
    """Return the percents of its weight that each word has after the negators before it."""
    turned = np.zeros(len(words.wall), np.bool_)
    negators = words.place[vocabulary.negates[words.number]]
    for _, place in _follow(negators, words.wall, NEGATION_REACH):
        turned[place] = True
    return np.where(turned[words.place], NEGATION_PERCENT, PERCENT)


def _follow(places: Ints, wall: Bools, reach: int) -> Iterator[tuple[Ints, Ints]]:
    """Yield the next place after each of the places, step by step, until a wall or out of reach."""
    index = np.arange(len(places))
    for _ in range(reach):
        places = places + 1
        free = ~wall[places]
        index, places = index[free], places[free]
        yield index, places


def _measure_contrasts(vocabulary: Vocabulary, words: _Occurrences, count: int) -> Ints:
    """Return the halves of its weight that each word keeps."""
    marks = np.flatnonzero(vocabulary.contrasts[words.number])
    # Places rise, so of several in one text the last one stays.
    last = np.full(count, -1, np.int64)
    last[words.row[marks]] = words.place[marks]
    last = last[words.row]
    before, after = CONTRAST_HALVES
    return np.where(last < 0, 2, np.where(words.place < last, before, after))


def _list_emotes(emotes: pl.DataFrame, words: _Occurrences, count: int) -> pl.DataFrame:
    held = np.bincount(emotes["index"].to_numpy(), minlength=count)
    holders = np.flatnonzero(held[words.number])
    number = words.number[holders]
    # A word may hold several emoji: each holder gives as many rows, which count up from its first.
    repeats = held[number]
    firsts = (np.cumsum(held) - held)[number]
    ranks = np.arange(repeats.sum()) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    names = emotes["word"].gather(np.repeat(firsts, repeats) + ranks)
    rows = np.repeat(words.row[holders], repeats)
    return pl.DataFrame({"row": pl.Series(rows, dtype=pl.UInt32), "emote": names})
