"""Scenarios: what a label says is in the events, and what no label says is not.

The worlds of all scenarios share their chance, so that each can be held against the calm one.
"""

from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeAlias

import orjson
import polars as pl
import pytest

from streaming.simulator.incidents import EFFECTS, FAULT_KINDS
from streaming.simulator.labels import write_labels
from streaming.simulator.paces import find_chat_rate
from streaming.simulator.profiles import list_profiles
from streaming.simulator.scenarios import SCENARIOS
from streaming.simulator.tables import Tables
from streaming.simulator.worlds import FADE_MS, World

Label: TypeAlias = dict[str, Any]

START_MS = 1_772_647_200_000
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
SPAN_MS = 40 * MINUTE_MS
"""In it comes an incident of every kind."""

PROFILES = list_profiles(8)
EVENTFUL = [name for name in SCENARIOS if name != "calm"]

TYPES = {"chat_count": "chat", "transaction_count": "transaction", "avg_viewers": "viewers"}
CHATS = {profile.stream_id for profile in PROFILES if profile.chat_share}
SIZES = {(p.stream_id, c.name): abs(c.fault_size) for p in PROFILES for c in p.channels}
NOISES = {(p.stream_id, c.name): c.noise for p in PROFILES for c in p.channels}


def make_world(scenario: str, streams: int = 8, chat_rate: float = 300.0, seed: int = 7) -> World:
    return World(seed, list_profiles(streams), chat_rate, SCENARIOS[scenario])


@cache
def list_span(scenario: str) -> pl.DataFrame:
    """Return a span of events, generated once for all tests."""
    world = make_world(scenario)
    tables = Tables(world.profiles)
    return pl.concat(map(tables.make_frame, world.rows_between(START_MS, START_MS + SPAN_MS)))


@cache
def list_labels(scenario: str) -> tuple[Label, ...]:
    """Return the labels of what lies within that span as a whole."""
    world = make_world(scenario)
    incidents = world.incidents_between(START_MS, START_MS + SPAN_MS)
    labels = [
        orjson.loads(line)
        for incident in incidents
        if incident.start_ms >= START_MS and incident.end_ms <= START_MS + SPAN_MS
        for line in write_labels(world, incident)
    ]
    times = ("started_at", "peak_at", "ended_at")
    return tuple(
        each | {name: datetime.fromisoformat(each[name]) for name in times} for each in labels
    )


def test_the_span_has_an_incident_of_every_kind():
    kinds = {str(label["kind"]) for name in EVENTFUL for label in list_labels(name)}
    assert kinds == {*EFFECTS, *FAULT_KINDS}


def pick(scenario: str, **wanted: str) -> list[Label]:
    chosen = [each for each in list_labels(scenario) if wanted.items() <= each.items()]
    assert chosen
    return chosen


@cache
def part_span(scenario: str) -> dict[tuple[object, ...], pl.DataFrame]:
    """Return the events of that span by stream and type."""
    return list_span(scenario).partition_by("stream_id", "type", as_dict=True)


def find_events(scenario: str, label: Label, event_type: str) -> pl.DataFrame:
    """Return the events of a label's stream while it is felt in full."""
    part = part_span(scenario).get((label["stream_id"], event_type))
    if part is None:
        return pl.DataFrame(schema=list_span(scenario).schema)
    return part.filter(
        pl.col("timestamp").is_between(label["peak_at"], label["ended_at"], closed="left")
    )


def measure_viewers(scenario: str, label: Label) -> float:
    counts = find_events(scenario, label, "viewers")["value"]
    return float(counts.sum()) / max(len(counts), 1)


def find_readings(scenario: str, label: Label) -> pl.Series:
    is_of_fault = pl.col("timestamp").is_between(
        label["started_at"], label["ended_at"], closed="left"
    )
    return list_span(scenario).filter(
        is_of_fault, stream_id=label["stream_id"], channel=label["channel"]
    )["value"]


