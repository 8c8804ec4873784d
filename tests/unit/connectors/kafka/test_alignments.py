"""Alignments: nothing runs far ahead, nothing waits for ever, each partition keeps its order."""

from hypothesis import given
from hypothesis import strategies as st

from streaming.connectors.kafka.alignments import (
    AHEAD_MS_MAX,
    MESSAGES_MAX,
    SHELF_MESSAGES_MAX,
    STUCK_MS,
    Alignment,
)

CHAT, VIEWER = ("chat", 0), ("viewer", 0)
NOW = 10**12
HOUR = 3_600_000


def make_alignment() -> Alignment[int]:
    alignment = Alignment[int]()
    alignment.add(CHAT, NOW)
    alignment.add(VIEWER, NOW)
    return alignment


def test_what_is_far_ahead_waits_for_the_slowest():
    alignment = make_alignment()
    for number in range(120):
        alignment.put(CHAT, NOW - 2 * HOUR + number * 60_000, number, NOW)
    assert alignment.take(1000, NOW) == [], "nobody knows where the other begins"
    alignment.put(VIEWER, NOW - 2 * HOUR + 10 * 60_000, -1, NOW)
    assert alignment.take(1000, NOW) == [*range(10), 10, -1, 11]
    alignment.note_end(VIEWER, NOW)
    assert alignment.take(1000, NOW) == list(range(12, 120))


def test_a_partition_that_does_not_come_holds_the_others_up_no_more_after_a_while():
    alignment = make_alignment()
    later = NOW + STUCK_MS
    alignment.put(CHAT, NOW, 1, later)
    assert alignment.take(10, later - 1) == []
    assert alignment.take(10, later) == [1]


def test_a_full_shelf_is_fetched_from_again_when_half_of_it_is_gone():
    alignment = make_alignment()
    for number in range(SHELF_MESSAGES_MAX):
        alignment.put(CHAT, NOW, number, NOW)
    assert alignment.pace() == ([CHAT], [])
    assert alignment.pace() == ([], []), "it is told once"
    alignment.note_end(VIEWER, NOW)
    alignment.take(SHELF_MESSAGES_MAX // 2, NOW)
    assert alignment.pace() == ([], [CHAT])


def test_what_a_lost_partition_had_is_forgotten():
    alignment = make_alignment()
    alignment.put(CHAT, NOW, 1, NOW)
    alignment.drop(CHAT)
    alignment.put(CHAT, NOW, 2, NOW)
    alignment.note_end(CHAT, NOW)
    alignment.note_end(VIEWER, NOW)
    assert alignment.take(10, NOW) == []


def test_a_clock_that_runs_ahead_or_is_not_known_holds_nothing_up():
    alignment = make_alignment()
    alignment.put(CHAT, NOW + 24 * HOUR, 1, NOW)
    alignment.put(VIEWER, -1, 2, NOW)
    assert alignment.take(10, NOW) == [1, 2]


MESSAGES = st.lists(
    st.tuples(st.sampled_from([CHAT, VIEWER]), st.integers(NOW - 10 * HOUR, NOW)), max_size=60
)


@given(MESSAGES, st.integers(1, 7))
def test_all_is_handed_on_in_the_order_of_each_partition(
    messages: list[tuple[tuple[str, int], int]], limit: int
):
    alignment = make_alignment()
    taken: list[int] = []
    for number, (partition, time_ms) in enumerate(messages):
        alignment.put(partition, time_ms, number, NOW)
        taken += alignment.take(limit, NOW)
    alignment.note_end(CHAT, NOW)
    alignment.note_end(VIEWER, NOW)
    while part := alignment.take(limit, NOW):
        taken += part
    assert sorted(taken) == list(range(len(messages)))
    for partition in (CHAT, VIEWER):
        mine = [number for number in taken if messages[number][0] == partition]
        assert mine == sorted(mine)


@given(
    st.lists(st.integers(0, HOUR), min_size=1, max_size=40),
    st.lists(st.integers(0, HOUR), min_size=1, max_size=40),
)
def test_two_partitions_in_order_never_part_by_more_than_is_allowed(
    first: list[int], second: list[int]
):
    alignment = Alignment[tuple[str, int]]()
    alignment.add(CHAT, NOW)
    alignment.add(VIEWER, NOW)
    heard = {"chat": -1, "viewer": -1}
    waiting = {CHAT: sorted(first), VIEWER: sorted(second)}
    while any(waiting.values()):
        for partition, times in waiting.items():
            if times:
                time_ms = NOW - HOUR + times.pop(0)
                heard[partition[0]] = time_ms
                alignment.put(partition, time_ms, (partition[0], time_ms), NOW)
            else:
                alignment.note_end(partition, NOW)
                heard[partition[0]] = NOW
        for _, time_ms in alignment.take(1000, NOW):
            assert time_ms <= min(heard.values()) + AHEAD_MS_MAX


@given(
    st.lists(st.integers(0, HOUR), max_size=40),
    st.lists(st.integers(0, HOUR), max_size=40),
    st.integers(1, 9),
)
def test_what_lies_on_the_shelves_is_handed_on_oldest_first(
    first: list[int], second: list[int], limit: int
):
    alignment = Alignment[int]()
    for partition, times in ((CHAT, first), (VIEWER, second)):
        alignment.add(partition, NOW)
        for time_ms in sorted(times):
            alignment.put(partition, NOW - HOUR + time_ms, time_ms, NOW)
        alignment.note_end(partition, NOW)
    taken: list[int] = []
    while part := alignment.take(limit, NOW):
        taken += part
    assert taken == sorted([*first, *second])


def test_many_partitions_share_what_may_be_held():
    alignment = Alignment[int]()
    for number in range(MESSAGES_MAX // 10):
        alignment.add(("chat", number), NOW)
    for number in range(10):
        alignment.put(("chat", 0), NOW, number, NOW)
    assert alignment.count() == 10
    assert alignment.pace() == ([("chat", 0)], [])
