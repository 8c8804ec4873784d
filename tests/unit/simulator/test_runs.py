"""A run against a real HTTP server: who gets a past, in what order, and what is skipped."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import pairwise

import orjson
from structlog.testing import capture_logs

from streaming.ingest.clients import ApiClient
from streaming.ingest.senders import Sender
from streaming.simulator.labels import LabelFile
from streaming.simulator.profiles import list_profiles
from streaming.simulator.runs import Run
from streaming.simulator.worlds import World
from tests.unit.simulator.lines import Event, list_events
from tests.unit.simulator.scripted_apis import Reply, ScriptedApi
from tests.unit.simulator.sleepers import START, Sleeper

STREAMS = [profile.stream_id for profile in list_profiles(3)]


@contextmanager
def make_run(api: ScriptedApi, sleeper: Sleeper, rate: float = 5.0) -> Iterator[Run]:
    client = ApiClient(api.url)
    try:
        sender = Sender(client, sleeper.clock, sleeper.sleep)
        yield Run(World(7, list_profiles(3), rate), sender, sleeper.clock, sleeper.sleep)
    finally:
        client.close()


def read_events(api: ScriptedApi) -> list[Event]:
    return [orjson.loads(line) for body in api.bodies for line in body.splitlines()]


def read_time(event: Event) -> datetime:
    return datetime.fromisoformat(str(event["timestamp"]))


def test_new_streams_get_a_title_a_start_and_a_past():
    with ScriptedApi() as api, make_run(api, Sleeper()) as run:
        run.start(backfill_minutes=4)
    puts = [request for request in api.requests if request.method == "PUT"]
    assert [request.path for request in puts] == [f"/api/v1/streams/{name}" for name in STREAMS]
    assert orjson.loads(puts[0].body) == {"title": "Aurora watch from the Lofoten", "kind": "chat"}
    assert orjson.loads(puts[1].body)["kind"] == "bench"
    events = read_events(api)
    assert [event["event"] for event in events[:3]] == ["stream_start"] * 3
    assert {event["stream_id"] for event in events[3:]} == set(STREAMS)
    assert all(START - timedelta(minutes=4) <= read_time(event) < START for event in events)
    assert len({event["id"] for event in events}) == len(events)


def test_streams_are_looked_for_before_they_are_named():
    with ScriptedApi() as api, make_run(api, Sleeper()) as run:
        run.start(backfill_minutes=0)
    assert [request.method for request in api.requests] == ["GET"] * 3 + ["PUT"] * 3 + ["POST"]
    assert api.requests[0].path == f"/api/v1/streams/{STREAMS[0]}/metrics?limit=1"


def test_history_is_sent_oldest_first_all_streams_together():
    with ScriptedApi() as api, make_run(api, Sleeper()) as run:
        run.start(backfill_minutes=6)
    times = [read_time(event) for event in read_events(api)]
    assert times == sorted(times)
    assert times[-1] > START - timedelta(seconds=3)


def test_history_is_the_world_itself():
    with ScriptedApi() as api, make_run(api, Sleeper()) as run:
        run.start(backfill_minutes=3)
        now_ms = int(START.timestamp() * 1000)
        assert read_events(api)[3:] == list_events(run.world, now_ms - 180_000, now_ms)


def test_streams_that_exist_get_no_second_past():
    with ScriptedApi(known=STREAMS) as api, make_run(api, Sleeper()) as run:
        run.start(backfill_minutes=60)
    assert api.bodies == []


def test_only_new_streams_get_a_past():
    with ScriptedApi(known=STREAMS[:2]) as api, make_run(api, Sleeper()) as run:
        run.start(backfill_minutes=5)
    assert {event["stream_id"] for event in read_events(api)} == {STREAMS[2]}


def test_history_continues_into_live_without_a_gap_or_an_overlap():
    with ScriptedApi() as api, make_run(api, sleeper := Sleeper()) as run:
        run.start(backfill_minutes=2)
        run.send_live(10)
        end_ms = run.clock.now_ms()
        wanted = list_events(run.world, end_ms - 130_000, end_ms - 250)
    assert read_events(api)[3:] == wanted
    assert set(sleeper.pauses_s) == {0.25}


def test_a_refused_title_is_logged_and_nothing_more():
    with ScriptedApi(known=STREAMS) as api, make_run(api, Sleeper()) as run, capture_logs() as logs:
        run.start(backfill_minutes=0)
    refused = [line["stream_id"] for line in logs if line["event"] == "title_refused"]
    assert refused == STREAMS


def test_after_a_blocked_time_it_goes_on_at_the_present_and_says_what_was_skipped():
    away = Reply(503, {"Retry-After": "40"})
    with (
        ScriptedApi([Reply(), away], known=STREAMS) as api,
        make_run(api, Sleeper(), rate=200) as run,
        capture_logs() as logs,
    ):
        run.start(backfill_minutes=60)
        run.send_live(50)
    skipped = [line["seconds"] for line in logs if line["event"] == "seconds_skipped"]
    assert skipped == [40.0]
    times = sorted({read_time(event) for event in read_events(api)})
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert sum(gap > timedelta(seconds=30) for gap in gaps) == 1


def test_a_clock_set_back_does_not_silence_the_run():
    def set_back(_: float) -> None:
        if len(sleeper.pauses_s) == 8:
            sleeper.clock.advance(timedelta(seconds=-30))

    sleeper = Sleeper(set_back)
    with ScriptedApi(known=STREAMS) as api, make_run(api, sleeper, rate=200) as run:
        run.start(backfill_minutes=0)
        with capture_logs() as logs:
            run.send_live(4)
    assert [line["seconds"] for line in logs] == [-29.75]
    times = [read_time(event) for event in read_events(api)]
    assert sum(time < START - timedelta(seconds=20) for time in times) > 100


def test_a_span_is_sent_as_fast_as_it_goes():
    with ScriptedApi() as api, make_run(api, sleeper := Sleeper()) as run:
        now_ms = run.clock.now_ms()
        run.send_span(now_ms - 90_000, now_ms)
    assert read_events(api) == list_events(run.world, now_ms - 90_000, now_ms)
    assert sleeper.pauses_s == []


def test_a_span_is_sent_as_many_times_faster_as_asked():
    with ScriptedApi() as api, make_run(api, sleeper := Sleeper()) as run:
        now_ms = run.clock.now_ms()
        run.send_span(now_ms - 600_000, now_ms, speed=60.0)
    assert read_events(api) == list_events(run.world, now_ms - 600_000, now_ms)
    assert sum(sleeper.pauses_s) == 10.0


def test_what_is_sent_is_labelled(tmp_path):
    world = World(7, list_profiles(3), 5.0)
    with ScriptedApi() as api, LabelFile(tmp_path / "labels", world) as labels:
        sleeper, client = Sleeper(), ApiClient(api.url)
        sender = Sender(client, sleeper.clock, sleeper.sleep)
        run = Run(world, sender, sleeper.clock, sleeper.sleep, labels)
        run.start(backfill_minutes=20)
        run.send_live(300)
        client.close()
    now_ms = int(START.timestamp() * 1000)
    assert labels.incidents == len(world.incidents_between(now_ms - 1_200_000, now_ms + 300_000))
