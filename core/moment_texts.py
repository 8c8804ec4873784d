"""Texts of moments: one sentence for people, of what happened, how much, against what, since when.

Used where a moment is written; nothing decides by them.
"""

from collections.abc import Callable
from typing import Final

from core.moments import Moment, MomentType

Words = Callable[[Moment], str]


def describe_moment(moment: Moment) -> str:
    """Return a moment in one sentence."""
    since = moment.started_at.strftime("%H:%M")
    withdrawn = ", not confirmed" if moment.is_withdrawn else ""
    return f"{_WORDS[moment.moment_type](moment)}, since {since} UTC{withdrawn}"


def _tell_chat(moment: Moment) -> str:
    value, expected = moment.metric_value / 60, moment.expected / 60
    word = "spike" if moment.direction == "up" else "drop"
    return f"Chat {word}: {value:.3g} messages/s, expected {expected:.3g}/s"


def _tell_viewers(moment: Moment) -> str:
    word = "rose" if moment.direction == "up" else "fell"
    return f"Viewers {word} to {moment.metric_value:,.0f}, expected {moment.expected:,.0f}"


def _tell_sentiment(moment: Moment) -> str:
    word = "brightened" if moment.direction == "up" else "darkened"
    return f"Mood {word}: {moment.metric_value:+.2f}, expected {moment.expected:+.2f}"


def _tell_transactions(moment: Moment) -> str:
    value, expected = moment.metric_value, moment.expected
    return f"Transactions rose: {value:,.0f} in a minute, expected {expected:.3g}"


def _tell_reading(moment: Moment) -> str:
    told = f": {moment.told_by}" if moment.told_by not in PLAIN else ""
    value, expected = moment.metric_value, moment.expected
    return f"{moment.metric_name} unusual{told}, {value:.6g}, expected {expected:.6g}"


def _tell_flatline(moment: Moment) -> str:
    return f"{moment.metric_name} stuck at {moment.metric_value:.6g}"


def _tell_silence(moment: Moment) -> str:
    name = SILENT.get(moment.metric_name, moment.metric_name)
    past = "no" if moment.ended_at is None else "there was no"
    return f"Silence: {past} {name} for {moment.metric_value:,.0f} s"


PLAIN: Final = frozenset({"level", "rush", "rhythm"})
"""What found it and needs no words."""

SILENT: Final = {
    "events": "event of any kind",
    "chat_count": "chat message",
    "avg_viewers": "viewer count",
}
"""What is missing, where its name does not say it."""

_WORDS: Final[dict[MomentType, Words]] = {
    "chat_spike": _tell_chat,
    "chat_drop": _tell_chat,
    "viewer_spike": _tell_viewers,
    "viewer_drop": _tell_viewers,
    "sentiment_shift": _tell_sentiment,
    "transaction_spike": _tell_transactions,
    "reading_anomaly": _tell_reading,
    "flatline": _tell_flatline,
    "silence": _tell_silence,
}
