"""Raids: the announcement that another stream's viewers have come over."""

import numpy as np

from streaming.simulator.blocks import BLOCK_MS, Block
from streaming.simulator.rows import Records, Type, make_records


def generate_raids(block: Block) -> Records:
    """Return the announcements of the raids that begin in a block."""
    end_ms = block.start_ms + BLOCK_MS
    begun = [
        each
        for each in block.stream_incidents
        if each.kind == "raid" and block.start_ms <= each.start_ms < end_ms
    ]
    return make_records(
        Type.RAID,
        np.array([raid.start_ms for raid in begun], dtype=np.int64),
        value=[round(block.profile.viewers * (raid.viewers_factor - 1)) for raid in begun],
    )
