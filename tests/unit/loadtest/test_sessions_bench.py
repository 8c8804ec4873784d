"""Sessions bench: points as both sides are sent them, and what is said of takes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from loadtest.bench.session_sides import (
    CHANNELS,
    OURS,
    PEER,
    SPAN,
    STORED,
    Take,
    WrongAnswerError,
    ask_hour,
    compare_answers,
    draw_batch,
    draw_points,
    sum_up,
)
from loadtest.bench.sessions import COMMANDS, Found, judge, list_deeds, write_found
from loadtest.peers.listed_points import build
from tests.fixtures.apis import calling

BEGAN = datetime(2026, 1, 26, 9, tzinfo=UTC)
DEEDS = {deed.name: deed for deed in list_deeds("", is_quick=True)}


def take(rate: float, p50_ms: float = 1.0) -> Take:
    return Take(rate, p50_ms, 2 * p50_ms, 0.5)


def test_points_go_evenly_through_channels_and_time() -> None:
    points = draw_points(STORED, BEGAN)
    times = [datetime.fromisoformat(point["timestamp"]) for point in points]
    assert times == sorted(set(times))
    assert times[0] == BEGAN
    assert times[-1] < BEGAN + SPAN
    counts = {name: sum(point["channel"] == name for point in points) for name in CHANNELS}
    assert set(counts.values()) == {STORED // len(CHANNELS)}
    assert orjson.loads(draw_batch(5, BEGAN)) == {"data": draw_points(5, BEGAN)}


def test_requests_one_after_the_other_are_summed_up() -> None:
    found = sum_up([0.1, 0.3, 0.1], 50, cpu_seconds=0.06)
    assert found.rate == pytest.approx(300)
    assert (found.p50_ms, found.p99_ms) == (100, 300)
    assert found.cpu_ms == pytest.approx(20)


def test_more_in_a_second_is_faster_and_so_is_a_shorter_delay() -> None:
    takes = {OURS: [take(30, 4), take(10, 1)], PEER: [take(10, 2), take(20, 2)]}
    assert (judge(DEEDS["batch_5000"], takes).least, judge(DEEDS["shown_1"], takes).most) == (
        0.5,
        2.0,
    )


def test_the_table_has_a_row_for_each_deed_and_says_that_commands_never_ran() -> None:
    takes = {name: {OURS: [take(1500)], PEER: [take(500)]} for name in DEEDS}
    page = write_found(Found(takes, {each.name: [take(90)] for each in COMMANDS}))
    for deed in DEEDS.values():
        (row,) = [line for line in page.splitlines() if line.startswith(f"| {deed.label} |")]
        assert "3 (3 to 3)" in row or deed.is_delay
    assert page.count("| never |") == len(COMMANDS)


def test_answers_that_differ_in_more_than_their_ids_end_the_run() -> None:
    one: dict[str, Any] = {"id": "tel_1", "timestamp": "2026-01-26T09:00:00Z", "value": 1.0}
    same = {"id": "tel_2", "timestamp": "2026-01-26T09:00:00.000000+00:00", "value": 1.0}
    compare_answers("?", [{"data": [one]}, {"data": [same]}])
    with pytest.raises(WrongAnswerError):
        compare_answers("?", [{"data": [one]}, {"data": [same | {"value": 2.0}]}])
    with pytest.raises(WrongAnswerError):
        compare_answers("?", [one, None])


async def test_the_peer_tells_what_it_was_sent() -> None:
    async with calling(build()) as client:
        session = (await client.post("/api/v1/sessions", json={"name": "x"})).json()["id"]
        path = f"/api/v1/sessions/{session}/telemetry"
        assert (await client.get(f"{path}/latest?channel={CHANNELS[0]}")).status_code == 404
        points = draw_points(100, BEGAN)
        sent = await client.post(f"{path}/batch", json={"data": points})
        assert sent.json() == {"created": 100}
        newer = points[0] | {"timestamp": (BEGAN + timedelta(days=1)).isoformat(), "value": 7.0}
        assert (await client.post(path, json=newer)).status_code == 201
        latest = (await client.get(f"{path}/latest?channel={CHANNELS[0]}")).json()
        assert latest["value"] == 7.0
        channels = (await client.get(f"{path}/channels")).json()
        assert channels == {"channels": sorted(CHANNELS)}
        rows = (await client.get(f"{path}{ask_hour(BEGAN)}")).json()["data"]
        start = BEGAN + timedelta(hours=1)
        assert [row["timestamp"] for row in rows] == sorted(
            (
                datetime.fromisoformat(point["timestamp"]).isoformat().replace("+00:00", "Z")
                for point in points
                if point["channel"] == CHANNELS[0]
                and start <= datetime.fromisoformat(point["timestamp"]) < start + timedelta(hours=1)
            ),
            reverse=True,
        )
        assert len(rows) == 5
        await client.delete(f"/api/v1/sessions/{session}")
        assert (await client.get(f"{path}/channels")).status_code == 404
