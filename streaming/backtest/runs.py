"""Runs: a recording through the flow, under the rules of now and under others.

    recording ─┬─► rehearsal by the rules of now    ─► before
               └─► rehearsal by the changed rules   ─► after

The same recording and rules give the same outcome.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import polars as pl

from streaming.archive.recounts import Span
from streaming.backtest.curves import Curves
from streaming.backtest.overrides import Rules
from streaming.backtest.recordings import Recording
from streaming.backtest.rehearsals import Rehearsal, Sighting

METRICS: Final[Mapping[str, tuple[str, ...]]] = {
    "chat": ("chat_count", "avg_sentiment"),
    "viewers": ("avg_viewers",),
    "transaction": ("transaction_count",),
}
"""What metrics the events of a type make."""


@dataclass(slots=True)
class SeriesSeen:
    """In which series something could be found."""

    seen: set[tuple[str, str]] = field(default_factory=set)
    """Stream and metric; of readings the name of the channel."""

    def note(self, events: pl.DataFrame) -> None:
        """Note of which series events are."""
        names = ["stream_id", "type", *(["channel"] if "channel" in events.columns else [])]
        for stream_id, kind, *channel in events.select(names).unique().iter_rows():
            if kind == "reading":
                self.seen.add((stream_id, channel[0]))
            else:
                self.seen |= {(stream_id, metric) for metric in METRICS.get(kind, ())}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found before and after."""

    span: Span
    before: tuple[Sighting, ...]
    """Oldest first."""

    after: tuple[Sighting, ...] | None
    """None where no rule was changed."""

    series: frozenset[tuple[str, str]]
    curves: pl.DataFrame | None
    events: int


def run_backtest(
    recording: Recording,
    span: Span,
    all_rules: Sequence[Rules],
    *,
    step: timedelta,
    with_curves: bool = False,
) -> Outcome:
    """Send a recording through the flow.

    Args:
        recording: With a while before the span, in which the flow warms up.
        span: Moments that were first shown within it count.
        all_rules: Those of now and, if any were changed, the others.
        step: What came within one came together.
        with_curves: Whether what the metrics did is kept for a picture.
    """
    series, curves, events = SeriesSeen(), Curves(), 0
    rehearsals = [
        Rehearsal(rules, curves.note if with_curves and not number else None, step=step)
        for number, rules in enumerate(all_rules)
    ]
    for at, part in recording.read(step):
        for rehearsal in rehearsals:
            rehearsal.tell(at, part)
        series.note(part)
        events += part.height
    for rehearsal in rehearsals:
        rehearsal.finish()
    before, *after = [_make_course(each.sightings, span) for each in rehearsals]
    return Outcome(
        span,
        before,
        after[0] if after else None,
        frozenset(series.seen),
        curves.draw_out() if with_curves else None,
        events,
    )


def _make_course(sightings: Iterable[Sighting], span: Span) -> tuple[Sighting, ...]:
    within = [each for each in sightings if span.start <= each.moment.started_at < span.end]
    return tuple(sorted(within, key=lambda each: (each.moment.started_at, each.moment.moment_id)))
