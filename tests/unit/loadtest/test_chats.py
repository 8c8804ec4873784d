"""The lines that everybody is measured with."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from core.events import TimePolicy, check_events
from core.ndjson import read_ndjson
from core.vocabulary import EMOTES as KNOWN_EMOTES
from loadtest.bench import chats
from loadtest.bench.bodies import read_bodies
from loadtest.bench.chats import WORDS, ChatOptions, draw_chats, provide_chats
from loadtest.peers.ours_lines import TIMES
from loadtest.peers.tasks import EMOTES

SMALL = ChatOptions(events=20_000, minutes=3)


def draw(options: ChatOptions) -> pl.DataFrame:
    return pl.concat(draw_chats(options))


def test_the_same_options_give_the_same_lines() -> None:
    assert draw(SMALL).equals(draw(SMALL))
    assert not draw(SMALL).equals(draw(replace(SMALL, seed=8)))


def test_a_file_is_written_once_and_another_for_other_options(tmp_path: Path) -> None:
    file = provide_chats(tmp_path, SMALL)
    file.write_bytes(b"kept")
    assert provide_chats(tmp_path, SMALL).read_bytes() == b"kept"
    assert provide_chats(tmp_path, replace(SMALL, seed=8)) != file
    assert len(list(tmp_path.iterdir())) == 2


def test_the_door_takes_every_line(tmp_path: Path) -> None:
    body = provide_chats(tmp_path, SMALL).read_bytes()
    raw, unreadable = read_ndjson(body)
    events, refused = check_events(raw, now=SMALL.started_at, policy=TimePolicy())
    assert (unreadable, refused) == ([], [])
    assert events.height == SMALL.events
    assert 100 < len(body) / SMALL.events < 150
    assert TimePolicy().past < TIMES.past


def test_times_cover_the_minutes_and_are_a_little_out_of_order() -> None:
    times = draw(SMALL)["timestamp"].str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ")
    assert times.dt.truncate("1m").n_unique() == SMALL.minutes
    behind_ms = (times.cum_max() - times).dt.total_milliseconds()
    assert 0 < behind_ms.max() <= chats.DISORDER_MS  # type: ignore[operator]


def test_some_streams_users_and_texts_occur_far_more_often() -> None:
    frame = draw(SMALL)
    for column, share in (("stream_id", 0.1), ("user", 0.005), ("text", 0.01)):
        counts = frame[column].value_counts(sort=True)["count"]
        assert counts[0] / SMALL.events > share, column
        assert counts[-1] < counts[0] / 5, column


def test_every_option_changes_what_it_names() -> None:
    assert draw(replace(SMALL, streams=5))["stream_id"].n_unique() == 5
    assert draw(replace(SMALL, users=50))["user"].n_unique() == 50
    distinct = [draw(replace(SMALL, repeats=r))["text"].n_unique() for r in (0.0, 0.9)]
    assert distinct[0] > 3 * distinct[1]
    even = draw(replace(SMALL, stream_skew=0))["stream_id"].value_counts()["count"]
    assert even.max() < 1.2 * even.min()  # type: ignore[operator]
    words = draw(replace(SMALL, emotes=0))["text"].str.split(" ").explode()
    assert not words.is_in(EMOTES).any()


def test_more_lines_than_a_chunk_are_one_row_of_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chats, "EVENTS_A_CHUNK", 3000)
    frames = list(draw_chats(replace(SMALL, events=7000)))
    assert [frame.height for frame in frames] == [3000, 3000, 1000]
    assert frames[0]["timestamp"][-1] <= frames[2]["timestamp"][0]


def test_a_word_is_an_emote_for_ours_when_it_is_one_for_the_peers() -> None:
    assert set(EMOTES) <= set(KNOWN_EMOTES)
    assert set(KNOWN_EMOTES).isdisjoint(WORDS)


def test_bodies_are_whole_lines_and_all_of_them(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    file.write_bytes(b"one\ntwo\nthree\nfour\n")
    assert list(read_bodies(file, 5)) == [b"one\ntwo\n", b"three\n", b"four\n"]
    assert list(read_bodies(file, 4)) == [b"one\n", b"two\n", b"three\n", b"four\n"]
