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
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.compiled import compiled
from core.rows import Bools, Ints
from core.vocabulary import PERCENT
from core.word_books import Numbers, WordBook, Words

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


@dataclass(frozen=True, slots=True)
class TextFeelings:
    """What texts say without saying it."""

    sentiment: pl.Series
    """Of each text, in thousandths from -1000 to 1000; 0 where nothing is known."""

    emotes: pl.DataFrame
    """``row`` (the index of the text) and ``emote``: one row an occurrence, in reading order."""


class _Effects(NamedTuple):
    """What each word of a book does, as in ``core.vocabulary.Vocabulary``."""

    weight: Ints
    feeling: Ints
    boost: Ints
    negates: Bools
    contrasts: Bools
    ends: Bools
    held_ends: Ints


_BOOK: Final = WordBook()
_ONE_READER: Final = threading.Lock()


def read_texts(texts: pl.Series) -> TextFeelings:
    """Return the sentiment of each text, and every emote in it."""
    with _ONE_READER:
        words = _BOOK.number_words(texts)
        known = _BOOK.vocabulary
    sentiment = np.empty(len(texts), np.int64)
    _score_texts(words, _Effects(*known[:7]), sentiment)
    held_count = np.diff(known.held_ends, prepend=0)
    row, held = np.empty((2, held_count[words.numbers].sum()), np.uint32)
    _list_emotes(words, known.held_ends, row, held)
    emotes = pl.DataFrame({"row": row, "emote": known.held.gather(held)})
    return TextFeelings(pl.Series("sentiment", sentiment), emotes)


def warm_up() -> None:
    """Make the machine code, or the first frame on a new machine waits some seconds for it."""
    read_texts(pl.Series(["hello"]))


@compiled
def _score_texts(words: Words, effects: _Effects, sentiment: Ints) -> None:
    begin = 0
    for text in range(len(words.ends)):
        end = words.ends[text]
        total = _weigh(words.numbers, begin, end, effects)
        size = abs(total)
        score = size * THOUSANDTHS // (size + SOFTNESS * UNIT)
        sentiment[text] = score if total >= 0 else -score
        begin = end


@compiled
def _weigh(numbers: Numbers, begin: int, end: int, effects: _Effects) -> int:
    """Return the weight of a text's words, one after the other."""
    before = after = unchanged = 0
    is_contrast = False
    last_boost = boost = 0
    turned = 0
    for at in range(begin, end):
        number = numbers[at]
        if effects.contrasts[number]:
            before, after, is_contrast = before + after, 0, True
        percent = PERCENT + min(max(last_boost + boost, BOOST_PERCENT_MIN), BOOST_PERCENT_MAX)
        turn = NEGATION_PERCENT if turned > 0 else PERCENT
        after += effects.weight[number] * percent * turn
        unchanged += effects.feeling[number]
        last_boost, boost, turned = boost, effects.boost[number], turned - 1
        if effects.negates[number]:
            turned = NEGATION_REACH
        if effects.ends[number]:
            last_boost = boost = turned = 0
    if is_contrast:
        return before * CONTRAST_HALVES[0] + after * CONTRAST_HALVES[1] + unchanged * UNIT
    return 2 * after + unchanged * UNIT


@compiled
def _list_emotes(
    words: Words, held_ends: Ints, row: NDArray[np.uint32], held: NDArray[np.uint32]
) -> None:
    """Note the text of each emote, and the emote's number among all that words hold."""
    count = begin = 0
    for text in range(len(words.ends)):
        end = words.ends[text]
        for at in range(begin, end):
            number = words.numbers[at]
            for emote in range(held_ends[number - 1] if number else 0, held_ends[number]):
                row[count], held[count] = text, emote
                count += 1
        begin = end
