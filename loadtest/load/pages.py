"""Pages: a run on one HTML page that needs nothing else, light and dark, also on paper."""

from html import escape
from string import Template
from typing import Final

from core.settings import REPOSITORY
from loadtest.bench.tables import write_machine
from loadtest.load.curves import Curve, draw_curves
from loadtest.load.findings import Findings
from loadtest.load.meters import Usage
from loadtest.load.summaries import CORES_MAX, GENERATOR, Summary
from loadtest.load.tables import Table, list_errors, list_tables

TEMPLATE: Final = REPOSITORY / "loadtest" / "load" / "page.html"


def write_page(summary: Summary) -> str:
    """Return the page."""
    *others, _usages, verdicts = list_tables(summary)
    template = Template(TEMPLATE.read_text(encoding="utf-8"))
    return template.substitute(
        title=escape(f"Load: {summary.name}"),
        state="broken" if summary.broken else "kept",
        headline=escape(summary.headline),
        facts=escape(
            f"{summary.made_at:%Y-%m-%d %H:%M} UTC · {summary.seconds:g} s · {summary.url}"
        ),
        machine=escape(write_machine(summary.machine)),
        doubts="".join(f"<p class=doubt>{escape(doubt)}</p>" for doubt in summary.list_doubts()),
        verdicts=_write_table(verdicts),
        curves="".join(_draw_findings(findings) for findings in summary.findings),
        usages=_draw_usages(summary),
        tables="".join(_write_table(table) for table in others),
        errors=_write_errors(summary),
        ceiling=escape(f"{summary.ceiling:,.0f}"),
    )


def _write_table(table: Table) -> str:
    if not table.rows:
        return ""
    head = "".join(
        f"<th{_align(table, column)}>{escape(text)}</th>" for column, text in enumerate(table.head)
    )
    body = "".join(
        f"<tr{' class=bad' if number in table.marked else ''}>"
        + "".join(
            f"<td{_align(table, column)}>{escape(text)}</td>" for column, text in enumerate(row)
        )
        + "</tr>"
        for number, row in enumerate(table.rows)
    )
    return (
        f"<section><h2>{escape(table.title)}</h2><div class=scroll><table>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></section>"
    )


def _align(table: Table, column: int) -> str:
    return "" if column in table.texts else " class=number"


def _draw_findings(findings: Findings) -> str:
    ticks = findings.ticks
    times = [tick.at_s for tick in ticks]
    lengths = [at - before for before, at in zip([0.0, *times], times, strict=False)]
    rates = [tick.requests / max(length, 1e-9) for tick, length in zip(ticks, lengths, strict=True)]
    charts = [
        draw_curves(findings.scenario, "requests a second", times, [Curve("rate", rates)]),
        draw_curves(
            findings.scenario,
            "milliseconds",
            times,
            [
                Curve("p95", [tick.p95_ms for tick in ticks]),
                Curve("p50", [tick.p50_ms for tick in ticks]),
                Curve("generator's lag", [tick.lag_ms for tick in ticks]),
            ],
        ),
    ]
    return "".join(charts)


def _draw_usages(summary: Summary) -> str:
    most = max([usage.most for usage in summary.usages] + [1.0])
    return "".join(_draw_usage(usage, most) for usage in summary.usages)


def _draw_usage(usage: Usage, most: float) -> str:
    is_ours = usage.name.startswith(GENERATOR)
    kind = "hot" if is_ours and usage.mean > CORES_MAX else "mine" if is_ours else "theirs"
    return (
        f"<div class=bar><span>{escape(usage.name)}</span><div>"
        f'<i class={kind} style="width:{100 * usage.mean / most:.1f}%"></i>'
        f'<u style="left:{100 * usage.most / most:.1f}%"></u></div>'
        f"<b>{usage.mean:.2f}</b></div>"
    )


def _write_errors(summary: Summary) -> str:
    errors = list_errors(summary)
    if not errors:
        return ""
    rows = [[text, f"{count:,}"] for text, count in errors]
    return _write_table(Table("Errors", ["what", "times"], rows))
