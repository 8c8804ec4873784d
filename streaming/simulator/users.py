"""Users: who speaks.

A few regulars write most messages, as in every real chat. Each stream walks through the same names
in an order of its own; those who come with a raid are strangers.
"""

from functools import lru_cache
from itertools import product
from typing import Final

import numpy as np

from streaming.simulator.profiles import Profile
from streaming.simulator.rows import FloatArray, IntArray
from streaming.simulator.seeds import make_seed

_FIRST_NAMES: Final = (
    "amber arctic bold brisk clever cosmic crimson dusty early feral fuzzy gentle ghost hollow icy "
    "ivory jolly keen lunar mellow misty neon nimble odd pale pixel quiet rapid rusty salty shy "
    "silver sleepy solar spicy tidal tiny velvet wild zen"
)
_LAST_NAMES: Final = (
    "badger beacon cactus comet crow dumpling ember falcon fern ferret forge fox gecko harbour "
    "heron ibis juniper kettle kiwi lantern lynx marmot moth newt noodle otter owl panda pebble "
    "pine quokka raven rook salmon sparrow tapir toad walrus wren yak"
)
_ENDINGS: Final = ("", "_tv", "42", "x", "_plays", "99", "7", "_irl", "2000", "_", "ttv", "13")

NAMES: Final = tuple(
    "".join(parts) for parts in product(_FIRST_NAMES.split(), _LAST_NAMES.split(), _ENDINGS)
)
NAME_STRIDE: Final = 7919
"""Prime, so that walking by it meets every name once before one comes again."""

CHATTERS_MIN: Final = 200
TAIL: Final = 1.05
"""The r-th user writes in proportion to (r + 8) ** -1.05: the first tenth write about half."""

BADGES: Final = (list[str](), ["moderator"], ["subscriber"])
_MODERATORS: Final = 5
_SUBSCRIBERS_SHARE: Final = 0.15


def draw_ranks(profile: Profile, count: int, rng: np.random.Generator) -> IntArray:
    """Return how far down the list of regulars the author of each message stands."""
    return np.searchsorted(_shares(_count_chatters(profile)), rng.random(count))


def find_names(place: object, ranks: IntArray) -> IntArray:
    """Return the lines of the table of users for those of a stream, or for strangers."""
    start = make_seed("users", place) % len(NAMES)
    return np.asarray(1 + (ranks * NAME_STRIDE + start) % len(NAMES))


def rank_badges(profile: Profile, ranks: IntArray) -> IntArray:
    """Return which badges users have, by their rank."""
    is_subscriber = ranks < _count_chatters(profile) * _SUBSCRIBERS_SHARE
    return np.asarray(np.where(ranks < _MODERATORS, 1, 2 * is_subscriber))


def _count_chatters(profile: Profile) -> int:
    return min(max(CHATTERS_MIN, profile.viewers), len(NAMES))


@lru_cache(maxsize=64)
def _shares(chatters: int) -> FloatArray:
    weights = (np.arange(chatters) + 8.0) ** -TAIL
    return np.asarray(np.cumsum(weights) / weights.sum())
