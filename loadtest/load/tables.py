"""Tables: what a run found, in rows of text that the terminal, the page and the files share."""

from collections.abc import Sequence
from dataclasses import dataclass

from loadtest.load.budgets import Verdict
from loadtest.load.findings import Findings
from loadtest.load.meters import Usage
from loadtest.load.summaries import Summary


@dataclass(frozen=True, slots=True)
class Table:
    """A head and rows; the first column is text, the others are numbers unless ``texts`` says."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: frozenset[int] = frozenset({0})
    marked: frozenset[int] = frozenset()
    """Rows that something is wrong with."""


def list_tables(summary: Summary) -> list[Table]:
    """Return all tables of a run, the verdicts last, where a terminal ends."""
    return [
        *(tabulate_requests(findings) for findings in summary.findings),
        tabulate_usages(summary.usages),
        tabulate_verdicts(summary.verdicts),
    ]


def tabulate_verdicts(verdicts: Sequence[Verdict]) -> Table:
    """Return the budgets and what was found."""
    return Table(
        title="Budgets",
        head=["scenario", "measure", "wanted", "found", "", "why"],
        rows=[
            [
                verdict.budget.scenario,
                verdict.budget.measure,
                verdict.budget.wanted,
                verdict.said,
                "kept" if verdict.is_kept else "BROKEN",
                verdict.budget.why,
            ]
            for verdict in verdicts
        ],
        texts=frozenset({0, 1, 4, 5}),
        marked=frozenset(number for number, verdict in enumerate(verdicts) if not verdict.is_kept),
    )


def tabulate_requests(findings: Findings) -> Table:
    """Return rates, percentiles and errors of each kind of request."""
    rows = []
    for one in findings.requests:
        percentiles = [one.times.find_percentile(percent) for percent in (50, 95, 99)]
        rows.append(
            [
                one.name,
                f"{one.count:,}",
                f"{one.count / findings.seconds:,.1f}",
                *(_write_ms(time_ms) for time_ms in percentiles),
                f"{one.failures:,}",
            ]
        )
    return Table(
        title=f"{findings.scenario}: {findings.users} users, {findings.seconds:.0f} s",
        head=["request", "count", "a second", "p50 ms", "p95 ms", "p99 ms", "errors"],
        rows=rows,
        marked=frozenset(n for n, one in enumerate(findings.requests) if one.failures),
    )


def tabulate_usages(usages: Sequence[Usage]) -> Table:
    """Return what each process used."""
    return Table(
        title="Processor time, in cores",
        head=["process", "mean", "most"],
        rows=[[usage.name, f"{usage.mean:.2f}", f"{usage.most:.2f}"] for usage in usages],
    )


def list_errors(summary: Summary) -> list[tuple[str, int]]:
    """Return all errors, the most frequent first."""
    errors = [
        (f"{findings.scenario}, {text}", count)
        for findings in summary.findings
        for text, count in findings.errors.items()
    ]
    return sorted(errors, key=lambda error: -error[1])


def write_text(summary: Summary) -> str:
    """Return everything as text for a terminal."""
    tables = [table for table in list_tables(summary) if table.rows]
    parts = [write_table(table) for table in tables]
    if errors := list_errors(summary):
        parts.append("\n".join(["Errors", *(f"  {count:>6,}  {text}" for text, count in errors)]))
    doubts = [f"  warning: {doubt}" for doubt in summary.list_doubts()]
    generators = f"One generator makes {summary.ceiling:,.0f} requests a second of a bare server."
    parts.append("\n".join([generators, *doubts]))
    return "\n\n".join([*parts, f"{summary.name}: {summary.headline}."]) + "\n"


def write_table(table: Table) -> str:
    """Return a table with its columns aligned."""
    cells = [table.head, *table.rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(table.head))]
    lines = [
        "  ".join(
            cell.ljust(width) if column in table.texts else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    return "\n".join([table.title, *(f"  {line}" for line in lines)])


def _write_ms(time_ms: float | None) -> str:
    return "" if time_ms is None else f"{time_ms:,.3g}" if time_ms < 100 else f"{time_ms:,.0f}"
