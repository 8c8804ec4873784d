"""Replays: archived events in the order of their arrival, under other names, at a chosen speed."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from rich.console import Console
from structlog.testing import capture_logs

from core.clock import ManualClock
from core.errors import InvalidError
from core.events import SCHEMA, TimePolicy, check_events, fill_columns
from core.ndjson import read_ndjson
from core.settings import Settings
from streaming.archive import replays
from streaming.archive.recounts import Span
from streaming.archive.replay import read_options, refuse_double_counting, replay
from streaming.archive.replays import ReplayPlan, cut_bodies, find_recording, find_shift
from tests.fixtures.archives import write_archive
from tests.fixtures.events import chat, make_entry, make_events, reading, transaction
from tests.fixtures.settings import make_settings
from tests.unit.simulator.scripted_apis import Reply, ScriptedApi

AT = datetime(2026, 1, 26, 10, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def make_plan(folder: Path, **more: object) -> ReplayPlan:
    span = Span(AT - timedelta(hours=2), AT + timedelta(hours=2))
    return ReplayPlan(**{"folder": folder, "span": span, "prefix": "replay-", **more})  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two shards, three entries that took turns, one of them late by an hour, two windows."""
    folder = tmp_path / "archive"
    entries = [
        (1, make_entry(AT, [chat(AT, "first", stream_id="b"), reading(AT, 2.5, stream_id="b")])),
        (0, make_entry(AT + SECOND, [chat(AT - timedelta(hours=1), "second", stream_id="a")])),
        (1, make_entry(AT + 15 * SECOND, [chat(AT, "third", stream_id="b"), transaction(AT)])),
    ]
    write_archive(folder, entries, shards=2)
    return folder


def list_events(plan: ReplayPlan, shift: timedelta = timedelta(0)) -> Iterator[dict[str, object]]:
    recording = find_recording(plan)
    assert recording is not None
    for body in cut_bodies(plan, recording, shift=shift):
        yield from map(orjson.loads, body.ndjson.splitlines())


def test_events_come_in_the_order_in_which_they_had_arrived(folder: Path):
    events = list(list_events(make_plan(folder)))
    assert [event.get("user") or event["type"] for event in events] == [
        "first",
        "reading",
        "second",
        "third",
        "transaction",
    ]
    assert {event["stream_id"] for event in events} == {"replay-a", "replay-b", "replay-northlight"}


def test_what_is_sent_is_what_was_archived(folder: Path):
    plan = make_plan(folder, prefix="", speed=None)
    recording = find_recording(plan)
    assert recording is not None
    sent = b"".join(body.ndjson for body in cut_bodies(plan, recording, shift=timedelta(0)))
    raw, unreadable = read_ndjson(sent)
    checked, rejected = check_events(raw, now=AT, policy=TimePolicy())
    assert (unreadable, rejected) == ([], [])
    expected = [
        chat(AT, "first", stream_id="b"),
        reading(AT, 2.5, stream_id="b"),
        chat(AT - timedelta(hours=1), "second", stream_id="a"),
        chat(AT, "third", stream_id="b"),
        transaction(AT),
    ]
    told = fill_columns(checked, SCHEMA.names()).select(SCHEMA.names())
    assert told.equals(make_events(expected))


def test_only_the_span_and_the_stream_that_were_named_are_replayed(folder: Path):
    only = make_plan(folder, stream_id="b")
    assert len(list(list_events(only))) == 3
    span = Span(AT - timedelta(hours=2), AT)
    assert [event["user"] for event in list_events(make_plan(folder, span=span))] == ["second"]
    assert find_recording(make_plan(folder, span=Span(AT + SECOND, AT + 2 * SECOND))) is None


def test_what_an_earlier_replay_brought_is_not_replayed_again(tmp_path: Path):
    events = [chat(AT), chat(AT, stream_id="replay-northlight")]
    write_archive(tmp_path, [(0, make_entry(AT, events))])
    sent = list(list_events(make_plan(tmp_path)))
    assert [event["stream_id"] for event in sent] == ["replay-northlight"]


def test_what_arrived_together_travels_together_and_no_body_is_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(replays, "BODY_EVENTS_MAX", 4)
    entries = [
        (0, make_entry(AT + number * SECOND / 10, [chat(AT)] * 3, number)) for number in range(5)
    ]
    write_archive(tmp_path, entries)

    def count(speed: float | None) -> list[int]:
        plan = make_plan(tmp_path, speed=speed)
        recording = find_recording(plan)
        assert recording is not None
        return [body.count for body in cut_bodies(plan, recording, shift=timedelta(0))]

    # Ticks of 250 ms at recorded speed, of 500 ms at twice that, and none at all.
    assert count(1.0) == [4, 4, 1, 4, 2]
    assert count(2.0) == [4, 4, 4, 3]
    assert count(None) == [4, 4, 4, 3]


