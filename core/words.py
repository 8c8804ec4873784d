"""Words: the mood of texts and the emotes in them, read in one pass over columns.

    texts -> words by number, and what each word does (core.word_books) -> sum per text

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

import threading
from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.compiled import compiled, making
from core.rows import Ints
from core.vocabulary import (
    BOOST,
    ENDS,
    FEELING,
    FIRST_HELD,
    HELD,
    IS_CONTRAST,
    MATTERS,
    NEGATES,
    PERCENT,
    WEIGHT,
    Effects,
    Vocabulary,
)
from core.word_books import Numbers, WordBook, Words

THOUSANDTHS: Final = 1000

SOFTNESS: Final = 4
"""One strong word says much, ten say little more."""

NEGATION_REACH: Final = 3
NEGATION_PERCENT: Final = -70
"""``not good`` is less bad than ``bad``."""

BOOST_PERCENT_MIN: Final = -80
BOOST_PERCENT_MAX: Final = 100
"""However many boosters stand before a word."""

CONTRAST_HALVES: Final = (1, 3)
"""Halves of its weight that a word has before and after the last ``but``; else two."""

UNIT: Final = PERCENT * PERCENT * PERCENT * 2
"""A weight of one: hundredths of emphasis, of boost and of negation, and halves of contrast."""


class TextFeelings(NamedTuple):
    """What texts say without saying it."""

    sentiment: pl.Series
    """Of each text, in thousandths from -1000 to 1000; 0 where nothing is known."""

    emotes: pl.DataFrame
    """``row`` (the index of the text) and ``emote``: one row an occurrence, in reading order."""


_BOOK: Final = WordBook()
_ONE_READER: Final = threading.Lock()


class NumberedTexts(NamedTuple):
    """Texts as words by number, and what these words do."""

    words: Words
    vocabulary: Vocabulary


def read_texts(texts: pl.Series) -> TextFeelings:
    """Return the sentiment of each text, and every emote in it."""
    return feel_texts(number_texts(texts))


def number_texts(texts: pl.Series) -> NumberedTexts:
    """Find the words of texts: the half of reading them that may be done by another thread."""
    with _ONE_READER:
        return NumberedTexts(_BOOK.number_words(texts), _BOOK.vocabulary)


def feel_texts(texts: NumberedTexts) -> TextFeelings:
    """Return what texts say: the other half."""
    words, (effects, known) = texts
    sentiment = np.empty(len(words.ends), np.int64)
    row, held = np.empty((2, _count_held(words.numbers, effects)), np.uint32)
    _feel_texts(words, effects, sentiment, row, held)
    emotes = pl.DataFrame({"row": row, "emote": known.gather(held)})
    return TextFeelings(pl.Series("sentiment", sentiment), emotes)


@making("words")
def warm_up() -> None:
    """Make the machine code, or the first frame on a new machine waits some seconds for it."""
    read_texts(pl.Series(["hello"]))


@compiled
def _count_held(numbers: Numbers, effects: Effects) -> int:
    count = 0
    for number in numbers:
        count += effects[number, HELD]
    return count


@compiled
def _feel_texts(
    words: Words,
    effects: Effects,
    sentiment: Ints,
    row: NDArray[np.uint32],
    held: NDArray[np.uint32],
) -> None:
    """Score every text; note the text of each emote, and where among those held it stands."""
    begin = count = 0
    for text in range(len(words.ends)):
        end = words.ends[text]
        total = _weigh(words.numbers, begin, end, effects)
        size = abs(total)
        score = size * THOUSANDTHS // (size + SOFTNESS * UNIT)
        sentiment[text] = score if total >= 0 else -score
        for at in range(begin, end):
            number = words.numbers[at]
            for emote in range(effects[number, HELD]):
                row[count], held[count] = text, effects[number, FIRST_HELD] + emote
                count += 1
        begin = end


@compiled
def _weigh(numbers: Numbers, begin: int, end: int, effects: Effects) -> int:
    """Return the weight of a text's words, one after the other."""
    before = after = unchanged = 0
    is_contrast = False
    last_boost = boost = 0
    turned = 0
    for at in range(begin, end):
        number = numbers[at]
        if effects[number, MATTERS] == 0:
            last_boost, boost, turned = boost, 0, turned - 1
            continue
        if effects[number, IS_CONTRAST]:
            before, after, is_contrast = before + after, 0, True
        percent = PERCENT + min(max(last_boost + boost, BOOST_PERCENT_MIN), BOOST_PERCENT_MAX)
        turn = NEGATION_PERCENT if turned > 0 else PERCENT
        after += effects[number, WEIGHT] * percent * turn
        unchanged += effects[number, FEELING]
        last_boost, boost, turned = boost, effects[number, BOOST], turned - 1
        if effects[number, NEGATES]:
            turned = NEGATION_REACH
        if effects[number, ENDS]:
            last_boost = boost = turned = 0
    if is_contrast:
        return before * CONTRAST_HALVES[0] + after * CONTRAST_HALVES[1] + unchanged * UNIT
    return 2 * after + unchanged * UNIT
