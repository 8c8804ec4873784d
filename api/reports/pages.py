"""Report pages: a report as HTML that needs nothing else, light, for screens and for paper.

    ReportOut -> figures, charts, tables in words -> report.html

Every text of somebody passes through the template, which escapes it; only our own SVG is trusted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup

from api.moments.schemas import MomentOut
from api.pages.papers import load_paper
from api.reports.schemas import ReportChannelOut, ReportOut
from core.charts import Chart, Line, Shade, draw_chart
from core.figures import (
    MISSING,
    find_severity,
    write_change,
    write_count,
    write_duration,
    write_exact,
    write_measure,
    write_rate,
    write_signed,
)
from core.resolutions import BY_NAME

PAPER: Final = load_paper(Path(__file__).with_name("report.html"))

REASONS_MAX: Final = 4
"""Reasons of a moment that stand on the page; the most telling of each kind come first."""

WINDOWS: Final = {
    "1m": "minute",
    "5m": "stretch of 5 minutes",
    "15m": "stretch of 15 minutes",
    "1h": "hour",
    "1d": "day",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One number at the head of the page."""

    label: str
    value: str
    note: str
    """How it was before."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One chart with its words."""

    title: str
    unit: str
    note: str
    svg: Markup
    keys: tuple[tuple[str, str], ...] = ()
    """Class and name of each curve, where there are several."""


def write_page(report: ReportOut) -> str:
    """Return a report as a page."""
    return PAPER.render(
        report=report,
        name=report.title or report.stream_id,
        period=write_period(report.start, report.end),
        before=write_period(report.before_start, report.start),
        length=write_duration(report.end - report.start),
        window=WINDOWS[report.resolution],
        made_at=f"{report.made_at:%Y-%m-%d %H:%M:%S} UTC",
        figures=list(list_figures(report)),
        pictures=list(list_pictures(report)),
        moments=[_describe_moment(moment) for moment in report.moments],
        emotes=[_describe_emote(report, number) for number in range(len(report.emotes))],
        ledgers=[_describe_ledger(report, number) for number in range(len(report.ledgers))],
    )


def write_period(start: datetime, end: datetime) -> str:
    """Return a period in words; the day of its end only where it is another."""
    first = f"{start.day} {start:%b %Y}, {start:%H:%M}"
    day = "" if start.date() == end.date() else f"{end.day} {end:%b %Y}, "
    return f"{first} to {day}{end:%H:%M} UTC"


def list_figures(report: ReportOut) -> Iterator[Figure]:
    """Yield what the period comes to, each beside the period before."""
    now, past = report.totals, report.totals_before
    if now.messages or past.messages:
        yield _compare("Messages", now.messages, past.messages, write_count)
        yield _compare("Chat rate", now.chat_rate, past.chat_rate, write_rate)
        yield _compare("Highest rate", now.chat_rate_max, past.chat_rate_max, write_rate)
        chatters = now.unique_chatters_max, past.unique_chatters_max
        yield _compare("Most chatters in a minute", *chatters, write_count)
        before = f"before {write_signed(past.avg_sentiment)}"
        yield Figure("Mood, −1 to +1", write_signed(now.avg_sentiment), before)  # noqa: RUF001
    if now.avg_viewers is not None or past.avg_viewers is not None:
        yield _compare("Viewers, on average", now.avg_viewers, past.avg_viewers, write_count)
        yield _compare("Viewers, at most", now.peak_viewers, past.peak_viewers, write_count)
    if now.transactions or past.transactions:
        yield _compare("Transactions", now.transactions, past.transactions, write_exact)
    yield _compare("Moments", now.moments, past.moments, write_exact)


