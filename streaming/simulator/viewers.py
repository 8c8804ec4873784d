"""Viewers: how many watch, counted every five seconds."""

from typing import Final

import numpy as np

from streaming.simulator.blocks import Block, Rows, make_rows
from streaming.simulator.curves import drift, feel_raid, follow_day
from streaming.simulator.seeds import make_seed

COUNT_INTERVAL_S: Final = 5
RAID_FADE_S: Final = 90.0
COUNT_NOISE: Final = 0.004
"""Standard deviation of one count, relative."""


def generate_viewers(block: Block) -> Rows:
    """Return the counts of viewers in a block."""
    profile = block.profile
    offset_ms = make_seed("viewers", profile.stream_id) % (COUNT_INTERVAL_S * 1000)
    seconds = block.seconds[block.seconds % COUNT_INTERVAL_S == offset_ms // 1000]
    boost = np.ones(len(seconds))
    for raid in block.raids:
        boost += (raid.viewers_factor - 1) * feel_raid(seconds, raid, RAID_FADE_S)
    wander = 1 + 0.2 * drift(seconds, block.seed, profile.stream_id, "viewers")
    noise = 1 + COUNT_NOISE * block.make_rng("viewers").standard_normal(len(seconds))
    level = profile.viewers * follow_day(seconds, profile.peak_hour) * wander * boost * noise
    times_ms = seconds * 1000 + offset_ms % 1000
    return make_rows(block, "viewers", times_ms, value=np.rint(level).astype(np.int64).tolist())