@pytest.mark.parametrize("scenario", EVENTFUL)
def test_a_labelled_chat_has_as_many_messages_as_its_label_says(scenario):
    for label in pick(scenario, metric="chat_count"):
        usual, seen = (find_events(name, label, "chat").height for name in ("calm", scenario))
        assert seen / usual == pytest.approx(label["magnitude"], rel=0.15, abs=0.02), label


@pytest.mark.parametrize("scenario", EVENTFUL)
def test_labelled_viewers_are_as_many_as_their_label_says(scenario):
    for label in pick(scenario, metric="avg_viewers"):
        usual, seen = (measure_viewers(name, label) for name in ("calm", scenario))
        assert seen / usual == pytest.approx(label["magnitude"], rel=0.2, abs=0.02), label


@pytest.mark.parametrize("scenario", EVENTFUL)
def test_more_or_less_is_given_as_labels_say(scenario):
    labels = pick(scenario, metric="transaction_count")
    usual = [find_events("calm", label, "transaction").height for label in labels]
    seen = [find_events(scenario, label, "transaction").height for label in labels]
    expected = sum(
        count * float(str(label["magnitude"])) for count, label in zip(usual, labels, strict=True)
    )
    assert sum(seen) == pytest.approx(expected, rel=0.15, abs=3)


@pytest.mark.parametrize("scenario", EVENTFUL)
def test_labels_and_events_agree_on_the_direction_of_every_minute(scenario):
    minutes = count_minutes(scenario)
    for label in pick(scenario, metric="chat_count"):
        before = pick_minutes(
            minutes, label, label["started_at"] - timedelta(minutes=3), "started_at"
        )
        during = pick_minutes(minutes, label, label["peak_at"], "ended_at")
        if before and during and is_undisturbed(scenario, label):
            is_up = min(during) > 1.4 * max(before)
            is_down = max(during) < 0.6 * min(before)
            assert (is_up, is_down) == (label["direction"] == "up", label["direction"] == "down")


@cache
def count_minutes(scenario: str) -> pl.DataFrame:
    whole = pl.col("timestamp").dt.truncate("1m")
    counts = list_span(scenario).filter(type="chat").group_by("stream_id", minute=whole).len()
    minutes = list_span("calm").select(minute=whole).unique()
    streams = pl.DataFrame({"stream_id": sorted(CHATS)})
    return streams.join(minutes, how="cross").join(counts, on=["stream_id", "minute"], how="left")


def pick_minutes(minutes: pl.DataFrame, label: Label, start: datetime, end: str) -> list[int]:
    whole = pl.col("minute") + timedelta(minutes=1) <= label[end]
    chosen = minutes.filter(pl.col("minute") >= start, whole, stream_id=label["stream_id"])
    return chosen.sort("minute")["len"].fill_null(0).to_list()


def is_undisturbed(scenario: str, label: Label) -> bool:
    """Whether nothing else of its stream was felt in the minutes before."""
    long_before = label["started_at"] - timedelta(minutes=10)
    world = make_world(scenario)
    start_ms, end_ms = (round(at.timestamp() * 1000) for at in (long_before, label["started_at"]))
    near = world.incidents_between(start_ms, end_ms)
    return all(each.stream_id != label["stream_id"] for each in near)


@pytest.mark.parametrize("scenario", ["raid", "outage"])
def test_a_labelled_channel_behaves_as_its_label_says(scenario):
    for label in pick(scenario, metric="reading"):
        usual, seen = find_readings("calm", label), find_readings(scenario, label)
        place = (str(label["stream_id"]), str(label["channel"]))
        shift = (seen - usual) if len(seen) == len(usual) else None
        match label["kind"]:
            case "spike":
                assert shift is not None
                assert shift.mean() == pytest.approx(label["magnitude"], rel=0.01)
            case "drift":
                assert shift is not None
                assert shift[-1] == pytest.approx(label["magnitude"], rel=0.1)
                assert abs(shift[0]) < 0.1 * SIZES[place]
            case "noise":
                assert seen.to_numpy().std() > 5 * NOISES[place]
            case "stuck":
                assert (seen.n_unique(), usual.n_unique() > 1) == (1, True)
            case _:
                assert (len(seen), len(usual) > 0) == (0, True)


