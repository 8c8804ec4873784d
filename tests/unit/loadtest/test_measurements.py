"""The further measurements: growth, delay and restart, without their processes."""

from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from core.clock import SystemClock
from core.events import TimePolicy, check_events
from core.ndjson import read_ndjson
from loadtest.bench.catch_ups import CatchUp
from loadtest.bench.delay import Delays
from loadtest.bench.growth import compare_stages, write_stages
from loadtest.bench.histories import History
from loadtest.bench.plans import Reading
from loadtest.bench.probes import Sightings
from loadtest.bench.ranges import QUESTIONS, Range, write_ranges
from loadtest.bench.reports import Measurement, save_measurement
from loadtest.bench.restart import Restart, measure_folder, write_restart
from loadtest.bench.senders import BODIES_A_SECOND, Sender


class RememberingDoor:
    """Acknowledges everything at once."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def send(self, body: bytes) -> None:
        self.bodies.append(body)

    async def close(self) -> None:
        return


def test_each_message_is_seen_once_by_the_count_of_its_stream() -> None:
    place = Sightings({"a": [10.0, 11.0, 12.0], "b": [20.0]})
    place.see_total("a", 2, at=11.5)
    place.see_total("a", 2, at=99.0)
    assert place.delays == [1.5, 0.5]
    assert not place.has_all()
    place.see_total("a", 3, at=12.25)
    place.see_total("b", 1, at=20.0)
    assert place.delays == [1.5, 0.5, 0.25, 0.0]
    assert place.has_all()


def test_minutes_of_a_stream_add_up_and_an_older_count_takes_nothing_back() -> None:
    place = Sightings({"a": [1.0, 2.0, 3.0]})
    place.see_minute("a", "09:00", 2, at=4.0)
    place.see_minute("a", "09:00", 1, at=5.0)
    place.see_minute("a", "09:01", 1, at=6.0)
    place.see_minute("not a probe", "09:01", 9, at=6.0)
    assert place.delays == [3.0, 2.0, 3.0]


def test_what_is_seen_before_its_acknowledgement_waited_for_nothing() -> None:
    acknowledged = {"a": [1.0]}
    place = Sightings(acknowledged)
    place.see_total("a", 2, at=1.5)
    assert place.delays == [0.5, 0.0]
    acknowledged["a"].append(1.6)
    place.see_total("a", 2, at=1.7)
    assert place.delays == [0.5, 0.0]
    assert place.has_all()


async def test_a_sender_keeps_its_rate_and_puts_every_probe_in_each_body() -> None:
    door = RememberingDoor()
    sender = Sender(door, rate=200, streams=3, probes=("p", "q"))
    await sender.send(0.3)
    assert len(door.bodies) == 0.3 * BODIES_A_SECOND
    assert sender.sent == 60
    assert [len(times) for times in sender.acknowledged.values()] == [3, 3]
    for body in door.bodies:
        streams = [orjson.loads(line)["stream_id"] for line in body.splitlines()]
        assert streams[-2:] == ["p", "q"]


async def test_the_door_would_take_what_a_sender_sends() -> None:
    door = RememberingDoor()
    await Sender(door, rate=10, streams=3, probes=("p", "q")).send(0.1)
    raw, unreadable = read_ndjson(door.bodies[0])
    now = SystemClock().now()
    events, refused = check_events(raw, now=now, policy=TimePolicy(past=timedelta(minutes=1)))
    assert (unreadable, refused) == ([], [])
    # A rate that the probes alone exceed leaves only them.
    assert events["stream_id"].to_list() == ["p", "q"]


def test_delays_are_in_milliseconds() -> None:
    delays = Delays.of([number / 1000 for number in range(1, 201)])
    assert (delays.samples, delays.p50_ms, delays.p99_ms) == (200, 100, 198)


def test_growth_is_against_the_fewest_streams() -> None:
    few = CatchUp(1000, 1.0, 0.5, idle_bytes=100, resident_bytes=200)
    many = CatchUp(1000, 3.0, 1.0, idle_bytes=100, resident_bytes=2100)
    stages = compare_stages([(10, few), (100, many)])
    assert [(s.cpu_ratio, s.wall_ratio, s.bytes_a_stream) for s in stages] == [
        (1, 1, 10),
        (2, 3, 20),
    ]
    assert "| 100 | 333 | 1000.00 | 2.00 | 3.00 | 0 | 20 |" in write_stages(stages)


def test_a_folder_is_as_large_as_its_files(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "a").write_bytes(b"123")
    (tmp_path / "b").write_bytes(b"45")
    assert measure_folder(tmp_path) == 5


@pytest.mark.parametrize("chart", [None, "<svg/>"])
def test_a_measurement_is_saved_as_a_page_and_numbers(tmp_path: Path, chart: str | None) -> None:
    found = Restart(5, 100, 1, 0.5, 1.5, 2_000_000, 3_000_000)
    table = write_restart(found)
    page = save_measurement(
        Measurement("restart", "Restart", "What was done.", table, found, chart), tmp_path
    )
    assert page == (tmp_path / "restart.md").read_text(encoding="utf-8")
    assert "| caught up after the start | 1.50 s |" in page
    numbers = orjson.loads((tmp_path / "restart.json").read_bytes())
    assert numbers["found"]["first_s"] == 0.5
    assert numbers["machine"]["cores"] > 0
    assert (tmp_path / "restart.svg").exists() is (chart is not None)


def test_a_range_is_told_with_what_it_read() -> None:
    read = Reading(rows=90, buffers=97, chunks=2)
    found = Range("90 days, auto", "1d", 90, read, 200, 13.9, 41.4, 142.7, 4.2, 3.29)
    row = "| 90 days, auto | 1d | 90 | 13.9 ms | 41.4 ms | 142.7 ms | 3.29 | 90 | 2 | 97 |"
    assert row in write_ranges([found])


def test_no_question_about_a_range_is_asked_twice() -> None:
    history = History(streams=3, days=2)
    paths = [question.ask(history, n).path for question in QUESTIONS for n in range(20)]
    assert len(set(paths)) == len(paths)
    assert history.minutes == 3 * 2 * 1440
