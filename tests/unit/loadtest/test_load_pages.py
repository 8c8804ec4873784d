"""What a load run shows: tables, warnings and a page that needs nothing else."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

from loadtest.bench.machines import Machine
from loadtest.load.budgets import Budget, Verdict
from loadtest.load.curves import Curve, draw_curves
from loadtest.load.distributions import Distribution
from loadtest.load.findings import Findings, Requests, Tick
from loadtest.load.meters import Sample, Usage, sum_up
from loadtest.load.pages import write_page
from loadtest.load.summaries import Summary
from loadtest.load.tables import write_text

EVIL = '<script>alert("x")</script> & more'


def _times(*times_ms: float) -> Distribution:
    found = Distribution()
    for time_ms in times_ms:
        found.add(time_ms)
    return found


FINDINGS = Findings(
    scenario="senders",
    began_s=10.0,
    ended_s=20.0,
    users=3,
    requests=(Requests(f"ingest: {EVIL}", 2, _times(5.0, 6.0, 7.0)),),
    ticks=(Tick(1.0, 3, 0, 5.0, 7.0, 0.1), Tick(2.0, 0, 0, None, None, 0.2)),
    lags=_times(1.0),
    errors={f"ingest: 429 {EVIL}": 2},
)

SUMMARY = Summary(
    name="senders",
    made_at=datetime(2026, 1, 26, 9, 30, tzinfo=UTC),
    machine=Machine("A processor", 2, 8, "Linux 6", "3.11", 1.5),
    url=f"http://host/{EVIL}",
    seconds=10.0,
    ceiling=2000.0,
    findings=[FINDINGS],
    verdicts=[
        Verdict(Budget("senders", "error_share", None, 0.0, EVIL), 0.5),
        Verdict(Budget("senders", "sent_share", 0.9, None, "why"), 1.0),
    ],
    usages=[Usage("generator senders", 0.2, 0.4), Usage("api", 0.5, 0.9)],
)


class Elements(HTMLParser):
    """Gathers tags, and what they refer to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.references: list[str | None] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.references += [value for name, value in attrs if name in {"src", "href"}]


def test_the_page_escapes_whatever_it_is_given() -> None:
    page = write_page(SUMMARY)
    assert "script" not in Elements(page).tags
    assert EVIL not in page
    assert page.count("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; more") == 4


def test_the_page_needs_nothing_from_elsewhere() -> None:
    page = write_page(replace(SUMMARY, url="here", findings=[]))
    assert Elements(page).references == []
    assert re.findall(r"url\(|@import|https?:", page) == []
    assert "prefers-color-scheme: dark" in page
    assert "$" not in page


def test_the_page_says_how_it_ended_and_marks_what_is_broken() -> None:
    page = write_page(SUMMARY)
    assert '<span class="verdict broken">1 of 2 budgets broken</span>' in page
    assert page.count("<tr class=bad>") == 2
    kept = write_page(replace(SUMMARY, verdicts=SUMMARY.verdicts[1:]))
    assert '<span class="verdict kept">all 1 budgets kept</span>' in kept


def test_the_text_ends_with_the_verdict_and_names_the_broken_budget() -> None:
    text = write_text(SUMMARY)
    assert text.endswith("senders: 1 of 2 budgets broken.\n")
    assert re.search(r"error_share +≤ 0 +0\.5 +BROKEN", text)
    assert re.search(r"sent_share +≥ 0\.9 +1 +kept", text)
    assert re.search(r"ingest: .* 3 +0\.3 +(5\.9\d|6(\.0\d)?) ", text)


def test_a_run_without_anything_found_is_shown_all_the_same() -> None:
    empty = Findings("senders", 0.0, 1.0, 3, ())
    summary = replace(SUMMARY, findings=[empty], verdicts=[], usages=[])
    assert "no budgets" in write_page(summary)
    assert "no budgets" in write_text(summary)


def test_a_generator_that_is_busy_late_or_near_its_ceiling_is_warned_of() -> None:
    calm = replace(SUMMARY, findings=[replace(FINDINGS, errors={})])
    assert calm.list_doubts() == []
    busy = replace(calm, usages=[Usage("generator senders", 0.81, 1.0), Usage("api", 2.0, 2.0)])
    assert [doubt for doubt in busy.list_doubts() if "81% of its core" in doubt]
    late = replace(calm, findings=[replace(calm.findings[0], lags=_times(1.0, 80.0))])
    assert [doubt for doubt in late.list_doubts() if "80 ms too late" in doubt]
    full = replace(calm, ceiling=0.5)
    assert [doubt for doubt in full.list_doubts() if "a bare server" in doubt]
    away = replace(calm, usages=calm.usages[:1])
    assert [doubt for doubt in away.list_doubts() if "elsewhere" in doubt]
    for summary in (busy, late, full, away):
        assert len(summary.list_doubts()) == 1
        assert summary.list_doubts()[0] in write_text(summary)


def test_requests_that_were_refused_for_their_number_are_told_of() -> None:
    assert SUMMARY.list_doubts() == [
        "2 requests of senders were refused with 429: they met RATE_LIMIT_PER_MINUTE, or the bus"
        " was full."
    ]


def test_a_curve_has_a_hole_where_nothing_was_measured() -> None:
    chart = draw_curves("t", "ms", [1.0, 2.0, 3.0, 4.0], [Curve("a", [1.0, None, 2.0, 1.0])])
    path = re.search(r' d="([^"]*)"', chart)
    assert path is not None
    assert re.sub(r"[\d. ]+", "", path[1]) == "MML"


def test_only_samples_inside_the_run_count_each_by_its_length() -> None:
    samples = [
        Sample("api", 0.0, 1.0, 9.0),
        Sample("api", 1.0, 2.0, 1.0),
        Sample("api", 2.0, 5.0, 0.2),
        Sample("flow", 1.0, 2.0, 0.5),
        Sample("api", 5.0, 6.5, 9.0),
    ]
    usages = sum_up(samples, 1.0, 6.0)
    assert usages == [Usage("api", (1.0 + 0.6) / 4, 1.0), Usage("flow", 0.5, 0.5)]
