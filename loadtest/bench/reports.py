"""Reports: a measurement as JSON, as Markdown, and as a chart, in ``loadtest/results``."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson

from core.clock import SystemClock
from loadtest.bench.charts import Bar, draw_bars
from loadtest.bench.chats import ChatOptions
from loadtest.bench.contenders import PEERS
from loadtest.bench.machines import Machine, describe_machine
from loadtest.bench.results import Standing, Verdict
from loadtest.bench.steps import Step
from loadtest.bench.tables import (
    write_machine,
    write_spread,
    write_standings,
    write_table,
    write_verdicts,
)


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one run of the comparison found."""

    made_at: datetime
    machine: Machine
    chats: ChatOptions
    rounds: int
    standings: Sequence[Standing]
    verdicts: Sequence[Verdict]
    skipped: dict[str, str]
    """Contender to reason."""

    steps: Sequence[Step]


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one of the further measurements found."""

    name: str
    """Of the files that it is saved in."""

    title: str
    text: str
    """What was done, in a sentence."""

    table: str
    found: object
    """The numbers, as dataclasses."""

    chart: str | None = None


def save_measurement(measurement: Measurement, folder: Path) -> str:
    """Write ``<name>.json``, ``<name>.md`` and, if there is one, its chart; return the page."""
    machine, made_at = describe_machine(), SystemClock().now()
    save_json(
        folder / f"{measurement.name}.json",
        {"made_at": made_at, "machine": machine, "found": measurement.found},
    )
    picture = ""
    if measurement.chart is not None:
        picture = f"![{measurement.title}]({measurement.name}.svg)\n"
        (folder / f"{measurement.name}.svg").write_text(measurement.chart, encoding="utf-8")
    parts = [
        f"# {measurement.title}\n",
        picture,
        f"{measurement.text} [How it is measured](../../docs/performance.md).\n",
        measurement.table,
        f"{write_machine(machine)} {made_at:%Y-%m-%d}.\n",
    ]
    page = "\n".join(part for part in parts if part)
    (folder / f"{measurement.name}.md").write_text(page, encoding="utf-8")
    return page


def save_report(report: Report, folder: Path) -> Path:
    """Write ``bench.json``, ``bench.md`` and ``bench.svg``; return the Markdown."""
    save_json(folder / "bench.json", report)
    (folder / "bench.svg").write_text(draw_report(report), encoding="utf-8")
    page = folder / "bench.md"
    page.write_text(write_report(report), encoding="utf-8")
    return page


def save_json(file: Path, found: object) -> None:
    """Write dataclasses as JSON, for machines."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def draw_report(report: Report) -> str:
    """Return the chart."""
    bars = [
        Bar(s.label, s.rate.median, s.rate.least, s.rate.most, s.is_ours) for s in report.standings
    ]
    return draw_bars("Chat events a second, the same file for all", "events/s", bars)


def write_report(report: Report) -> str:
    """Return the page."""
    chats = report.chats
    parts = [
        "# Comparison\n",
        "![Events a second of each contender](bench.svg)\n",
        f"{chats.events:,} chat lines of {chats.streams} streams over {chats.minutes} minutes;"
        f" medians of {report.rounds} rounds in turn, ratios within a round."
        " Everybody's counts, unique chatters and emotes were the same."
        " [What is compared](../../docs/performance.md).\n",
        write_standings(report.standings, PEERS),
        write_verdicts(report.verdicts) if report.verdicts else "",
        "".join(f"- Not measured: {name}, {why}.\n" for name, why in report.skipped.items()),
        "## Steps\n",
        write_table(
            ["step", "events/s", "against orjson.loads"],
            (
                [step.name, f"{step.rate.median:,.0f}", write_spread(step.ratio)]
                for step in report.steps
            ),
        ),
        f"{write_machine(report.machine)} {report.made_at:%Y-%m-%d}.\n",
    ]
    return "\n".join(part for part in parts if part)