@pytest.mark.parametrize(("speed", "ahead_s"), [(1.0, 15), (3.0, 5), (None, 0)])
def test_shifted_times_end_when_the_last_event_is_sent(folder: Path, speed, ahead_s: int):
    plan = make_plan(folder, speed=speed)
    recording = find_recording(plan)
    assert recording is not None
    now = AT + timedelta(days=9)
    shift = find_shift(recording, plan, now)
    assert recording.last_at + shift == now + ahead_s * SECOND
    times = [event["timestamp"] for event in list_events(plan, shift)]
    assert max(map(str, times)) <= (now + ahead_s * SECOND).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000", "http://localhost:8000/", "http://[::1]:8000"]
)
def test_a_product_is_not_sent_its_own_events_under_their_own_names(url: str):
    with pytest.raises(InvalidError, match="count twice"):
        refuse_double_counting(url, "http://127.0.0.1:8000", "")
    refuse_double_counting(url, "http://127.0.0.1:8000", "again-")
    refuse_double_counting(url, "http://127.0.0.1:8001", "")
    refuse_double_counting("http://telemetra.invalid:8000", "http://127.0.0.1:8000", "")


@pytest.mark.parametrize("speed", ["0x", "fast", "nan", "-1", "1e9"])
def test_a_speed_that_is_none_is_refused(speed: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        read_options([f"--speed={speed}"])
    assert "is not max" in capsys.readouterr().err


@dataclass(frozen=True)
class Command:
    """The command over the archive of a test."""

    settings: Settings

    def run(self, *arguments: str, end: str = "2026-01-26T12:00Z") -> tuple[str, int]:
        """Do what the command does once it has its settings."""
        given = ["--from", "2026-01-26T08:00Z", "--to", end, "--speed", "max", *arguments]
        return replay(self.settings, read_options(given), Console(quiet=True))


@pytest.fixture
def command(folder: Path) -> Command:
    return Command(make_settings(telemetra_data_dir=folder.parent))


def test_a_refusal_is_waited_for_and_the_same_body_goes_under_the_same_key(
    command: Command, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(time, "sleep", lambda _: None)
    replies = [Reply(429, {"Retry-After": "1"}), Reply(503), Reply(None), Reply(202)]
    with ScriptedApi(replies) as api, capture_logs():
        said, code = command.run("--url", api.url)
    assert (code, said.startswith("5 of 5 events replayed")) == (0, True)
    assert api.bodies[:4] == [api.bodies[0]] * 4
    assert api.keys[:4] == [api.keys[0]] * 4
    assert len(set(api.keys)) == len(set(api.bodies)) == len(api.bodies) - 3


def test_another_replay_sends_the_same_events_anew(command: Command):
    with ScriptedApi() as api:
        command.run("--url", api.url)
        command.run("--url", api.url)
    assert len(set(api.keys)) == 2 * len(set(api.bodies))


def test_rows_that_are_refused_are_told_and_end_it_with_1(command: Command):
    replies = [Reply(202, body=b'{"accepted": 2, "rejected": 1}'), Reply(413)]
    with ScriptedApi(replies) as api, capture_logs() as logs:
        said, code = command.run("--url", api.url)
    assert code == 1
    assert said.startswith("2 of 5 events replayed")
    assert "3 were refused" in said
    assert [line["event"] for line in logs] == ["events_rejected", "body_refused"]


def test_an_empty_span_is_said_and_nothing_is_sent(command: Command):
    with ScriptedApi() as api, pytest.raises(InvalidError, match=r"no events from 2026-01-26T08"):
        command.run("--url", api.url, end="2026-01-26T09:00Z")
    assert api.requests == []


def test_it_waits_as_long_as_the_events_were_apart(
    command: Command, monkeypatch: pytest.MonkeyPatch
):
    clock = ManualClock(AT)
    monkeypatch.setattr(time, "monotonic", lambda: clock.now().timestamp())
    monkeypatch.setattr(time, "sleep", lambda s: clock.advance(timedelta(seconds=s)))
    with ScriptedApi() as api:
        command.run("--url", api.url, "--speed", "5x")
    assert clock.now() - AT == 3 * SECOND
