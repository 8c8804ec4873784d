"""The picture of a backtest."""

from datetime import timedelta
from xml.etree import ElementTree

import polars as pl

from streaming.archive.recounts import Span
from streaming.backtest.curves import SCHEMA
from streaming.backtest.pictures import COLUMNS, LEFT, PANELS_MAX, WIDTH, draw_picture
from streaming.backtest.rehearsals import Sighting
from streaming.backtest.reports import Report, make_report
from streaming.backtest.runs import Outcome
from streaming.backtest.tallies import Ground
from streaming.backtest.truths import Truth
from tests.fixtures.clocks import START
from tests.unit.backtest.sightings import MINUTE, make_sighting, make_truth

HOURS = Span(START, START + timedelta(hours=2))
SVG = "{http://www.w3.org/2000/svg}"


def make_curves(minutes: int) -> pl.DataFrame:
    rows = [("one", "chat_count", START + n * MINUTE, float(n % 7)) for n in range(minutes)]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def report(
    before: list[Sighting],
    after: list[Sighting] | None = None,
    truths: list[Truth] | None = None,
    curves: pl.DataFrame | None = None,
    span: Span = HOURS,
) -> Report:
    series = frozenset({("one", "chat_count")})
    outcome = Outcome(
        span, tuple(before), None if after is None else tuple(after), series, curves, 10
    )
    return make_report(outcome, Ground(truths or [], True, series, span), ["strictness=2"])


def draw(told: Report) -> ElementTree.Element:
    return ElementTree.fromstring(draw_picture(told))  # noqa: S314 - what we drew ourselves.


def count(root: ElementTree.Element, look: str) -> int:
    return len(root.findall(f"{SVG}rect[@class='{look}']"))


def test_a_panel_has_the_line_and_a_lane_of_each_kind():
    told = report(
        [make_sighting(1), make_sighting(2, minute=30, is_withdrawn=True)],
        [make_sighting(1)],
        [make_truth(), make_truth(minute=30, is_true=False, of_person=True)],
        make_curves(120),
    )
    root = draw(told)
    looks = ("label", "denied", "before", "before withdrawn", "after")
    assert [count(root, look) for look in looks] == [1, 1, 1, 1, 1]
    (line,) = root.iter(f"{SVG}polyline")
    assert len(line.get("points", "").split()) == 120
    # What was expected of the first spike is within the plot.
    assert len(root.findall(f"{SVG}line[@class='expected']")) == 2
    assert "strictness=2" in draw_picture(told)
    assert draw_picture(told) == draw_picture(told)


def test_bars_lie_where_their_time_is_and_within_the_picture():
    root = draw(
        report(
            [make_sighting(1, minute=60, minutes=30), make_sighting(2, minute=119, ended_at=None)]
        )
    )
    first, last = root.findall(f"{SVG}rect[@class='before']")
    assert float(first.get("x", "")) == LEFT + COLUMNS / 2
    assert float(first.get("width", "")) == COLUMNS / 4
    assert float(last.get("x", "")) + float(last.get("width", "")) <= WIDTH


def test_a_name_is_no_markup():
    assert count(draw(report([make_sighting(stream_id='a<b>&"c')])), "before") == 1


def test_a_long_line_has_two_points_a_column_at_most():
    span = Span(START, START + timedelta(days=5))
    root = draw(report([make_sighting()], curves=make_curves(7200), span=span))
    (value,) = (line for line in root.iter(f"{SVG}polyline") if line.get("class") == "value")
    points = [float(point.split(",")[1]) for point in value.get("points", "").split()]
    assert COLUMNS <= len(points) <= 2 * (COLUMNS + 1)
    assert max(points) - min(points) == 72


def test_of_many_panels_those_with_most_to_see_are_drawn():
    many = [make_sighting(n, stream_id=f"s{n:02}") for n in range(PANELS_MAX + 3)]
    busy = [make_sighting(100 + n, minute=10 * n, stream_id="zz") for n in range(2)]
    text = draw_picture(report(many + busy))
    assert "zz: chat_count" in text
    assert f"s{PANELS_MAX + 2:02}: chat_count" not in text
    assert "4 more metrics are not drawn" in text


def test_nothing_to_see_is_said():
    assert "No moments, and no labels." in draw_picture(report([]))
