"""Raids: the announcement that another stream's viewers have come over."""

import numpy as np

from streaming.simulator.blocks import BLOCK_MS, Block, Rows, make_rows


def generate_raids(block: Block) -> Rows:
    """Return the announcements of the raids that begin in a block."""
    end_ms = block.start_ms + BLOCK_MS
    begun = [raid for raid in block.raids if block.start_ms <= raid.start_ms < end_ms]
    return make_rows(
        block,
        "meta",
        np.array([raid.start_ms for raid in begun], dtype=np.int64),
        event="raid",
        viewers=[round(block.profile.viewers * (raid.viewers_factor - 1)) for raid in begun],
    )
