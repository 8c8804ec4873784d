"""Ids: the same in every process, language and release."""

import pytest

from core.ids import is_request_id, make_moment_id, make_request_id, shard_of


@pytest.mark.parametrize(
    ("stream_id", "shard"), [("northlight_live", 8), ("bench-07", 9), ("a", 3), ("", 0)]
)
def test_the_shard_of_a_stream_never_changes(stream_id: str, shard: int):
    assert shard_of(stream_id, 16) == shard


def test_streams_spread_over_all_shards():
    counts = [0] * 16
    for number in range(1600):
        counts[shard_of(f"stream-{number}", 16)] += 1
    assert min(counts) > 50


def test_a_moment_is_named_by_what_it_is():
    name = make_moment_id("a", "chat_spike", "chat_count", 5)
    assert name == make_moment_id("a", "chat_spike", "chat_count", 5)
    others = {
        make_moment_id("b", "chat_spike", "chat_count", 5),
        make_moment_id("a", "chat_drop", "chat_count", 5),
        make_moment_id("a", "chat_spike", "viewers", 5),
        make_moment_id("a", "chat_spike", "chat_count", 6),
        make_moment_id("a", "chat_spik", "echat_count", 5),
    }
    assert len(others) == 5
    assert name not in others
    assert name.startswith("mom_")


@pytest.mark.parametrize("text", ["a", "x" * 64, "req-1 {}", "req_46a4ace2b20049a8"])
def test_a_harmless_request_id_is_kept(text: str):
    assert is_request_id(text)


@pytest.mark.parametrize("text", ["", "x" * 65, "a\nb", "é", "a\x1b[31m", "\0"])
def test_a_request_id_that_could_forge_a_log_line_is_not(text: str):
    assert not is_request_id(text)


def test_request_ids_differ():
    made = {make_request_id() for _ in range(100)}
    assert len(made) == 100
    assert all(map(is_request_id, made))
