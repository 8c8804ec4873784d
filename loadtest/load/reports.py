"""Reports: a run in a folder of its own: the page, and its numbers for other programs."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import orjson

from loadtest.load.measures import find_measures
from loadtest.load.pages import write_page
from loadtest.load.summaries import Summary


def save_report(summary: Summary, folder: Path) -> Path:
    """Write all files of a run and return the page."""
    page = folder / "summary.html"
    page.write_text(write_page(summary), encoding="utf-8")
    (folder / "summary.json").write_bytes(
        orjson.dumps(_describe(summary), option=orjson.OPT_INDENT_2)
    )
    _save_rows(
        folder / "requests.csv",
        ["scenario", "request", "count", "failures", "p50_ms", "p95_ms", "p99_ms"],
        (
            [
                findings.scenario,
                one.name,
                one.count,
                one.failures,
                *(one.times.find_percentile(percent) for percent in (50, 95, 99)),
            ]
            for findings in summary.findings
            for one in findings.requests
        ),
    )
    _save_rows(
        folder / "ticks.csv",
        ["scenario", "at_s", "requests", "failures", "p50_ms", "p95_ms", "lag_ms"],
        (
            [
                findings.scenario,
                tick.at_s,
                tick.requests,
                tick.failures,
                tick.p50_ms,
                tick.p95_ms,
                tick.lag_ms,
            ]
            for findings in summary.findings
            for tick in findings.ticks
        ),
    )
    _save_rows(
        folder / "processes.csv",
        ["process", "cores_mean", "cores_most"],
        ([usage.name, usage.mean, usage.most] for usage in summary.usages),
    )
    return page


def _describe(summary: Summary) -> dict[str, object]:
    return {
        "made_at": summary.made_at,
        "machine": summary.machine,
        "url": summary.url,
        "seconds": summary.seconds,
        "ceiling": summary.ceiling,
        "is_kept": not summary.broken,
        "verdicts": [
            {
                "scenario": verdict.budget.scenario,
                "measure": verdict.budget.measure,
                "least": verdict.budget.least,
                "most": verdict.budget.most,
                "found": verdict.found,
                "is_kept": verdict.is_kept,
            }
            for verdict in summary.verdicts
        ],
        "scenarios": {
            findings.scenario: {
                "users": findings.users,
                "measures": find_measures(findings),
                "facts": findings.facts,
                "errors": findings.errors,
            }
            for findings in summary.findings
        },
        "processes": list(summary.usages),
        "doubts": summary.list_doubts(),
    }


def _save_rows(file: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as target:
        writer = csv.writer(target)
        writer.writerow(head)
        writer.writerows(rows)
