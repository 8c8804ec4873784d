"""Pages: the tables of the moments that were found."""

from collections.abc import Iterable

from loadtest.bench.moments.tallies import Delays, MomentTally, PlayTally, TruthTally
from loadtest.bench.tables import write_table


def write_plays(tallies: Iterable[PlayTally]) -> str:
    """Return a line a scenario."""
    return write_table(
        [
            *("", "incidents", "found", "labels", "recall", "moments", "precision"),
            *("chat x3 found", "p50 s", "p90 s", "withdrawn", "false a series-week"),
        ],
        (
            [
                one.scenario,
                str(one.incidents),
                _share(one.incidents_found, one.incidents),
                str(one.labels),
                _share(one.labels_found, one.labels),
                str(one.moments.confirmed),
                _share(one.moments.right, one.moments.confirmed),
                _share(one.sharp_found, one.sharp_labels),
                *_write_delays(one.sharp),
                _share(one.moments.withdrawn, one.moments.shown),
                f"{one.moments.false_a_week:.2f}",
            ]
            for one in tallies
        ),
    )


def write_truths(tallies: Iterable[TruthTally]) -> str:
    """Return a line for each kind of incident."""
    return write_table(
        ["scenario: incident, metric", "labels", "recall", "p50 s", "p90 s"],
        (
            [
                f"{one.scenario}: {one.kind}, {one.metric}",
                str(one.labels),
                _share(one.found, one.labels),
                *_write_delays(one.delays),
            ]
            for one in tallies
        ),
    )


def write_moments(tallies: Iterable[MomentTally]) -> str:
    """Return a line for each type of moment."""
    return write_table(
        ["scenario: type", "shown", "withdrawn", "confirmed", "precision", "false a series-week"],
        (
            [
                f"{one.scenario}: {one.moment_type}",
                str(one.shown),
                _share(one.withdrawn, one.shown),
                str(one.confirmed),
                _share(one.right, one.confirmed),
                f"{one.false_a_week:.2f}",
            ]
            for one in tallies
        ),
    )


def write_quiet(tallies: Iterable[MomentTally]) -> str:
    """Return a line for each kind of quiet series."""
    return write_table(
        ["", "series-weeks", "shown", "withdrawn", "false", "false a series-week"],
        (
            [
                f"{one.scenario}: {one.moment_type}",
                f"{one.series_weeks:.1f}",
                str(one.shown),
                _share(one.withdrawn, one.shown),
                str(one.confirmed - one.right),
                f"{one.false_a_week:.2f}",
            ]
            for one in tallies
        ),
    )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2f}" if whole else ""


def _write_delays(delays: Delays | None) -> tuple[str, str]:
    return ("", "") if delays is None else (f"{delays.p50:.1f}", f"{delays.p90:.1f}")
