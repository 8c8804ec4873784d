"""Backlogs: what is kept has positions, in the publication and in the chunks the same ones."""

import orjson
import pytest

from core.backlogs import (
    CHUNK_BYTES_MAX,
    ENTRIES_MAX,
    list_publication,
    unpack_chunk,
    unpack_publication,
)
from core.live import LiveMessage


def message(kind: str, number: int, size: int = 0) -> LiveMessage:
    body = orjson.dumps({"type": kind, "number": number, "text": "x" * size})
    return LiveMessage("s", kind, str(number), body)


def list_chunks(messages: list[LiveMessage]) -> list[tuple[int, bytes]]:
    """Return how many messages each chunk has, and its bytes."""
    chunks = list_publication("channel", messages)[4:]
    return list(zip(chunks[::2], chunks[1::2], strict=True))  # type: ignore[arg-type]


def test_only_what_is_kept_has_a_position():
    kinds = ["metrics", "minute", "reading", "moment", "stream"]
    told = [message(kind, number) for number, kind in enumerate(kinds)]
    packed = list_publication("channel", told)[1]
    assert isinstance(packed, bytes)
    gap, heard = unpack_publication(b"100 7\n" + packed)
    assert gap == 7
    assert [one.position for one in heard] == [None, 100, None, 101, 102]
    assert [orjson.loads(one.body).get("position") for one in heard] == [None, 100, None, 101, 102]
    assert [(one.kind, one.key) for one in heard] == [(one.kind, one.key) for one in told]
    ((count, chunk),) = list_chunks(told)
    assert [one.position for one in unpack_chunk(102, count, chunk)] == [100, 101, 102]


def test_nothing_to_keep_is_no_chunk():
    assert list_chunks([message("metrics", 1)]) == []


def test_a_large_publication_is_cut_into_chunks_that_lose_nothing():
    told = [message("minute", number, size=1000) for number in range(100)]
    chunks = list_chunks(told)
    assert all(len(chunk) < CHUNK_BYTES_MAX + 2000 for _, chunk in chunks)
    last, numbers = 0, []
    for count, chunk in chunks:
        last += count
        numbers += [(one.position, one.key) for one in unpack_chunk(last, count, chunk)]
    assert numbers == [(number + 1, str(number)) for number in range(100)]


def test_of_more_than_fits_only_the_end_is_sent():
    size = CHUNK_BYTES_MAX
    chunks = list_chunks([message("minute", n, size) for n in range(ENTRIES_MAX + 2)])
    assert [bool(chunk) for _, chunk in chunks] == [False] * 2 + [True] * ENTRIES_MAX
    assert {count for count, _ in chunks} == {1}


@pytest.mark.parametrize("rubbish", [b"", b"no", b"\xff\x1f\x1f", b"a\x1fb\nc", b"1\nc", b"1 0\nc"])
def test_what_somebody_else_published_is_refused(rubbish: bytes):
    with pytest.raises(ValueError, match=r"."):
        unpack_publication(rubbish)
