"""Viewers: how many watch, counted every five seconds; not while the stream is silent."""

from typing import Final

import numpy as np

from streaming.simulator.blocks import Block
from streaming.simulator.curves import drift, follow_day, multiply
from streaming.simulator.rows import Records, Type, make_records
from streaming.simulator.seeds import make_seed

COUNT_INTERVAL_S: Final = 5
COUNT_NOISE: Final = 0.004
"""Standard deviation of one count, relative."""


def generate_viewers(block: Block) -> Records:
    """Return the counts of viewers in a block."""
    profile = block.profile
    offset_ms = make_seed("viewers", profile.stream_id) % (COUNT_INTERVAL_S * 1000)
    seconds = block.seconds[block.seconds % COUNT_INTERVAL_S == offset_ms // 1000]
    boost = multiply(
        seconds,
        [
            (each.viewers_factor, each, each.effect.viewers_fade_s)
            for each in block.stream_incidents
        ],
    )
    wander = 1 + 0.2 * drift(seconds, block.seed, profile.stream_id, "viewers")
    noise = 1 + COUNT_NOISE * block.make_rng("viewers").standard_normal(len(seconds))
    level = profile.viewers * follow_day(seconds, profile.peak_hour) * wander * boost * noise
    is_given = boost > 0
    times_ms = seconds * 1000 + offset_ms % 1000
    return make_records(Type.VIEWERS, times_ms[is_given], value=np.rint(level[is_given]))
