"""Seeds: names turned into numbers, the same in every process, and generators made of them."""

from hashlib import blake2b

import numpy as np


def make_seed(*parts: object) -> int:
    """Return the 64-bit number that belongs to these parts, the same in every process."""
    text = "\x1f".join(map(str, parts)).encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest())


def make_rng(*parts: object) -> np.random.Generator:
    """Return a fresh random generator that belongs to these parts."""
    return np.random.default_rng(make_seed(*parts))
