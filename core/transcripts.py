"""Transcripts: what was said, word by word, as far as a transcriber can tell.

partials, one after the other -> a transcript, once
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

TRANSCRIPT_LENGTH_MAX: Final = 100_000
"""Signs: ten hours of speech."""

WORDS_MAX: Final = 20_000
"""Words with their times that are kept of one transcript."""

NO_SPEECH: Final = "No speech was heard."


@dataclass(frozen=True, slots=True)
class Word:
    """A word and when it was said, in seconds from the beginning of the audio."""

    word: str
    start: float
    end: float

    def to_row(self) -> dict[str, Any]:
        """Return it as it is stored and sent."""
        return {"word": self.word, "start": round(self.start, 3), "end": round(self.end, 3)}


@dataclass(frozen=True, slots=True)
class Partial:
    """What has been understood so far."""

    text: str
    progress: float
    """Share of the audio that is done with, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said."""

    text: str
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Hints:
    """What whoever recorded the audio knows of it."""

    language: str | None = None
    """As ISO 639-1 has it; None when nobody said."""

    grammar: str | None = None
    """Sentences that can come, in JSGF."""


def join_text(parts: Sequence[str]) -> str:
    """Return utterances as one text of bounded length."""
    return " ".join(part for part in parts if part)[:TRANSCRIPT_LENGTH_MAX]
