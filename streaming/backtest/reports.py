"""Reports: the outcome of a backtest for people and for programs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table

from streaming.backtest.matches import judge_sightings
from streaming.backtest.rehearsals import Sighting
from streaming.backtest.runs import Outcome
from streaming.backtest.tallies import Ground, Tally, list_types, tally_types

MOMENTS_SHOWN: Final = 50
MOMENTS_WRITTEN: Final = 10_000
"""Named in the answer for programs; all are counted."""

NO_LABELS: Final = (
    "Nobody has said which of these were true: precision, recall and delay need that. Label moments"
    " with `telemetra moments label ID true|false`, or name the simulator's labels with --labels."
)


@dataclass(frozen=True, slots=True)
class Report:
    """What a backtest says."""

    outcome: Outcome
    ground: Ground
    changed: tuple[str, ...]
    """The rules that were changed, as they were named."""

    before: list[Tally]
    after: list[Tally] | None


def make_report(outcome: Outcome, ground: Ground, changed: Sequence[str]) -> Report:
    """Count what was found."""
    courses = [outcome.before, *([] if outcome.after is None else [outcome.after])]
    types = list_types(courses, ground.truths)
    tallies = [tally_types(each, ground, types) for each in courses]
    after = tallies[1] if len(tallies) > 1 else None
    return Report(outcome, ground, tuple(changed), tallies[0], after)


def describe(report: Report) -> dict[str, Any]:
    """Return a report for programs."""
    outcome = report.outcome
    return {
        "from": outcome.span.start,
        "to": outcome.span.end,
        "events": outcome.events,
        "series": len(outcome.series),
        "changed": list(report.changed),
        "labels": len(report.ground.truths),
        "before": [_describe_tally(each) for each in report.before],
        "after": None if report.after is None else [_describe_tally(each) for each in report.after],
        "moments": [
            _describe_moment(row) for row in list_moments(outcome, report.ground)[:MOMENTS_WRITTEN]
        ],
    }


def show(console: Console, report: Report) -> None:
    """Print a report for people."""
    outcome = report.outcome
    span = f"{outcome.span.start:%Y-%m-%dT%H:%MZ} to {outcome.span.end:%Y-%m-%dT%H:%MZ}"
    _say(console, f"{outcome.events} events, {len(outcome.series)} series, {span}")
    _say(console, f"changed: {', '.join(report.changed)}" if report.changed else "nothing changed")
    console.print(_make_tallies(report))
    if report.ground.truths:
        return
    console.print(_make_moments(outcome, report.ground))
    found = len(list_moments(outcome, report.ground))
    if found > MOMENTS_SHOWN:
        _say(console, f"and {found - MOMENTS_SHOWN} more; --json names them")
    _say(console, NO_LABELS)


@dataclass(frozen=True, slots=True)
class Row:
    """A moment, and under which rules it was found."""

    sighting: Sighting
    is_right: bool | None
    in_before: bool
    in_after: bool


def list_moments(outcome: Outcome, ground: Ground) -> list[Row]:
    """Return all moments, oldest first, each once."""
    ids = [{each.moment.moment_id for each in course or ()} for course in _list_courses(outcome)]
    first = {each.moment.moment_id: each for each in outcome.after or ()}
    all_of_them = first | {each.moment.moment_id: each for each in outcome.before}
    order = sorted(
        all_of_them.values(), key=lambda each: (each.moment.started_at, each.moment.moment_id)
    )
    judged = judge_sightings(order, ground.truths, is_all_known=ground.is_all_known)
    return [
        Row(
            each.sighting,
            each.is_right,
            each.sighting.moment.moment_id in ids[0],
            each.sighting.moment.moment_id in ids[1],
        )
        for each in judged
    ]


def _list_courses(outcome: Outcome) -> tuple[Sequence[Sighting], Sequence[Sighting] | None]:
    return outcome.before, outcome.after


def _make_tallies(report: Report) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("type", overflow="fold")
    titles = ("moments", "withdrawn", "precision", "recall", "delay p50", "a series-day")
    for title in titles:
        table.add_column(title, justify="right", overflow="fold")
    for number, before in enumerate(report.before):
        cells = _write_tally(before)
        if report.after is not None:
            pairs = zip(cells, _write_tally(report.after[number]), strict=True)
            cells = [f"{one} → {other}" for one, other in pairs]
        table.add_row(before.moment_type, *cells)
    return table


def _write_tally(tally: Tally) -> list[str]:
    delay = "-" if tally.delay_s is None else f"{tally.delay_s:.0f} s"
    return [
        str(tally.moments),
        str(tally.withdrawn),
        _write_share(tally.precision),
        _write_share(tally.recall),
        delay,
        f"{tally.a_day:.2f}",
    ]


def _write_share(share: float | None) -> str:
    return "-" if share is None else f"{share:.2f}"


def _make_moments(outcome: Outcome, ground: Ground) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    has_after = outcome.after is not None
    for title in (
        "began (UTC)",
        "stream",
        "type",
        "score",
        *(("before", "after") if has_after else ()),
    ):
        table.add_column(title, overflow="fold")
    for row in list_moments(outcome, ground)[:MOMENTS_SHOWN]:
        moment = row.sighting.moment
        marks = ["yes" if each else "no" for each in (row.in_before, row.in_after)]
        table.add_row(
            f"{moment.started_at:%Y-%m-%d %H:%M}",
            moment.stream_id,
            moment.moment_type,
            f"{moment.score:.2f}",
            *(marks if has_after else ()),
        )
    return table


def _describe_tally(tally: Tally) -> dict[str, Any]:
    shares = {"precision": tally.precision, "recall": tally.recall, "a_series_day": tally.a_day}
    return asdict(tally) | shares


def _describe_moment(row: Row) -> dict[str, Any]:
    moment = row.sighting.moment
    return {
        "moment_id": moment.moment_id,
        "stream_id": moment.stream_id,
        "moment_type": moment.moment_type,
        "metric_name": moment.metric_name,
        "started_at": moment.started_at,
        "ended_at": moment.ended_at,
        "opened_at": row.sighting.opened_at,
        "score": moment.score,
        "is_withdrawn": row.sighting.is_withdrawn,
        "is_right": row.is_right,
        "before": row.in_before,
        "after": row.in_after,
    }


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
