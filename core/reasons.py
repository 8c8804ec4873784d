"""Reasons: what else was different while a moment went on, ranked, each in words.

    values of the window, values of four times as long before -> how far apart -> "viewers rose …"
    words of the window, words before                         -> those that surged

Pure. ``streaming.flow.backgrounds`` keeps what is compared, the rows of moments carry the result.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from core.baselines import NORMAL_FROM_MAD
from core.rows import Floats

Reason: TypeAlias = dict[str, Any]
"""``kind``, ``text`` for people, and what it is made of."""

LONGER: Final = 4
"""How many times longer the time before is that the window is compared with."""

BEFORE_MIN: Final = 8
"""Minutes before the window at least: fewer say little about what is usual."""

METRICS_MAX: Final = 5
WORDS_MAX: Final = 6
MESSAGES_MAX: Final = 3
EVENTS_MAX: Final = 3
"""How many reasons of each kind are told."""

FAR: Final = 3.0
"""Spreads from which another metric counts as moved."""

SHARE_MIN: Final = 0.02
"""Of the typical value: a smaller spread is none, or what never moves would seem to leap."""

SUPPORT_MIN: Final = 3
"""Messages that a word must stand in."""

SURGE_MIN: Final = 2.0
"""How many times more frequent it must be than before."""

WORD: Final = re.compile(r"[^\W_][\w'-]{1,31}|[\U0001F300-\U0001FAFF\u2600-\u27BF]")
"""A word of letters and digits, or a sign that is a picture."""

IDLE: Final = frozenset(
    {
        "the",
        "and",
        "you",
        "that",
        "for",
        "this",
        "with",
        "but",
        "not",
        "are",
        "was",
        "have",
        "just",
        "its",
        "it's",
        "from",
        "what",
        "they",
        "her",
        "his",
        "she",
        "him",
        "our",
        "out",
        "get",
        "got",
        "one",
        "all",
        "can",
        "how",
        "who",
        "why",
        "when",
        "there",
        "here",
        "then",
        "than",
        "is",
        "it",
        "to",
        "of",
        "in",
        "on",
        "at",
        "so",
        "me",
        "my",
        "he",
        "we",
        "be",
        "do",
        "if",
        "or",
        "as",
        "an",
        "no",
        "up",
        "go",
        "by",
        "am",
        "us",
        "i'm",
    }
)
"""Words that surge with any message."""


class Said(NamedTuple):
    """A message."""

    user: str
    text: str


def rank_metrics(
    names: Sequence[str], before: Sequence[Floats], during: Sequence[Floats]
) -> list[Reason]:
    """Return the metrics that moved most.

    Args:
        names: Of the metrics.
        before: Their minutes before, a row a metric; NaN where there is none.
        during: Their minutes in the window.
    """
    moved = []
    for name, known, seen in zip(names, before, during, strict=True):
        past, present = known[np.isfinite(known)], seen[np.isfinite(seen)]
        if len(past) < BEFORE_MIN // 2 or not len(present):
            continue
        usual = float(np.median(past))
        spread = float(np.median(np.abs(past - usual))) * NORMAL_FROM_MAD
        spread = max(spread, SHARE_MIN * abs(usual), 1e-9)
        far = (present - usual) / spread
        strongest = int(np.argmax(np.abs(far)))
        if abs(far[strongest]) >= FAR:
            moved.append((float(far[strongest]), name, float(present[strongest]), usual))
    moved.sort(key=lambda each: -abs(each[0]))
    return [_tell_metric(*each) for each in moved[:METRICS_MAX]]


def rank_counts(
    kind: str, before: Mapping[str, float], during: Mapping[str, float]
) -> list[Reason]:
    """Return what was counted more often than before; both are counts a minute."""
    surges = []
    for name, rate in during.items():
        usual = before.get(name, 0.0)
        if rate >= SUPPORT_MIN and rate >= SURGE_MIN * usual:
            surges.append(((rate - usual) / np.sqrt(usual + 1), name, rate, usual))
    surges.sort(key=lambda each: (-each[0], each[1]))
    return [
        {
            "kind": kind,
            "name": name,
            "value": round(rate, 2),
            "usual": round(usual, 2),
            "text": f"{name} {rate:.3g} a minute, usually {usual:.3g}",
        }
        for _, name, rate, usual in surges[:WORDS_MAX]
    ]


def rank_words(
    before: Iterable[Said], during: Sequence[Said], *, known: Iterable[str]
) -> list[Reason]:
    """Return the words that surged among the messages of the window, and messages with them.

    Args:
        before: Messages from before.
        during: Those of the window.
        known: Words that are told already: emotes.
    """
    past = [_find_words(said.text) for said in before]
    present = [_find_words(said.text) for said in during]
    if not present:
        return []
    told = {word.casefold() for word in known}
    usual = Counter(word for words in past for word in words)
    now = Counter(word for words in present for word in words)
    surges = []
    for word, count in now.items():
        share = count / len(present)
        # One more, so that a word nobody ever said is no infinite surge.
        share_before = (usual[word] + 1) / (len(past) + 2)
        if count >= SUPPORT_MIN and share >= SURGE_MIN * share_before and word not in told:
            surges.append((share * np.log(share / share_before), word, share, share_before))
    surges.sort(key=lambda each: (-each[0], each[1]))
    words = [
        {
            "kind": "word",
            "name": word,
            "value": round(share, 4),
            "usual": round(share_before, 4),
            "text": f"“{word}” in {share:.0%} of messages, usually {share_before:.0%}",
        }
        for _, word, share, share_before in surges[:WORDS_MAX]
    ]
    return words + _pick_messages(
        during, present, told | {word for _, word, _, _ in surges[:WORDS_MAX]}
    )


def tell_transactions(sums: Iterable[tuple[str, str, int, float]]) -> list[Reason]:
    """Return what was given: kind, currency, how often and how much of each."""
    return [
        {
            "kind": "transaction",
            "name": kind,
            "value": count,
            "text": f"{count} x {kind}" + (f", {total:.2f} {currency}" if currency else ""),
        }
        for kind, currency, count, total in sorted(sums, key=lambda each: (-each[2], each[:2]))
    ][:METRICS_MAX]


def tell_event(event: str, at: datetime, *, title: str | None, viewers: float | None) -> Reason:
    """Return what was announced: a raid, another title, a beginning."""
    words = event.replace("_", " ")
    detail = "".join(
        [f" of {viewers:,.0f}" if viewers is not None else "", f": {title}" if title else ""]
    )
    return {
        "kind": "event",
        "name": event,
        "at": at,
        "text": f"{words.capitalize()}{detail}, {at:%H:%M:%S}",
    }


def _tell_metric(far: float, name: str, value: float, usual: float) -> Reason:
    word = "rose" if far > 0 else "fell"
    return {
        "kind": "metric",
        "name": name,
        "value": value,
        "usual": usual,
        "spreads": round(far, 2),
        "text": f"{name} {word} to {value:.6g}, usually {usual:.6g}",
    }


def _find_words(text: str) -> set[str]:
    return {word.casefold() for word in WORD.findall(text)} - IDLE


def _pick_messages(
    during: Sequence[Said], words: Sequence[set[str]], telling: set[str]
) -> list[Reason]:
    """Return messages that say most of what surged, each by another user."""
    ranked = sorted(range(len(during)), key=lambda index: (-len(words[index] & telling), index))
    picked: dict[tuple[str, ...], Reason] = {}
    for index in ranked:
        said = during[index]
        if len(picked) >= MESSAGES_MAX:
            break
        is_new = all(said.user != user and said.text != text for user, text in picked)
        if is_new:
            picked[said.user, said.text] = {
                "kind": "message",
                "name": said.user,
                "text": said.text[:200],
            }
    return list(picked.values())
