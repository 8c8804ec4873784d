"""Bodies: checked, named and cut the same way whenever a block is read."""

import io
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import polars as pl
import pytest

from core.clock import ManualClock
from core.events import RejectedRow, TimePolicy, check_events
from core.tables import ROW
from streaming.connectors.files import bodies
from streaming.connectors.files.bodies import Body, BodyMaker, Cut, Window
from streaming.connectors.files.readers.base import Block, Position

NOW = datetime(2026, 3, 1, tzinfo=UTC)
AT = datetime(2026, 2, 1, tzinfo=UTC)


def make_block(times: list[str], *, first: int = 1, **columns: list[Any]) -> Block:
    count = len(times)
    events = pl.DataFrame(
        {
            ROW: range(first, first + count),
            "stream_id": ["a"] * count,
            "type": ["reading"] * count,
            "channel": ["volts"] * count,
            "timestamp": times,
            "value": [float(number) for number in range(count)],
            **columns,
        },
        schema_overrides={ROW: pl.Int64},
    )
    start, end = Position(0, first - 1), Position(1000, first - 1 + count)
    return Block(events, [], start, end, 1000)


def write_times(count: int, step: timedelta = timedelta(seconds=1)) -> list[str]:
    return [f"{AT + step * number:%Y-%m-%dT%H:%M:%SZ}" for number in range(count)]


def make_maker(window: Window | None = None, cut: Cut | None = None, **more) -> BodyMaker:
    return BodyMaker("file", ManualClock(NOW), window or Window(), cut=cut or Cut(), **more)


def read_rows(body: Body) -> list[dict[str, Any]]:
    return [
        row
        for piece in body.pieces
        for row in pl.read_ipc_stream(io.BytesIO(piece.arrow)).to_dicts()
    ]


def test_events_without_an_id_are_named_by_file_and_row():
    block = make_block(write_times(3), first=41, id=[None, "own", None])
    (body,) = make_maker().make(block)
    assert [event["id"] for event in read_rows(body)] == ["file-41", "own", "file-43"]
    assert (body.done, body.end) == (43, block.end)


def test_events_of_one_row_are_named_by_their_channels_too():
    block = make_block(write_times(2))
    wide = pl.concat([block.events, block.events.with_columns(channel=pl.lit("amps"))]).sort(ROW)
    (body,) = make_maker().make(Block(wide, [], block.start, block.end, 1))
    ids = [event["id"] for event in read_rows(body)]
    assert sorted(ids) == ["file-1-amps", "file-1-volts", "file-2-amps", "file-2-volts"]


def test_bodies_end_where_rows_end():
    block = make_block(write_times(10))
    wide = pl.concat([block.events, block.events.with_columns(channel=pl.lit("amps"))]).sort(ROW)
    made = list(make_maker(cut=Cut(events_max=6)).make(Block(wide, [], block.start, block.end, 1)))
    assert [body.done for body in made] == [3, 6, 9, 10]
    assert [body.events for body in made] == [6, 6, 6, 2]
    assert [body.end for body in made] == [None, None, None, block.end]


@pytest.mark.parametrize("after", range(11))
def test_bodies_after_any_row_that_was_decided_are_those_of_before(after):
    block, cut = make_block(write_times(10)), Cut(events_max=4)
    whole = list(make_maker(cut=cut).make(block))
    rest = list(make_maker(cut=cut).make(block, after=after))
    decided = [body for body in whole if body.done > after]
    if after in {0, 4, 8}:
        assert [body.pieces[0].digest for body in rest] == [
            body.pieces[0].digest for body in decided
        ]
    assert [line for body in rest for line in read_rows(body)] == [
        line for body in whole for line in read_rows(body) if int(line["id"].split("-")[1]) > after
    ]
    assert rest[-1].end == block.end


def test_bad_rows_are_named_with_the_body_around_them():
    times = write_times(8)
    times[2] = "never"
    block = make_block(times, value=[0.0, 1, 2, 3, 4, 5, float("nan"), 7])
    unreadable = Block(block.events, [RejectedRow(5, "odd")], block.start, block.end, 1)
    made = list(make_maker(cut=Cut(events_max=4)).make(unreadable))
    assert [[row.index for row in body.rejected] for body in made] == [[3], [5, 7]]
    assert [body.events for body in made] == [3, 3]


def test_a_block_of_bad_rows_is_decided_all_the_same():
    (body,) = make_maker().make(make_block(["never", "ever"]))
    assert body.pieces == []
    assert [row.index for row in body.rejected] == [1, 2]
    assert body.end is not None


def test_ticks_of_event_time_travel_apart():
    times = write_times(12, timedelta(seconds=10))
    times[5] = times[1]
    made = list(make_maker(cut=Cut(tick_us=60_000_000)).make(make_block(times)))
    # One that lies back travels with those around it.
    assert [body.events for body in made] == [6, 6]


def test_a_body_fits_into_every_door(monkeypatch):
    monkeypatch.setattr(bodies, "BODY_BYTES_MAX", 3000)
    (body,) = make_maker().make(make_block(write_times(300)))
    assert len(body.pieces) > 8
    assert all(len(piece.arrow) <= 3000 for piece in body.pieces)
    assert [event["value"] for event in read_rows(body)] == list(range(300))


def test_times_are_moved_together():
    shift = timedelta(days=28)
    (body,) = make_maker(shift=shift).make(make_block(write_times(2)))
    assert [event["timestamp"] for event in read_rows(body)] == [
        AT + shift,
        AT + shift + timedelta(seconds=1),
    ]


def test_the_window_is_what_the_api_says_of_it():
    block, window = make_block(write_times(2)), Window()
    (body,) = make_maker(window).make(block)
    assert body.rejected == []
    # In the words of the door itself.
    raw = block.events.drop(ROW).with_row_index("index")
    _, refused = check_events(raw, now=NOW, policy=TimePolicy(past=timedelta(days=20)))
    window.learn("text is missing")
    assert window.past is None
    window.learn(refused[0].reason)
    assert window.past == timedelta(days=20)
    (body,) = make_maker(window).make(block)
    assert [row.reason for row in body.rejected] == [row.reason for row in refused]


def test_rows_never_go_back():
    made = list(make_maker(cut=Cut(events_max=3)).make(make_block(write_times(10))))
    assert all(one.done < other.done for one, other in pairwise(made))
