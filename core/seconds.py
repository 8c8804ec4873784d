"""Seconds: messages of each second, to tell within seconds that a chat speeds up.

    messages -> count_seconds -> a ring of 64 seconds a stream -> find_rushes -> the first second
    by which more was said than chance and habit explain

Judged are the last 4, 8 and 20 seconds against the rate of the hour before. Counts are
compared by their roots, whose scatter hardly depends on how large they are. How bursty a chat is,
beside what chance does, is learnt from one five seconds to the next.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.compiled import compiled, inlined
from core.rows import Bools, Floats, Ints

SIZE: Final = 64
"""Seconds in a ring: a minute, and what comes in disorder."""

SPANS: Final = (4, 8, 20)
"""Seconds that are judged together: few of a large chat tell soon, of a small one many have to."""

SAMPLES_A_SECOND: Final = 3
"""Messages of a stream and second that are kept as samples."""

BUCKET_S: Final = 5
_LEARNT_RATE: Final = 0.01
_ROUGH_MAX: Final = 9.0
"""A difference larger than this counts as this: a rush must not make its chat a bursty one."""

COUNT_MIN: Final = 8
"""Fewer messages within a span are no rush, however quiet the chat is."""

_MINUTE_S: Final = 60
_HALF: Final = 0.375
"""Added to a count before its root is taken, so that small ones scatter as large ones do."""


class Rushes(NamedTuple):
    """The first rush of each stream asked for; ``seconds`` is 0 where there is none."""

    seconds: Ints
    """The second in which it began, since 1970."""

    found: Ints
    """The second by which it was found."""

    rates: Floats
    """Messages a second since."""

    scores: Floats
    """How far beyond chance, in standard deviations."""


class Seconds:
    """The last seconds of all streams of a shard, by the streams' numbers."""

    def __init__(self) -> None:
        self._heads: Ints = np.zeros(0, np.int64)
        self._judged: Ints = np.zeros(0, np.int64)
        self._rings: NDArray[np.uint32] = np.zeros((0, SIZE), np.uint32)
        self._bursts: Floats = np.zeros(0)

    def count(self, streams: Ints, at: Ints) -> Bools:
        """Count messages at times in microseconds; return which are to be kept as samples."""
        self._grow(int(streams.max(initial=-1)) + 1)
        sampled = np.zeros(len(streams), np.bool_)
        count_seconds(self._heads, self._rings, streams, at, sampled)
        return sampled

    def find_rushes(
        self, streams: Ints, expected: Floats, spread: Floats, threshold: float
    ) -> Rushes:
        """Judge the seconds that are over since the last time.

        Args:
            streams: Which, each once.
            expected: Messages that a minute of each usually has; NaN where nothing is known.
            spread: How far its minutes stray from that.
            threshold: The score of a rush.
        """
        count = len(streams)
        found = Rushes(
            np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(count), np.zeros(count)
        )
        rings = Rings(self._heads, self._judged, self._rings, self._bursts)
        judge_seconds(rings, streams, expected, spread, threshold, found)
        return found

    def _grow(self, size: int) -> None:
        missing = size - len(self._heads)
        if missing > 0:
            more = np.zeros(max(missing, len(self._heads) // 2), np.int64)
            self._heads = np.concatenate([self._heads, more])
            self._judged = np.concatenate([self._judged, more])
            self._bursts = np.concatenate([self._bursts, np.ones(len(more))])
            rings = np.zeros((len(more), SIZE), np.uint32)
            self._rings = np.concatenate([self._rings, rings])


class Rings(NamedTuple):
    """What is known of streams, as machine code takes it."""

    heads: Ints
    """The newest second of each."""

    judged: Ints
    """The last second that was judged."""

    counts: NDArray[np.uint32]
    bursts: Floats


@compiled
def count_seconds(
    heads: Ints, rings: NDArray[np.uint32], streams: Ints, at: Ints, sampled: Bools
) -> None:
    """Count messages by stream and second."""
    for index in range(len(streams)):
        stream, second = streams[index], at[index] // 1_000_000
        head = heads[stream]
        if second > head:
            for passed in range(max(head + 1, second - SIZE + 1), second + 1):
                rings[stream, passed % SIZE] = 0
            heads[stream] = second
        elif second <= head - SIZE:
            continue
        count = rings[stream, second % SIZE]
        rings[stream, second % SIZE] = count + 1
        sampled[index] = count < SAMPLES_A_SECOND


@inlined
def _learn_bursts(rings: Rings, stream: int, second: int) -> None:
    """Learn from one bucket of seconds to the next how far counts scatter beyond chance."""
    if second % BUCKET_S != BUCKET_S - 1:
        return
    now = before = 0
    for back in range(BUCKET_S):
        now += rings.counts[stream, (second - back) % SIZE]
        before += rings.counts[stream, (second - BUCKET_S - back) % SIZE]
    if now + before == 0:
        return
    rough = (now - before) ** 2 / (now + before)
    known = rings.bursts[stream]
    rings.bursts[stream] = max(known + _LEARNT_RATE * (min(rough, _ROUGH_MAX) - known), 1.0)


@inlined
def _find_start(rings: Rings, stream: int, second: int, span: int, middle: float) -> int:
    """Return since when in a span more is said than a rate: from there on most is too much."""
    excess = most = 0.0
    start = second
    for back in range(span):
        excess += rings.counts[stream, (second - back) % SIZE] - middle
        if excess > most:
            most, start = excess, second - back
    return start


@compiled
def judge_seconds(
    rings: Rings,
    streams: Ints,
    expected: Floats,
    spread: Floats,
    threshold: float,
    rushes: Rushes,
) -> None:
    """Judge each whole second since the last one judged, in its order."""
    for index in range(len(streams)):
        stream = streams[index]
        head = rings.heads[stream]
        first = max(rings.judged[stream] + 1, head - SIZE + max(SPANS) + 1)
        rate = expected[index] / _MINUTE_S
        # What the rate itself does from minute to minute, beyond what chance makes of it.
        wander = max(spread[index] ** 2 / max(expected[index], 1e-9) - 1, 0.0) / _MINUTE_S
        # The newest second is still filling up.
        for second in range(first, head):
            _learn_bursts(rings, stream, second)
            if not rate >= 0.0:
                continue
            for span in SPANS:
                count = 0
                for back in range(span):
                    count += rings.counts[stream, (second - back) % SIZE]
                # How far beyond the usual count, in standard deviations of the roots.
                far = 2 * (math.sqrt(count + _HALF) - math.sqrt(rate * span + _HALF))
                score = far / math.sqrt(rings.bursts[stream] + wander * span)
                if count >= COUNT_MIN and score >= threshold and score > rushes.scores[index]:
                    rushes.scores[index] = score
                    rushes.rates[index] = count / span
                    if rushes.seconds[index] == 0:
                        rushes.found[index] = second
                        # What is nearer to the rush than to what is usual is of the rush.
                        middle = (rate + count / span) / 2
                        rushes.seconds[index] = _find_start(rings, stream, second, span, middle)
        rings.judged[stream] = max(rings.judged[stream], head - 1)
