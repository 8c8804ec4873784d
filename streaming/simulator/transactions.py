"""Transactions: what people give, the more the more of them talk."""

from typing import Final

import numpy as np

from streaming.simulator.blocks import BLOCK_S, Block, Rows, make_rows
from streaming.simulator.chats import measure_chat_rates
from streaming.simulator.users import draw_ranks, name_users

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


def generate_transactions(block: Block) -> Rows:
    """Return the transactions of a block."""
    rng = block.make_rng("transaction")
    counts = rng.poisson(measure_chat_rates(block) * GIFTS_PER_MESSAGE)
    second = np.repeat(np.arange(BLOCK_S), counts)
    times_ms = block.start_ms + np.sort(second * 1000 + rng.integers(1000, size=len(second)))
    ranks = draw_ranks(block.profile, len(second), rng)
    places = np.searchsorted(_CHANCES, rng.random(len(second))).tolist()
    return make_rows(
        block,
        "transaction",
        times_ms,
        user=name_users(block.profile.stream_id, ranks),
        kind=[OFFERS[place][0] for place in places],
        amount=[OFFERS[place][1] for place in places],
        currency=[OFFERS[place][2] for place in places],
    )
