"""Lines: blocks of whole lines, cut the same way wherever reading begins."""

import io
import random

import pytest

from streaming.connectors.files import lines
from streaming.connectors.files.lines import cut_lines, find_last_break


class Dripping:
    """Bytes that come a few at a time, as from a pipe."""

    def __init__(self, text: bytes, seed: int) -> None:
        self._file = io.BytesIO(text)
        self._rng = random.Random(seed)

    def read(self, size: int, /) -> bytes:
        return self._file.read(min(size, self._rng.randint(1, 40)))


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(lines, "BLOCK_BYTES", 64)
    monkeypatch.setattr(lines, "LINE_BYTES_MAX", 200)


def make_text(seed: int, count: int = 60) -> bytes:
    rng = random.Random(seed)
    made = (b"x" * rng.choice([0, 1, 5, 20, 90]) for _ in range(count))
    return b"\n".join(made)


@pytest.mark.parametrize("seed", range(8))
def test_blocks_are_whole_lines_and_all_of_them(seed):
    text = make_text(seed)
    found = list(cut_lines(io.BytesIO(text), 0, has_quotes=False))
    assert b"".join(each.text for each in found) == text
    assert all(each.text.endswith(b"\n") for each in found[:-1])
    assert found[-1].end == len(text)


@pytest.mark.parametrize("seed", range(8))
def test_reading_begins_at_any_block_and_cuts_the_same(seed):
    text = make_text(seed)
    found = list(cut_lines(io.BytesIO(text), 0, has_quotes=False))
    for place, block in enumerate(found[:-1]):
        again = list(cut_lines(io.BytesIO(text[block.end :]), block.end, has_quotes=False))
        assert again == found[place + 1 :]


@pytest.mark.parametrize("seed", range(4))
def test_a_pipe_loses_nothing(seed):
    text = make_text(seed)
    found = list(cut_lines(Dripping(text, seed), 0, has_quotes=False))
    assert b"".join(each.text for each in found) == text


def test_a_break_between_quotes_ends_no_line():
    text = b'a,"one\ntwo"\nb,"three\n'
    assert find_last_break(text, has_quotes=True) == len(b'a,"one\ntwo"\n')
    assert find_last_break(text, has_quotes=False) == len(text)


def test_a_quote_that_nobody_closes_holds_nothing_up():
    text = b'a,"never\n' + b"b,c\n" * 100
    found = list(cut_lines(io.BytesIO(text), 0, has_quotes=True))
    assert b"".join(each.text for each in found) == text
    assert len(found) > 2


@pytest.mark.parametrize("tail", [b"", b"\n", b"\nlast\n"])
def test_a_line_too_long_is_passed_over_and_not_held(tail):
    text = b"first\n" + b"y" * 5000 + tail
    found = list(cut_lines(io.BytesIO(text), 0, has_quotes=False))
    long = [each for each in found if each.is_too_long]
    assert len(long) == 1
    assert len(long[0].text) <= 1000
    kept = b"".join(each.text for each in found if not each.is_too_long)
    assert kept == b"first\n" + tail[1:]
    assert found[-1].end == len(text)


def test_nothing_has_no_lines():
    assert list(cut_lines(io.BytesIO(b""), 0, has_quotes=True)) == []
