"""Encodings: whole bodies come back, damaged ones are refused, and bombs never go off."""

import contextlib
import gzip
import tracemalloc
from collections.abc import Callable

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from core.encodings import PARTS_MAX, STEP_BYTES, decode_body
from core.errors import BadRequestError, TooLargeError

LIMIT = 1_000_000
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "zstd": zstd.compress,
}
each = pytest.mark.parametrize("encoding", COMPRESS)


@each
@given(parts=st.lists(st.binary(max_size=200_000), min_size=1, max_size=4))
def test_what_was_compressed_in_one_or_more_parts_comes_back(encoding: str, parts: list[bytes]):
    body = b"".join(map(COMPRESS[encoding], parts))
    assert decode_body(body, encoding, bytes_max=LIMIT) == b"".join(parts)


def test_a_plain_body_stays_as_it_is():
    assert decode_body(b"plain", "identity", bytes_max=LIMIT) == b"plain"


@each
def test_the_limit_is_that_of_the_plain_body(encoding: str):
    body = COMPRESS[encoding](b"x" * LIMIT)
    assert len(decode_body(body, encoding, bytes_max=LIMIT)) == LIMIT
    with pytest.raises(TooLargeError, match="1 MB once it is decompressed"):
        decode_body(COMPRESS[encoding](b"x" * (LIMIT + 1)), encoding, bytes_max=LIMIT)


@each
def test_a_bomb_takes_no_more_memory_than_the_limit(encoding: str):
    bomb = COMPRESS[encoding](bytes(300 * LIMIT))
    assert len(bomb) < LIMIT
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeError):
            decode_body(bomb, encoding, bytes_max=LIMIT)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * LIMIT


@each
@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_body_that_is_cut_off_is_refused(encoding: str, cut: int):
    body = COMPRESS[encoding](bytes(range(256)) * 500)
    with pytest.raises(BadRequestError, match="ends before"):
        decode_body(body[:-cut], encoding, bytes_max=LIMIT)
    with pytest.raises(BadRequestError, match="ends before"):
        decode_body(b"", encoding, bytes_max=LIMIT)


@each
def test_what_follows_the_end_must_be_another_part(encoding: str):
    with pytest.raises(BadRequestError, match=f"not {encoding}"):
        decode_body(COMPRESS[encoding](b"x") + b"y" * 20, encoding, bytes_max=LIMIT)


@each
def test_there_is_a_limit_to_the_number_of_parts(encoding: str):
    empty = COMPRESS[encoding](b"")
    assert decode_body(empty * PARTS_MAX, encoding, bytes_max=LIMIT) == b""
    with pytest.raises(TooLargeError, match="compressed parts"):
        decode_body(empty * (PARTS_MAX + 1), encoding, bytes_max=LIMIT)


def test_a_window_that_nobody_must_hold_is_refused():
    options: dict[int, int] = {zstd.CompressionParameter.window_log: 25}
    compressor = zstd.ZstdCompressor(options=options)
    body = compressor.compress(bytes(STEP_BYTES)) + compressor.flush()
    with pytest.raises(BadRequestError, match="not zstd"):
        decode_body(body, "zstd", bytes_max=LIMIT)


@each
@given(data=st.data())
def test_a_damaged_body_is_refused_or_read_and_nothing_else(encoding: str, data: st.DataObject):
    body = bytearray(COMPRESS[encoding](b"some lines\n" * 100))
    at = data.draw(st.integers(0, len(body) - 1))
    body[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    with contextlib.suppress(BadRequestError, TooLargeError):
        assert isinstance(decode_body(bytes(body), encoding, bytes_max=LIMIT), bytes)
