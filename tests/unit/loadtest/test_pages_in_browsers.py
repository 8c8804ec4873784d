"""Pages in a browser: late frames and long tasks are told apart, a heap has a slope."""

import pytest

from loadtest.bench.chromiums import Usage
from loadtest.bench.page_overview import Bundle, Found, Paint, write_found
from loadtest.bench.smoothness import Frames, Smoothness, Tasks


def test_a_frame_that_comes_late_is_counted_by_those_that_did_not_come():
    frames = Frames.of([0.0, 16.7, 33.3, 83.4, 100.0])
    assert (frames.frames, frames.dropped) == (4, 2)
    assert frames.longest_ms == pytest.approx(50.1)
    assert frames.rate == pytest.approx(40)


def test_a_task_drops_a_frame_when_it_takes_longer_than_one():
    tasks = Tasks.of([1.0, 16.6, 17.0, 40.0])
    assert (tasks.tasks, tasks.over, tasks.longest_ms) == (4, 2, 40.0)
    assert Tasks.of([]) == Tasks(0, 0, 0)


def make_found(heaps_mb: list[float]) -> Found:
    smooth = Smoothness(Frames(60, 3600, 3, 34.0), Tasks(5000, 0, 9.9))
    return Found(
        streams=1000,
        paints=[Paint(500, 90), Paint(400, 80), Paint(900, 70)],
        bundle=Bundle(90.0, 120.0),
        seconds=60,
        at_rest=Usage(3.0, 0.6, 6.0, 12.0),
        still=smooth,
        scrolling=smooth,
        rows=35,
        received_kb_s=40,
        heaps_mb=heaps_mb,
    )


def test_the_table_tells_shares_of_a_core_and_the_slope_of_an_hour():
    table = write_found(make_found([6.0, 6.1, 6.2]))
    assert "| first useful paint | 500 ms |" in table
    assert "| of it processor time of the page's thread | 80 ms |" in table
    assert "| scripting, of a core | 5.0% |" in table
    assert "| heap, settled | 6.0 to 6.2 MB, +6.00 MB/h over 2 min |" in table
    assert "| rows in the document | 35 of 1000 |" in table
    assert "+0.00 MB/h over 0 min" in write_found(make_found([6.0]))


def test_what_the_page_has_to_meet_first_is_no_slope():
    table = write_found(make_found([5.0, 7.0, 7.0, 7.0, 7.0, 7.0, 7.0, 7.0]))
    assert "| heap, first and last | 5.0 and 7.0 MB |" in table
    assert "+0.00 MB/h over 5 min" in table
