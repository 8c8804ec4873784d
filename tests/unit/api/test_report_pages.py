"""Report pages: what stands on them, and that no text of anybody becomes markup."""

import re
from copy import deepcopy
from html.parser import HTMLParser
from typing import Any

from typing_extensions import override

from api.reports.examples import REPORT_JSON
from api.reports.pages import write_page, write_period
from api.reports.schemas import ReportOut
from tests.fixtures.clocks import START

EVIL = "</title></style><script>alert(1)</script><img src=x onerror=alert(2)>'\"&"


class Reader(HTMLParser):
    """Notes the tags of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    @override
    def handle_data(self, data: str) -> None:
        self.text += data


def make_report(**changes: Any) -> ReportOut:
    return ReportOut.model_validate(deepcopy(REPORT_JSON) | changes)


def read(**changes: Any) -> Reader:
    return Reader(write_page(make_report(**changes)))


def test_a_page_tells_the_totals_and_how_they_changed():
    text = re.sub(r"\s+", " ", read().text)
    assert "26 Jan 2026, 10:00 to 12:00 UTC" in text
    assert "48.2k▲ 18 % · before 41.0k" in text
    assert "Moments3before 0" in text
    assert "PogChamp" in text
    assert "45.00 EUR" in text
    assert "▲ 26 %" in text


def test_a_page_has_a_chart_of_everything_that_was_heard():
    page = write_page(make_report())
    titles = re.findall(r'aria-label="([^"]*)"', page)
    assert titles == ["Chat rate", "Viewers", "Mood", "Transactions", "Channel bitrate"]


def test_a_page_tells_why_a_moment_was_one():
    text = read().text
    for part in ("Raid of 900", "avg_viewers rose to 48210", "5.60", "not over"):
        assert part in text


def test_a_page_needs_nothing_from_elsewhere_and_runs_nothing():
    page = write_page(make_report())
    reader = Reader(page)
    assert reader.tags.isdisjoint({"script", "link", "img", "iframe", "object", "form", "base"})
    assert reader.attributes.isdisjoint({"src", "href"})
    assert not any(name.startswith("on") for name in reader.attributes)
    assert "url(" not in page
    assert "@import" not in page


def test_hostile_texts_stay_texts():
    moment = deepcopy(REPORT_JSON["moments"][0])
    moment |= {"description": EVIL, "reasons": [{"kind": "message", "name": EVIL, "text": EVIL}]}
    channel = REPORT_JSON["channels"][0] | {"channel": EVIL, "unit": EVIL}
    page = read(
        title=EVIL,
        stream_id=EVIL,
        moments=[moment],
        channels=[channel],
        emotes=[{"emote": EVIL, "count": 3, "count_before": 0}],
        ledgers=[REPORT_JSON["ledgers"][0] | {"kind": EVIL, "currency": EVIL}],
    )
    assert page.tags.isdisjoint({"script", "img"})
    assert page.text.count("<script>alert(1)</script>") >= 8


def test_a_period_without_anything_says_so():
    nothing = dict.fromkeys(REPORT_JSON["totals"]) | {
        "messages": 0,
        "moments": 0,
        "transactions": 0,
    }
    columns: dict[str, list[Any]] = {name: [] for name in REPORT_JSON["chat"]}
    empty: dict[str, list[Any]] = {
        "transaction_times": [],
        "transaction_counts": [],
        "ledgers": [],
        "emotes": [],
    }
    page = read(
        totals=nothing, totals_before=nothing, chat=columns, channels=[], moments=[], **empty
    )
    assert "Nothing was heard of this stream in this period." in page.text
    assert "Nothing was unusual." in page.text
    assert "svg" not in page.tags


def test_the_day_of_the_end_is_told_where_it_is_another():
    assert write_period(START, START.replace(day=27)) == (
        "26 Jan 2026, 10:00 to 27 Jan 2026, 10:00 UTC"
    )
