"""Audio: formats by their first bytes, and where somebody speaks."""

import numpy as np
import pytest

from core.audio import (
    FRAME_SAMPLES,
    RATE_HZ,
    UTTERANCE_FRAMES_MAX,
    AudioFormat,
    find_format,
    find_utterances,
    is_silent,
    measure_levels,
)
from tests.fixtures.recordings import hum


def quiet(seconds: float) -> np.ndarray:
    return np.random.default_rng(2).normal(0, 20, round(seconds * RATE_HZ))


def loud(seconds: float) -> np.ndarray:
    return np.random.default_rng(3).normal(0, 4000, round(seconds * RATE_HZ))


def level(*parts: np.ndarray) -> np.ndarray:
    return measure_levels(np.concatenate(parts).astype(np.int16))


@pytest.mark.parametrize(
    ("head", "form"),
    [
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", AudioFormat.WAV),
        (b"RF64\xff\xff\xff\xffWAVEds64", AudioFormat.WAV),
        (b"fLaC\x00\x00\x00\x22\x10\x00\x10\x00\x00\x00\x00\x00", AudioFormat.FLAC),
        (b"OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", AudioFormat.OGG),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81", AudioFormat.WEBM),
        (b"\x00\x00\x00\x1cftypisom\x00\x00\x02\x00", AudioFormat.MP4),
        (b"RIFF\x24\x00\x00\x00AVI LIST", None),
        (b"#EXTM3U\n#EXTINF:", None),
        (b"ffconcat version", None),
        (b"ID3\x04\x00\x00\x00\x00\x00\x00", None),
        (b"", None),
    ],
)
def test_a_format_is_told_by_its_first_bytes(head: bytes, form: AudioFormat | None):
    assert find_format(head) is form


def test_silence_is_told_from_speech_and_a_click():
    click = loud(0.06)
    assert is_silent(level(np.zeros(RATE_HZ)))
    assert is_silent(level(quiet(3)))
    assert is_silent(level(quiet(1), click, quiet(1)))
    assert is_silent(level(np.zeros(10)))
    assert not is_silent(level(quiet(1), loud(0.3), quiet(1)))
    assert not is_silent(level(hum(2)))


def test_what_is_loud_without_a_pause_is_heard():
    assert not is_silent(level(loud(2)))


def test_a_pause_ends_an_utterance_and_a_breath_does_not():
    levels = level(quiet(1), loud(1), quiet(0.4), loud(1), quiet(1), loud(1), quiet(1))
    first, second = find_utterances(levels)
    assert first.start / RATE_HZ == pytest.approx(1 - 0.24, abs=0.05)
    assert first.end / RATE_HZ == pytest.approx(3.4 + 0.24, abs=0.05)
    assert second.start / RATE_HZ == pytest.approx(4.4 - 0.24, abs=0.05)


def test_a_long_utterance_is_cut_where_it_is_quietest():
    levels = level(loud(25), quiet(0.3), loud(25), quiet(0.3), loud(5))
    utterances = find_utterances(levels)
    cuts = [utterance.end / RATE_HZ for utterance in utterances[:-1]]
    assert cuts == [pytest.approx(25.1, abs=0.3), pytest.approx(50.4, abs=0.3)]
    assert all(
        utterance.end - utterance.start <= UTTERANCE_FRAMES_MAX * FRAME_SAMPLES
        for utterance in utterances
    )
    assert [utterance.start for utterance in utterances[1:]] == [
        utterance.end for utterance in utterances[:-1]
    ]


def test_nobody_speaks_in_nothing():
    assert find_utterances(level(np.zeros(0))) == []
