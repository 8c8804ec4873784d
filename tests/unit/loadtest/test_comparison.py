"""The comparison: agreement, ratios, targets, tables and charts."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from loadtest.bench.charts import Bar, choose_ticks, draw_bars, write_number
from loadtest.bench.chats import ChatOptions, provide_chats
from loadtest.bench.contenders import CONTENDERS, TARGETS, Contender, choose_contenders
from loadtest.bench.machines import Machine
from loadtest.bench.reports import Report, save_report
from loadtest.bench.results import judge_targets, rank
from loadtest.bench.rounds import RoundFailedError, check_agreement, run_contender, run_rounds
from loadtest.bench.spreads import Spread, find_percentile, spread, spread_ratios
from loadtest.bench.steps import measure_steps
from loadtest.peers import ours_lines, polars_batch
from loadtest.peers.tasks import Effort, MinuteRow, Outcome, sum_up

AT = datetime(2026, 1, 26, 9, tzinfo=UTC)
ROW = MinuteRow("a", AT, 3, 2, {"LUL": 2, "EZ": 0})
MACHINE = Machine("A processor", 2, 8, "Linux 6", "3.11", 0.5)


def outcome(name: str, seconds: float) -> Outcome:
    return Outcome(name, "1.0", 1000, seconds, seconds, 10, "same")


def read_svg(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - our own drawing.


def test_the_checksum_is_of_rows_in_any_order_and_any_zone() -> None:
    other = replace(ROW, stream_id="b")
    effort = Effort(1, 1)
    first = sum_up("x", "1", effort, [ROW, other])
    assert first.events == 6
    zoneless = replace(ROW, minute=AT.replace(tzinfo=None), emotes={"LUL": 2})
    assert sum_up("y", "1", effort, [other, zoneless]).checksum == first.checksum


@pytest.mark.parametrize(
    "wrong",
    [
        replace(ROW, stream_id="b"),
        replace(ROW, minute=AT.replace(minute=1)),
        replace(ROW, chat_count=4),
        replace(ROW, unique_chatters=3),
        replace(ROW, emotes={"LUL": 3}),
    ],
    ids=["stream", "minute", "count", "chatters", "emotes"],
)
def test_the_checksum_tells_of_every_difference(wrong: MinuteRow) -> None:
    effort = Effort(1, 1)
    assert sum_up("x", "1", effort, [wrong]).checksum != sum_up("x", "1", effort, [ROW]).checksum


def test_whoever_disagrees_fails_the_run() -> None:
    right = outcome("a", 1)
    check_agreement([right, replace(right, name="b", seconds=2)])
    with pytest.raises(RoundFailedError, match="b: 1000 events in 10 minutes, other"):
        check_agreement([right, replace(right, name="b", checksum="other")])


def test_ours_and_a_batch_query_find_the_same_minutes(tmp_path: Path) -> None:
    file = provide_chats(tmp_path, ChatOptions(events=30_000, minutes=12))
    found = [
        sum_up("x", "1", Effort(1, 1), work(file))
        for work in (ours_lines.count_minutes, polars_batch.count_minutes)
    ]
    assert found[0].events == 30_000
    check_agreement(found)


def test_rounds_take_turns_and_each_begins_with_another(tmp_path: Path) -> None:
    ran: list[str] = []

    def run(contender: Contender, _: Path) -> Outcome:
        ran.append(contender.name)
        return outcome(contender.name, 1)

    chosen = [Contender(name, name) for name in "abc"]
    found = run_rounds(chosen, tmp_path, 2, lambda _: None, run)
    assert ran == ["a", "b", "c", "b", "c", "a"]
    assert [len(outcomes) for outcomes in found.values()] == [2, 2, 2]


def test_a_contender_runs_as_a_process_and_its_failure_has_its_words(tmp_path: Path) -> None:
    file = provide_chats(tmp_path, ChatOptions(events=1000, minutes=2))
    polars = choose_contenders(["polars_batch"])[0]
    assert run_contender(polars, file).events == 1000
    with pytest.raises(RoundFailedError, match=r"polars_batch ended with 1: (.|\n)*nowhere"):
        run_contender(polars, tmp_path / "nowhere")


def test_what_is_not_installed_is_named() -> None:
    assert Contender("x", "x", ("polars", "!sh")).find_lack() is None
    assert Contender("x", "x", ("no_such",)).find_lack() == "the package no_such is not installed"
    assert Contender("x", "x", ("!no-such",)).find_lack() == "no-such is not installed"


def test_targets_name_contenders() -> None:
    names = {contender.name for contender in CONTENDERS}
    assert {side for target in TARGETS for side in (target.ours, target.peer)} <= names


def test_ratios_are_taken_round_by_round() -> None:
    assert spread([3, 1, 2]) == Spread(2, 1, 3)
    # The machine was twice as slow in the second round, for both.
    assert spread_ratios([1, 2, 1], [4, 8, 5]) == Spread(4, 4, 5)


def test_a_percentile_is_a_value_that_occurred() -> None:
    values = list(range(1, 101))
    assert [find_percentile(values, percent) for percent in (50, 99, 100, 0)] == [50, 99, 100, 1]
    assert find_percentile([7], 99) == 7


def test_standings_have_rates_ratios_and_verdicts() -> None:
    chosen = choose_contenders(["ours_lines", "bytewax_events", "duckdb_batch"])
    outcomes = {
        "ours_lines": [outcome("ours_lines", 1), outcome("ours_lines", 2)],
        "bytewax_events": [outcome("bytewax_events", 4), outcome("bytewax_events", 10)],
    }
    standings = rank(chosen, outcomes)
    assert [standing.name for standing in standings] == ["ours_lines", "bytewax_events"]
    assert standings[0].rate == Spread(750, 500, 1000)
    assert standings[0].ratios == {"bytewax_events": Spread(4.5, 4, 5)}
    (verdict,) = judge_targets(standings)
    assert verdict.is_met
    assert not replace(verdict, found=3.9).is_met


def test_a_report_is_a_page_a_chart_and_numbers(tmp_path: Path) -> None:
    chosen = choose_contenders(["ours_lines", "bytewax_events"])
    standings = rank(chosen, {c.name: [outcome(c.name, 2)] for c in chosen})
    report = Report(
        AT,
        MACHINE,
        ChatOptions(),
        1,
        standings,
        judge_targets(standings),
        {"Spark": "java is not installed"},
        measure_steps(rounds=1),
    )
    page = save_report(report, tmp_path).read_text(encoding="utf-8")
    assert "| **Telemetra, lines to minutes** | 1.0 | 500 | 500 to 500 | 500 | 1.00 | 1.00" in page
    assert "| ≥ 4 | 1.00 | **no** |" in page
    assert "Not measured: Spark, java is not installed." in page
    numbers = orjson.loads((tmp_path / "bench.json").read_bytes())
    assert numbers["machine"]["processor"] == "A processor"
    assert numbers["standings"][0]["rate"]["median"] == 500
    assert read_svg((tmp_path / "bench.svg").read_text()).get("role") == "img"


def test_bars_are_as_long_as_their_values() -> None:
    bars = [Bar("a < b", 100, 90, 110, is_ours=True), Bar("c", 50, 50, 50, is_ours=False)]
    root = read_svg(draw_bars("Title", "events/s", bars))
    space = "{http://www.w3.org/2000/svg}"
    long, short = (float(bar.get("width", 0)) for bar in root.iter(f"{space}rect"))
    assert long == pytest.approx(2 * short, abs=0.2)
    assert "a < b" in [text.text for text in root.iter(f"{space}text")]
    assert "prefers-color-scheme: dark" in (root.findtext(f"{space}style") or "")


def test_ticks_are_round_and_reach_beyond_the_largest_value() -> None:
    assert choose_ticks(1_250_000) == [0, 500_000, 1_000_000, 1_500_000]
    assert choose_ticks(1.0) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert choose_ticks(0) == [0, 1]
    for most in (3, 7.7, 99, 1001):
        ticks = choose_ticks(most)
        assert ticks[-1] >= most
        assert 3 <= len(ticks) <= 6


def test_numbers_on_a_chart_are_short() -> None:
    assert [write_number(value) for value in (0.25, 12, 1500, 2_345_678)] == [
        "0.25",
        "12",
        "1.5 k",
        "2.35 M",
    ]