def list_pictures(report: ReportOut) -> Iterator[Picture]:
    """Yield a chart of everything that was heard."""
    chat = report.chat
    if any(rate for rate in chat.chat_rate):
        line = Line("series-1", chat.chat_rate)
        svg = _draw(report, "Chat rate", chat.times, line)
        yield Picture("Chat", "messages a second", _note_shades(report), svg)
    if _has_values(chat.avg_viewers):
        lines = Line("series-2 thin", chat.peak_viewers), Line("series-2", chat.avg_viewers)
        svg = _draw(report, "Viewers", chat.times, *lines, from_zero=False)
        yield Picture("Viewers", "at once", "mean; thin: the most in each window", svg)
    if _has_values(chat.avg_sentiment):
        line = Line("series-3", chat.avg_sentiment)
        svg = _draw(report, "Mood", chat.times, line)
        yield Picture("Mood", "−1 to +1", "mean of all messages", svg)  # noqa: RUF001
    if report.transaction_times:
        line = Line("series-4", [float(count) for count in report.transaction_counts])
        svg = _draw(report, "Transactions", report.transaction_times, line, is_bars=True)
        yield Picture("Transactions", f"in one {WINDOWS[report.resolution]}", "", svg)
    for channel in report.channels:
        yield _picture_channel(report, channel)


def _compare(label: str, now: Any, past: Any, write: Any) -> Figure:  # noqa: ANN401
    """Return a number with its change; from nothing there is none."""
    change = write_change(now / past) if now is not None and past else ""
    before = f"before {write(past)}"
    return Figure(label, write(now), f"{change} · {before}" if change else before)


def _picture_channel(report: ReportOut, channel: ReportChannelOut) -> Picture:
    edges = Line("series-5 thin", channel.mins), Line("series-5 thin", channel.maxs)
    mean = Line("series-5", channel.means)
    name = f"Channel {channel.channel}"
    svg = _draw(report, name, channel.times, *edges, mean, from_zero=False)
    numbers = (write_measure(value) for value in (channel.min, channel.mean, channel.max))
    note = "least {}, mean {}, most {}".format(*numbers)
    return Picture(channel.channel, channel.unit or "", note, svg)


def _draw(
    report: ReportOut,
    title: str,
    times: list[datetime],
    *lines: Line,
    from_zero: bool = True,
    is_bars: bool = False,
) -> Markup:
    chart = Chart(
        title=title,
        start=report.start,
        end=report.end,
        width=BY_NAME[report.resolution].width,
        times=times,
        lines=lines,
        shades=[_shade(report, moment) for moment in report.moments],
        from_zero=from_zero,
        is_bars=is_bars,
    )
    # Our own picture, in which every text is escaped.
    return Markup(draw_chart(chart))  # noqa: S704


def _shade(report: ReportOut, moment: MomentOut) -> Shade:
    end = moment.ended_at or report.end
    return Shade(moment.started_at, end, find_severity(moment.score))


def _note_shades(report: ReportOut) -> str:
    return "shaded: the moments below" if report.moments else ""


def _has_values(values: list[float | None]) -> bool:
    return any(value is not None for value in values)


def _describe_moment(moment: MomentOut) -> dict[str, Any]:
    end = moment.ended_at
    lasted = write_duration(end - moment.started_at) if end else "not over"
    reasons = [
        f"{reason.name}: “{reason.text}”" if reason.kind == "message" else reason.text
        for reason in moment.reasons[:REASONS_MAX]
    ]
    return {
        "began": f"{moment.started_at.day} {moment.started_at:%b %H:%M}",
        "lasted": lasted if end is None or end > moment.started_at else write_duration(_MINUTE),
        "score": f"{moment.score:.2f}",
        "severity": find_severity(moment.score),
        "what": moment.description,
        "reasons": reasons,
        "label": {None: "", True: "true", False: "false alarm"}[moment.label],
    }


def _describe_emote(report: ReportOut, number: int) -> dict[str, Any]:
    emote, most = report.emotes[number], max(report.emotes[0].count, 1)
    return {
        "emote": emote.emote,
        "count": write_count(emote.count),
        "share": round(100 * emote.count / most, 1),
        "change": write_change(emote.count / emote.count_before) if emote.count_before else "new",
    }


def _describe_ledger(report: ReportOut, number: int) -> dict[str, Any]:
    ledger = report.ledgers[number]
    change = write_change(ledger.count / ledger.count_before) if ledger.count_before else "new"
    return {
        "kind": ledger.kind.replace("_", " "),
        "count": write_exact(ledger.count),
        "sum": f"{ledger.sum:,.2f} {ledger.currency}" if ledger.currency else MISSING,
        "change": change,
    }


_MINUTE: Final = timedelta(minutes=1)
