"""Vocabulary: what each different word of a frame does to the mood, in columns.

    word -> as it is written: emote, emoticon
         -> else in lower case, without punctuation: English, slang -> else unstretched
         -> and every emoji in it, and whether a part of a sentence ends with it

Everything dear is done here, once a different word, and not once an occurrence. Used by
``core.word_books``.
"""

from collections.abc import Container, Iterable, Mapping
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from core.lexicon.chat import (
    EMOJI_BY_WEIGHT,
    EMOTES_BY_WEIGHT,
    SIGNS_BY_WEIGHT,
    SLANG_BY_WEIGHT,
)
from core.lexicon.english import BOOSTS_BY_PERCENT, CONTRASTS, NEGATORS, WORDS_BY_WEIGHT

Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]

Effects: TypeAlias = npt.NDArray[np.int32]

MATTERS, WEIGHT, FEELING, BOOST, NEGATES, IS_CONTRAST, ENDS, HELD, FIRST_HELD = range(9)
"""Columns of ``Vocabulary.effects``:

- whether the word does anything at all;
- its weight in hundredths, which the words before it may change;
- the feeling of an emote, an emoticon or emoji, which nothing changes;
- by how many percent it makes others stronger;
- whether it negates; whether it contrasts, as ``but``; whether a part of a sentence ends with it;
- how many emotes it holds, and where among those that words hold they begin.
"""

PERCENT: Final = 100

EMPHASIS_PERCENT: Final = 20
"""How much stronger each of capitals, a stretched letter and an exclamation mark makes a word."""

CAPITALS_MIN: Final = 3
"""Of a word without small letters, to be emphasis; ``OK`` and ``TV`` are always written so."""

PUNCTUATION: Final = "!?.,;:'\"()[]{}*~-_…#“”\u2018\u2019"
"""What does not belong to a word at its ends."""

EMOJI_PATTERN: Final = (
    "[\U0001f300-\U0001f5ff\U0001f600-\U0001f64f\U0001f680-\U0001f6ff\U0001f900-\U0001f9ff"
    "\U0001fa70-\U0001faff☀-➿]"
)
"""One emoji; variation selectors, joiners and skin tones do not count as emoji of their own."""

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"

_WORD: Final = pl.col("word")
_IS_ODD: Final = _WORD.str.len_bytes() != _WORD.str.len_chars()
"""Whether there is more than ASCII in it."""

_PLAIN: Final = _WORD.str.strip_chars(PUNCTUATION).str.to_lowercase()
_BARE: Final = _WORD.str.replace_all(f"{EMOJI_PATTERN[:-1]}\ufe0f\u200d]", "").str.replace_all(
    "\u2019", "'", literal=True
)
_EMOJI: Final = _WORD.str.replace_all("[\U0001f3fb-\U0001f3ff]", "").str.extract_all(EMOJI_PATTERN)
_ENDS: Final = _WORD.str.contains("[.!?,;:…]$")
_STRETCHED: Final = "|".join(letter * 3 for letter in _LETTERS)
_IS_STRETCHED: Final = _WORD.str.contains(_STRETCHED)
_GROUPS: Final = "".join(f"${{{group}}}" for group in range(1, len(_LETTERS) + 1))
"""Whichever group matched; the others are empty."""

_SHORTEN: Final = tuple(
    _WORD.str.replace_all("|".join(stretch.format(letter) for letter in _LETTERS), _GROUPS)
    for stretch in ("({0}){0}{{2,}}", "({0}{0}){0}+")
)
"""To one letter and, which goes before it, to two: ``sooo`` is ``so``, ``gooood`` is ``good``."""

_EMPHASIS: Final = (
    _WORD.str.contains(f"^(?:[^a-z]*[A-Z]){{{CAPITALS_MIN}}}[^a-z]*$").cast(pl.Int64)
    + _WORD.str.contains("!", literal=True)
    + _WORD.str.contains(f"(?i){_STRETCHED}")
)
"""How many of the three kinds of emphasis it has."""


def _invert(by_number: Mapping[int, str]) -> dict[str, int]:
    return {word: number for number, words in by_number.items() for word in words.split()}


WORDS: Final = _invert(SLANG_BY_WEIGHT) | _invert(WORDS_BY_WEIGHT)
BOOSTS: Final = _invert(BOOSTS_BY_PERCENT)
EMOTES: Final = _invert(EMOTES_BY_WEIGHT)
SIGNS: Final = _invert(SIGNS_BY_WEIGHT)
EMOJI: Final = _invert(EMOJI_BY_WEIGHT)

_WRITTEN: Final = EMOTES | SIGNS
_LISTED: Final = dict.fromkeys([*WORDS, *BOOSTS, *NEGATORS, *CONTRASTS], 0)


def _look_up(known: Mapping[str, int]) -> pl.Expr:
    """Return the index of a word among known ones; the others get the index past the last.

    An expression that is made once keeps its table: making it costs ten times what using it does.
    """
    index = pl.col("word").cast(pl.Enum(list(known)), strict=False).to_physical()
    return index.fill_null(len(known)).cast(pl.Int64)


def _list_numbers(values: Iterable[int]) -> Ints:
    """Return the values of a table's words, and of the unknown word, which is the last."""
    return np.array([*values, 0], np.int64)


def _list_flags(words: Iterable[str], flagged: Container[str]) -> Bools:
    return np.array([*(word in flagged for word in words), False], np.bool_)


_WRITTEN_INDEX: Final = _look_up(_WRITTEN)
_WRITTEN_FEELING: Final = _list_numbers(_WRITTEN.values())
_WRITTEN_IS_EMOTE: Final = _list_flags(_WRITTEN, EMOTES)

