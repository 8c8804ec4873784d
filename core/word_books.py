"""Word books: numbers for words, and what each word does, remembered from frame to frame.

    texts -> their bytes -> words -> number of each word -> what the new ones do (core.vocabulary)

Most words of a chat were said before, so that what is dear about a word is done when it is first
seen. Words are told apart by two hashes, 128 bits.
"""

from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.compiled import Bytes, compiled, join_texts
from core.rows import Ints
from core.vocabulary import NO_WORDS, classify_words

Numbers = NDArray[np.int32]
Hashes = NDArray[np.uint64]

WORDS_KEPT: Final = 20_000
"""A book with more words is begun anew by the next frame."""

_WORDS_FIRST: Final = 4_096

_SPACE: Final = np.uint8(32)
_ODD_SPACES: Final = "[\u00a0\u2028\u2029\u3000]"
"""White space beyond ASCII."""

_SEEDS: Final = np.uint64(0xCBF29CE484222325), np.uint64(0x9E3779B97F4A7C15)
_FACTORS: Final = np.uint64(0x100000001B3), np.uint64(0xD6E8FEB86659FD93)
_HALF: Final = np.uint64(32)
_ONE: Final = np.uint64(1)


class Words(NamedTuple):
    """The words of texts."""

    numbers: Numbers
    """Of every word, in reading order."""

    ends: Ints
    """How many words there are up to the end of each text."""


class _Shelf(NamedTuple):
    """The words that are known: a hash table with open places."""

    slots: Numbers
    """One more than the number of the word in each place, 0 where there is none. A power of two,
    twice as many as there can be words."""

    hashes: Hashes
    """Both hashes of each word."""

    spans: Ints
    """Where each word began and ended in the bytes that it was first seen in."""

    counts: Ints
    """How many words there are, alone."""


class WordBook:
    """Words that were seen, and what they do."""

    def __init__(self) -> None:
        self.vocabulary = NO_WORDS
        self._shelf = _make_shelf(_WORDS_FIRST)

    def forget(self) -> None:
        """Begin anew."""
        self.vocabulary, self._shelf = NO_WORDS, _make_shelf(_WORDS_FIRST)

    def number_words(self, texts: pl.Series) -> Words:
        """Return the words of texts by number; new ones are looked up in the vocabulary."""
        if len(self.vocabulary.effects) > WORDS_KEPT:
            self.forget()
        joined, ends = join_texts(texts)
        if not joined.isascii() and texts.str.contains(_ODD_SPACES).any():
            joined, ends = join_texts(texts.str.replace_all(_ODD_SPACES, " "))
        data = joined.encode()
        words = self._number(np.frombuffer(data, np.uint8), ends)
        try:
            if new := self._list_new(data):
                self.vocabulary = self.vocabulary.extend(classify_words(pl.Series(new)))
        except BaseException:
            # There are numbers now for words of which nothing is known.
            self.forget()
            raise
        return words

    def _number(self, data: Bytes, text_ends: Ints) -> Words:
        # A word and the space behind it have two bytes at least.
        numbers = np.empty(len(data) // 2 + len(text_ends) + 1, np.int32)
        words = Words(numbers, np.empty(len(text_ends), np.int64))
        done = _number_texts(data, text_ends, 0, self._shelf, words)
        while done < len(text_ends):
            self._shelf = _widen(self._shelf)
            done = _number_texts(data, text_ends, done, self._shelf, words)
        return Words(numbers[: words.ends[-1] if done else 0], words.ends)

    def _list_new(self, data: bytes) -> list[str]:
        spans = self._shelf.spans[len(self.vocabulary.effects) : self._shelf.counts[0]]
        return [data[begin:end].decode() for begin, end in spans.tolist()]


def _make_shelf(words: int) -> _Shelf:
    return _Shelf(
        slots=np.zeros(2 * words, np.int32),
        hashes=np.empty((words, 2), np.uint64),
        spans=np.empty((words, 2), np.int64),
        counts=np.zeros(1, np.int64),
    )


def _widen(shelf: _Shelf) -> _Shelf:
    """Return a shelf with the same words and twice the room."""
    size = len(shelf.hashes)
    wide = _make_shelf(2 * size)
    wide.hashes[:size], wide.spans[:size], wide.counts[:] = shelf.hashes, shelf.spans, shelf.counts
    _fill(wide.slots, wide.hashes[: shelf.counts[0]])
    return wide


@compiled
def _number_texts(data: Bytes, text_ends: Ints, done: int, shelf: _Shelf, words: Words) -> int:
    """Number the words of texts from one on; return the text for which there was no room."""
    # Taken apart once: passing them on together costs more than all the rest.
    slots, hashes, spans, counts = shelf
    numbers, word_ends = words
    begin, count = (text_ends[done - 1], word_ends[done - 1]) if done else (0, 0)
    for text in range(done, len(text_ends)):
        end = text_ends[text]
        first, second = _SEEDS
        for at in range(begin, end + 1):
            byte = data[at] if at < end else _SPACE
            if not _is_space(byte):
                first = (first ^ np.uint64(byte)) * _FACTORS[0]
                second = (second + np.uint64(byte)) * _FACTORS[1]
                continue
            if at > begin:
                place = _find_place(slots, hashes, first, second)
                if not slots[place]:
                    if counts[0] == len(hashes):
                        return text
                    slots[place] = _add(hashes, spans, counts, (first, second, begin, at))
                numbers[count] = slots[place] - 1
                count += 1
            first, second = _SEEDS
            begin = at + 1
        word_ends[text] = count
        begin = end
    return len(text_ends)


@compiled
def _is_space(byte: np.uint8) -> bool:
    return bool(byte == _SPACE or 9 <= byte <= 13)


@compiled
def _find_place(slots: Numbers, hashes: Hashes, first: np.uint64, second: np.uint64) -> np.uint64:
    """Return the place of a word, or the one where it belongs."""
    mask = np.uint64(len(slots) - 1)
    place = (first ^ (first >> _HALF)) & mask
    while slots[place]:
        number = slots[place] - 1
        if hashes[number, 0] == first and hashes[number, 1] == second:
            return place
        place = (place + _ONE) & mask
    return place


@compiled
def _add(
    hashes: Hashes, spans: Ints, counts: Ints, word: tuple[np.uint64, np.uint64, int, int]
) -> int:
    """Add a word with its hashes and its span, and return how many there are."""
    number = int(counts[0])
    hashes[number, 0], hashes[number, 1], spans[number, 0], spans[number, 1] = word
    counts[0] = number + 1
    return number + 1


@compiled
def _fill(slots: Numbers, hashes: Hashes) -> None:
    for number in range(len(hashes)):
        place = _find_place(slots, hashes, hashes[number, 0], hashes[number, 1])
        slots[place] = number + 1
