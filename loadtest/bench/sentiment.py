"""Sentiment: our reading of texts beside VADER's, on the same labelled texts and in the same run.

    python -m loadtest.bench.sentiment

Prints how often each is right about sentences and about chat, where they differ, and how many times
as fast ours is. VADER is a package for development: ``vaderSentiment``.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# Before Polars starts its threads: one core is what is measured.
os.environ.setdefault("POLARS_MAX_THREADS", "1")  # noqa: TID251

import polars as pl
from rich.console import Console
from rich.table import Table

from core.words import read_texts

MOODS: Final = Path(__file__).with_name("moods.jsonl")

NEUTRAL_THOUSANDTHS: Final = 100
"""Ours: below half a weak word, a text has no mood."""

NEUTRAL_COMPOUND: Final = 0.05
"""VADER's own bound."""

COPIES: Final = 600
"""Of the labelled texts in the frame whose reading is timed: some 100 000 texts."""

VADER_COPIES: Final = 10
ROUNDS: Final = 5
SMALL_FRAME: Final = 20
SMALL_TURNS: Final = 50
"""How often the small frame is read in a round, so that the first, cold reading does not decide."""

Score = Callable[[Sequence[str]], list[float]]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A labelled text and what was made of it."""

    kind: str
    text: str
    mood: str
    ours: str
    vader: str


def load_moods() -> pl.DataFrame:
    """Return the labelled texts: ``kind``, ``mood`` and ``text``."""
    return pl.read_ndjson(MOODS)


def judge_ours(texts: Sequence[str]) -> list[str]:
    """Return the mood of each text as we read it."""
    scores = read_texts(pl.Series(texts, dtype=pl.String)).sentiment
    return [_name_mood(score, NEUTRAL_THOUSANDTHS) for score in scores.to_list()]


def load_vader() -> Score:
    """Return VADER's scores as a function.

    Raises:
        ImportError: The package is not installed.
    """
    from vaderSentiment.vaderSentiment import (  # noqa: PLC0415
        SentimentIntensityAnalyzer,
    )

    analyzer = SentimentIntensityAnalyzer()
    return lambda texts: [analyzer.polarity_scores(text)["compound"] for text in texts]


def judge_vader(score: Score, texts: Sequence[str]) -> list[str]:
    """Return the mood of each text as VADER reads it."""
    return [_name_mood(compound, NEUTRAL_COMPOUND) for compound in score(texts)]


def judge(score: Score) -> list[Judgement]:
    """Return both judgements of every labelled text."""
    moods = load_moods()
    texts = moods["text"].to_list()
    both = zip(judge_ours(texts), judge_vader(score, texts), strict=True)
    return [
        Judgement(row["kind"], row["text"], row["mood"], ours, vader)
        for row, (ours, vader) in zip(moods.iter_rows(named=True), both, strict=True)
    ]


def measure_accuracy(judgements: Sequence[Judgement], kind: str) -> tuple[float, float]:
    """Return the share of texts of a kind that we, and that VADER, judge as they are labelled."""
    some = [each for each in judgements if each.kind == kind]
    ours = sum(each.ours == each.mood for each in some)
    vader = sum(each.vader == each.mood for each in some)
    return ours / len(some), vader / len(some)


def main() -> None:
    """Judge, compare and time."""
    console = Console()
    try:
        score = load_vader()
    except ImportError:
        console.print("VADER is not installed. Nothing to compare with: pip install vaderSentiment")
        sys.exit(1)
    judgements = judge(score)
    _print_accuracy(console, judgements)
    _print_differences(console, judgements)
    _print_speed(console, score)


def _name_mood(score: float, neutral: float) -> str:
    if abs(score) < neutral:
        return "neutral"
    return "positive" if score > 0 else "negative"


def _print_accuracy(console: Console, judgements: Sequence[Judgement]) -> None:
    table = Table("texts", "count", "ours", "VADER", title="Judged as labelled")
    for kind in dict.fromkeys(each.kind for each in judgements):
        ours, vader = measure_accuracy(judgements, kind)
        count = sum(each.kind == kind for each in judgements)
        table.add_row(kind, str(count), f"{ours:.1%}", f"{vader:.1%}")
    console.print(table)


def _print_differences(console: Console, judgements: Sequence[Judgement]) -> None:
    table = Table("text", "label", "ours", "VADER", title="Where they differ, or both are wrong")
    for each in judgements:
        if (each.ours, each.vader) != (each.mood, each.mood):
            table.add_row(each.text, each.mood, each.ours, each.vader)
    console.print(table)


def _print_speed(console: Console, score: Score) -> None:
    texts = load_moods()["text"]
    large, small = pl.concat([texts] * COPIES), texts.sample(SMALL_FRAME, seed=1)
    some = texts.to_list() * VADER_COPIES
    ours_ns: list[float] = []
    small_ns: list[float] = []
    vader_ns: list[float] = []
    for _ in range(ROUNDS):
        ours_ns.append(_time_ns(lambda: read_texts(large)) / len(large))
        small_ns += [_time_ns(lambda: read_texts(small)) / len(small) for _ in range(SMALL_TURNS)]
        vader_ns.append(_time_ns(lambda: score(some)) / len(some))
    table = Table("what", "ns a text", "ratio to VADER", title="Speed, best of rounds in turn")
    rows = {
        f"ours, frame of {len(large)}": min(ours_ns),
        f"ours, frame of {len(small)}": min(small_ns),
        "VADER": min(vader_ns),
    }
    for name, value in rows.items():
        table.add_row(name, f"{value:,.0f}", f"{min(vader_ns) / value:,.1f}")
    console.print(table)


def _time_ns(run: Callable[[], object]) -> int:
    started = time.perf_counter_ns()
    run()
    return time.perf_counter_ns() - started


if __name__ == "__main__":
    main()