@pytest.mark.parametrize("scenario", EVENTFUL)
def test_what_no_label_covers_is_as_in_the_calm_world(scenario):
    world = make_world(scenario)
    incidents = world.incidents_between(START_MS - FADE_MS, START_MS + SPAN_MS)
    at_ms = pl.col("timestamp").dt.epoch("ms")
    block_ms = at_ms // 10_000 * 10_000
    is_felt = pl.any_horizontal(
        (pl.col("stream_id") == each.stream_id)
        & (block_ms + 10_000 > each.start_ms)
        & (block_ms < each.end_ms + FADE_MS)
        for each in incidents
    )
    calm, seen = (list_span(name).filter(~is_felt) for name in ("calm", scenario))
    assert calm.height > 0.04 * list_span("calm").height
    assert seen.equals(calm)


def test_a_calm_world_has_no_labels_and_nothing_to_label():
    assert make_world("calm").incidents_between(START_MS, START_MS + 24 * HOUR_MS) == []
    counts = count_minutes("calm")
    jump = pl.col("len") / pl.col("len").shift(1).over("stream_id", order_by="minute")
    jumps = counts.select(jump.alias("jump")).drop_nulls()["jump"]
    assert jumps.is_between(0.75, 1.33).all()
    readings = list_span("calm").filter(type="reading")
    step = pl.col("value").diff().abs().over("stream_id", "channel")
    steps = readings.select("stream_id", "channel", step=step).drop_nulls()
    noise = pl.Series([NOISES[row] for row in steps.select("stream_id", "channel").iter_rows()])
    assert (steps["step"] < 9 * noise).all()
    gap = pl.col("timestamp").diff().over("stream_id", "channel")
    assert readings.select(gap.max()).item() <= timedelta(seconds=2)


def test_a_launch_lifts_all_chats_over_minutes():
    labels = pick("launch", metric="chat_count")
    assert {label["stream_id"] for label in labels} == CHATS
    for label in labels:
        rise = compare_minutes(label, label["started_at"], "peak_at")
        plateau = compare_minutes(label, label["peak_at"], "ended_at")
        assert rise == sorted(rise)
        assert len(rise) >= 3
        assert len(plateau) >= 7
        assert plateau == pytest.approx([label["magnitude"]] * len(plateau), rel=0.1)


def compare_minutes(label: Label, start: datetime, end: str) -> list[float]:
    """Return how many times as many messages a launch has in each minute as the calm world."""
    seen, usual = (
        pick_minutes(count_minutes(name), label, start, end) for name in ("launch", "calm")
    )
    return [one / other for one, other in zip(seen, usual, strict=True)]


def test_a_silent_stream_says_nothing_and_comes_back():
    silences = pick("outage", kind="silence", metric="chat_count")
    for label in silences:
        later = {"peak_at": label["ended_at"], "ended_at": label["ended_at"] + timedelta(minutes=1)}
        for event_type in TYPES.values():
            assert find_events("outage", label, event_type).is_empty()
        back = find_events("outage", {**label, **later}, "chat").height
        assert back == pytest.approx(
            find_events("calm", {**label, **later}, "chat").height, rel=0.1
        )


@pytest.mark.parametrize(
    ("streams", "rate", "minutes"),
    [(8, 500.0, 20), (3, 100.0, 40), (200, 20_000.0, 1)],
)
@pytest.mark.parametrize("hour", [4, 16])
def test_the_rate_of_all_events_is_the_one_asked_for(streams, rate, minutes, hour):
    chat_rate = find_chat_rate(list_profiles(streams), rate)
    world = make_world("calm", streams, chat_rate)
    start_ms = START_MS + hour * HOUR_MS
    count = sum(map(len, world.rows_between(start_ms, start_ms + minutes * MINUTE_MS)))
    assert count / minutes / 60 == pytest.approx(rate, rel=0.02)
