"""Audio: what a recording is, by its first bytes, and where in it somebody speaks.

    bytes -> format        16 kHz samples -> levels -> utterances

Pure. ``streaming.audio`` decodes, ``api.stt_tasks`` refuses, ``streaming.jobs`` transcribes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

RATE_HZ: Final = 16_000
"""Samples a second of decoded audio, one channel: what recognisers are trained on."""

SAMPLE_BYTES: Final = 2
SECOND_BYTES: Final = RATE_HZ * SAMPLE_BYTES

HEAD_BYTES: Final = 16
"""As much as tells the format."""

FRAME_SAMPLES: Final = 480
"""A level is taken every 30 ms: shorter than any sound of speech."""

LEVEL_MIN: Final = 120.0
"""Of 32 768: 49 dB below full scale. A microphone that nobody speaks into stays below it."""

LEVEL_SURE: Final = 600.0
"""Whatever is louder than this may be speech, however loud the rest is."""

ABOVE_FLOOR: Final = 3.0
"""Speech is so many times louder than the quietest tenth of its recording."""

LOUD_FRAMES_MIN: Final = 5
"""150 ms: the shortest word there is."""

GAP_FRAMES_MAX: Final = 20
"""600 ms: a longer pause ends an utterance."""

MARGIN_FRAMES: Final = 8
"""240 ms before and after: where consonants are too quiet to be found."""

UTTERANCE_FRAMES_MAX: Final = 1000
"""30 s: a longer one is cut where it is quietest, so that memory and steps stay small."""

Levels: TypeAlias = npt.NDArray[np.float32]
Samples: TypeAlias = npt.NDArray[np.int16]


class AudioFormat(StrEnum):
    """A container that is taken; its value is also the end of the file's name."""

    WAV = "wav"
    FLAC = "flac"
    OGG = "ogg"
    WEBM = "webm"
    MP4 = "mp4"


FORMATS: Final = "WAV, FLAC, OGG, WebM or MP4"


@dataclass(frozen=True, slots=True)
class Utterance:
    """A stretch in which somebody speaks, in samples."""

    start: int
    end: int


def find_format(head: bytes) -> AudioFormat | None:
    """Return the format that the first bytes tell, whatever the file is called."""
    if head[:4] in {b"RIFF", b"RF64"} and head[8:12] == b"WAVE":
        return AudioFormat.WAV
    if head[4:8] == b"ftyp":
        return AudioFormat.MP4
    starts = {
        b"fLaC": AudioFormat.FLAC,
        b"OggS": AudioFormat.OGG,
        b"\x1a\x45\xdf\xa3": AudioFormat.WEBM,
    }
    return starts.get(head[:4])


def measure_levels(samples: Samples) -> Levels:
    """Return how loud each frame is; what is less than a frame at the end is left out."""
    count = len(samples) // FRAME_SAMPLES
    frames = samples[: count * FRAME_SAMPLES].reshape(count, FRAME_SAMPLES).astype(np.float32)
    levels: Levels = np.sqrt((frames**2).mean(axis=1))
    return levels


def is_silent(levels: Levels) -> bool:
    """Tell whether nobody can have spoken."""
    return int(_find_loud(levels).sum()) < LOUD_FRAMES_MIN


def find_utterances(levels: Levels) -> list[Utterance]:
    """Return where somebody speaks, in order; none of them overlap."""
    loud = np.flatnonzero(_find_loud(levels))
    if len(loud) == 0:
        return []
    breaks = np.flatnonzero(np.diff(loud) > GAP_FRAMES_MAX)
    firsts = loud[np.concatenate(([0], breaks + 1))]
    lasts = loud[np.concatenate((breaks, [len(loud) - 1]))]
    found: list[Utterance] = []
    for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
        start = max(first - MARGIN_FRAMES, 0)
        end = min(last + 1 + MARGIN_FRAMES, len(levels))
        cuts = [start, *_find_cuts(levels, start, end), end]
        found += [_to_utterance(*pair) for pair in pairwise(cuts)]
    return found


def _find_loud(levels: Levels) -> npt.NDArray[np.bool_]:
    if len(levels) == 0:
        return np.zeros(0, np.bool_)
    floor = float(np.percentile(levels, 10))
    loud: npt.NDArray[np.bool_] = levels > min(max(floor * ABOVE_FLOOR, LEVEL_MIN), LEVEL_SURE)
    return loud


def _find_cuts(levels: Levels, start: int, end: int) -> Sequence[int]:
    """Return where a stretch is cut: in the last third of what may be one, where it is quietest."""
    cuts: list[int] = []
    while end - start > UTTERANCE_FRAMES_MAX:
        low = start + UTTERANCE_FRAMES_MAX * 2 // 3
        start = low + int(np.argmin(levels[low : start + UTTERANCE_FRAMES_MAX]))
        cuts.append(start)
    return cuts


def _to_utterance(first: int, last: int) -> Utterance:
    return Utterance(first * FRAME_SAMPLES, last * FRAME_SAMPLES)
