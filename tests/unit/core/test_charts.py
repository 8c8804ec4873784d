"""Charts: what is drawn where, and what is not drawn at all."""

import re
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest

from core.charts import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Chart,
    Line,
    Scale,
    Shade,
    draw_chart,
    list_time_ticks,
    write_ticks,
)
from tests.fixtures.clocks import START

MINUTE = timedelta(minutes=1)


def make_chart(values: list[float | None], **more: object) -> Chart:
    times = [START + number * MINUTE for number in range(len(values))]
    facts: dict[str, object] = {
        "title": "Chat",
        "start": START,
        "end": START + len(values) * MINUTE,
        "width": MINUTE,
        "times": times,
        "lines": [Line("series-1", values)],
    }
    return Chart(**(facts | more))  # type: ignore[arg-type]


def list_paths(chart: Chart) -> list[str]:
    root = ET.fromstring(draw_chart(chart))  # noqa: S314 (our own)
    return [path.attrib["d"] for path in root.iter("path")]


def test_a_curve_is_broken_where_there_is_nothing():
    (path,) = list_paths(make_chart([1.0, 2.0, None, 3.0]))
    assert path.count("M") == 2
    assert path.count("L") == 1


def test_a_missing_row_is_a_gap_too():
    times = [START, START + MINUTE, START + 5 * MINUTE]
    chart = make_chart([1.0, 2.0, 3.0], times=times, end=START + 6 * MINUTE)
    assert list_paths(chart)[0].count("M") == 2


def test_a_value_stands_in_the_middle_of_its_window_and_the_highest_on_top():
    (path,) = list_paths(make_chart([0.0, 30.0]))
    points = [tuple(map(float, pair)) for pair in re.findall(r"[ML]([\d.]+) ([\d.]+)", path)]
    width = WIDTH - LEFT - RIGHT
    assert points[0] == pytest.approx((LEFT + width / 4, HEIGHT - BOTTOM), abs=0.1)
    assert points[1] == pytest.approx((LEFT + 3 * width / 4, TOP), abs=0.1)
    assert len(points) == 2


def test_nothing_at_all_is_still_a_picture():
    root = ET.fromstring(draw_chart(make_chart([None, None])))  # noqa: S314 (our own)
    assert root.attrib["aria-label"] == "Chat"


def test_bars_leave_out_what_is_zero():
    root = ET.fromstring(draw_chart(make_chart([0.0, 2.0, None], is_bars=True)))  # noqa: S314
    bars = [rect for rect in root.iter("rect") if rect.attrib["class"].startswith("bar")]
    assert len(bars) == 1


def test_hostile_texts_stay_texts():
    evil = '"><script>alert(1)</script>'
    shade = Shade(START, START + MINUTE, evil)
    svg = draw_chart(make_chart([1.0], title=evil, shades=[shade]))
    assert "<script" not in svg
    assert ET.fromstring(svg).attrib["aria-label"] == evil  # noqa: S314 (our own)


def test_a_shade_that_is_short_can_be_seen_and_none_leaves_the_chart():
    shades = [
        Shade(START + MINUTE, START + MINUTE, "low"),
        Shade(START - MINUTE, START + timedelta(days=9), "high"),
    ]
    root = ET.fromstring(draw_chart(make_chart([1.0] * 60, shades=shades)))  # noqa: S314
    widths = [float(rect.attrib["width"]) for rect in root.iter("rect")]
    assert widths == pytest.approx([2.0, WIDTH - LEFT - RIGHT], abs=0.1)


@pytest.mark.parametrize(
    ("values", "from_zero", "ticks"),
    [
        ([3.0, 21.8], True, [0, 10, 20, 30]),
        ([47_210.0, 48_902.0], False, [47_000, 48_000, 49_000]),
        ([-0.31, 0.46], True, [-0.5, 0, 0.5]),
        ([5.0, 5.0], False, [4.0, 6.0]),
        ([0.0], True, [0, 0.5]),
    ],
)
def test_a_scale_has_round_numbers(values: list[float], from_zero: bool, ticks: list[float]):
    assert Scale.fit(values, from_zero=from_zero).list_ticks() == pytest.approx(ticks)


def test_labels_share_one_unit():
    assert write_ticks([47_000, 48_000, 49_000]) == ["47k", "48k", "49k"]
    assert write_ticks([-0.5, 0, 0.5]) == ["\u22120.5", "0", "0.5"]
    assert write_ticks([0, 2.5, 5]) == ["0", "2.5", "5.0"]


@pytest.mark.parametrize(
    ("hours", "labels"),
    [
        (1, ["10:10", "10:20", "10:30", "10:40", "10:50"]),
        (24, ["12:00", "18:00", "27 Jan", "06:00"]),
        (24 * 30, ["2 Feb", "9 Feb", "16 Feb", "23 Feb"]),
    ],
)
def test_times_are_labelled_at_round_ones(hours: int, labels: list[str]):
    start = START + MINUTE
    ticks = list_time_ticks(start, start + timedelta(hours=hours) - MINUTE)
    assert [label for _, label in ticks] == labels