_EMOJI_INDEX: Final = _look_up(EMOJI)
_EMOJI_FEELING: Final = _list_numbers(EMOJI.values())

_LISTED_INDEX: Final = _look_up(_LISTED)
_LISTED_WEIGHT: Final = _list_numbers(WORDS.get(word, 0) for word in _LISTED)
_LISTED_BOOST: Final = _list_numbers(BOOSTS.get(word, 0) for word in _LISTED)
_LISTED_NEGATES: Final = _list_flags(_LISTED, NEGATORS)
_LISTED_CONTRASTS: Final = _list_flags(_LISTED, CONTRASTS)
_NO_EMOTES: Final = pl.DataFrame(schema={"index": pl.Int64, "word": pl.String})


class Vocabulary(NamedTuple):
    """What each different word does."""

    effects: Effects
    """One row a word, with these columns, most of them zero for most words."""

    held: pl.Series
    """The emotes that words hold."""

    def extend(self, more: "Vocabulary") -> "Vocabulary":
        """Return these words and more."""
        effects = more.effects.copy()
        effects[:, FIRST_HELD] += len(self.held)
        return Vocabulary(
            np.concatenate([self.effects, effects]), pl.concat([self.held, more.held])
        )


def classify_words(words: pl.Series) -> Vocabulary:
    """Return what each of different words does."""
    frame = words.to_frame("word")
    looks = frame.select(is_odd=_IS_ODD, written=_WRITTEN_INDEX, plain=_PLAIN)
    odd = looks["is_odd"].arg_true().to_numpy().astype(np.int64)
    written = looks["written"].to_numpy()
    # What is an emote is not looked at as a word.
    is_written = written < len(_WRITTEN)
    listed = np.where(is_written, len(_LISTED), _find_listed(frame, looks["plain"], odd))
    emoji = _find_emoji(frame, odd)
    emotes = _gather_emotes(words, written, emoji)
    effects = np.zeros((len(words), 9), np.int32)
    effects[:, WEIGHT] = _LISTED_WEIGHT[listed] * _measure_emphasis(frame, listed)
    effects[:, FEELING] = _measure_feeling(written, emoji)
    effects[:, BOOST] = _LISTED_BOOST[listed]
    effects[:, NEGATES] = _LISTED_NEGATES[listed]
    effects[:, IS_CONTRAST] = _LISTED_CONTRASTS[listed]
    effects[:, ENDS] = frame.select(_ENDS).to_series().to_numpy()
    effects[:, HELD] = np.bincount(emotes["index"].to_numpy(), minlength=len(words))
    effects[:, MATTERS] = effects.any(axis=1)
    effects[:, FIRST_HELD] = effects[:, HELD].cumsum() - effects[:, HELD]
    return Vocabulary(effects, emotes["word"])


def _find_listed(frame: pl.DataFrame, plain: pl.Series, odd: Ints) -> Ints:
    """Return the index of each word in the lists, without ornaments, stretched or not."""
    if len(odd):
        plain = plain.scatter(odd, frame[odd].select(_BARE).select(_PLAIN).to_series())
    looks = plain.to_frame("word").select(listed=_LISTED_INDEX, is_stretched=_IS_STRETCHED)
    listed = looks["listed"].to_numpy()
    places = np.flatnonzero(looks["is_stretched"].to_numpy() & (listed == len(_LISTED)))
    if len(places):
        listed = listed.copy()
        stretched = plain.gather(places).to_frame("word")
        for shorten in _SHORTEN:
            shorter = stretched.select(shorten).select(_LISTED_INDEX).to_series().to_numpy()
            is_known = shorter < len(_LISTED)
            listed[places[is_known]] = shorter[is_known]
    return listed


def _measure_emphasis(frame: pl.DataFrame, listed: Ints) -> Ints:
    """Return by how many percent its writing makes each word stronger, a plain one by 100."""
    percent = np.full(len(listed), PERCENT, np.int64)
    places = np.flatnonzero(_LISTED_WEIGHT[listed])
    if len(places):
        count = frame[places].select(_EMPHASIS).to_series().to_numpy()
        percent[places] += EMPHASIS_PERCENT * count
    return percent


def _find_emoji(frame: pl.DataFrame, odd: Ints) -> pl.DataFrame:
    """Return the emoji in the odd words, with the index of the word."""
    if not len(odd):
        return _NO_EMOTES
    emoji = frame[odd].select(_EMOJI).to_series()
    index = np.repeat(odd, emoji.list.len().to_numpy())
    return pl.DataFrame({"index": index, "word": emoji.explode(empty_as_null=False)})


def _measure_feeling(written: Ints, emoji: pl.DataFrame) -> Ints:
    """Return the feeling of each word as it is written, and of every emoji in it."""
    feeling = _WRITTEN_FEELING[written]
    if len(emoji):
        felt = _EMOJI_FEELING[emoji.select(_EMOJI_INDEX).to_series().to_numpy()]
        np.add.at(feeling, emoji["index"].to_numpy(), felt)
    return feeling


def _gather_emotes(words: pl.Series, written: Ints, emoji: pl.DataFrame) -> pl.DataFrame:
    """Return the emotes of each word: itself, or the emoji in it."""
    index = np.flatnonzero(_WRITTEN_IS_EMOTE[written])
    if not len(index):
        return emoji
    emotes = pl.DataFrame({"index": index, "word": words.gather(index)})
    return emotes.vstack(emoji).sort("index", maintain_order=True) if len(emoji) else emotes


NO_WORDS: Final = Vocabulary(np.zeros((0, 9), np.int32), pl.Series("word", [], pl.String))
"""Made without a query: the first one of a process starts the threads of all queries."""
