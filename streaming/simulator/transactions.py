"""Transactions: what people give, the more the more of them talk."""

from typing import Final

import numpy as np

from streaming.simulator.blocks import Block
from streaming.simulator.rows import Records, Type, make_records
from streaming.simulator.users import draw_ranks, find_names

GIFTS_PER_MESSAGE: Final = 0.004

OFFERS: Final = (
    ("bits", 1.0, "USD", 24),
    ("bits", 5.0, "USD", 12),
    ("bits", 10.0, "USD", 4),
    ("subscription", 4.99, "USD", 22),
    ("subscription", 9.99, "USD", 3),
    ("subscription", 24.99, "USD", 1),
    ("donation", 2.0, "EUR", 7),
    ("donation", 5.0, "EUR", 8),
    ("donation", 10.0, "USD", 6),
    ("donation", 25.0, "USD", 2),
    ("donation", 100.0, "EUR", 1),
    ("gift_sub", 4.99, "USD", 6),
    ("gift_sub", 24.95, "USD", 3),
    ("gift_sub", 99.8, "USD", 1),
)
"""Kind, amount, currency, and how often it is chosen relative to the others."""

_CHANCES: Final = np.cumsum([chance for *_, chance in OFFERS]) / sum(offer[3] for offer in OFFERS)


def generate_transactions(block: Block) -> Records:
    """Return the transactions of a block."""
    rng = block.make_rng("transaction")
    boost = block.chat_boost * block.gifts_boost
    counts = rng.poisson(block.pace * boost * GIFTS_PER_MESSAGE)
    times_ms, second = block.spread(counts, rng)
    ranks = draw_ranks(block.profile, len(second), rng)
    return make_records(
        Type.TRANSACTION,
        times_ms,
        user=find_names(block.profile.stream_id, ranks),
        offer=1 + np.searchsorted(_CHANCES, rng.random(len(second))),
    )
