"""Doublings: how long to wait at most after so many failures, twice as long after each.

Used wherever something that failed is tried again; how much of it is waited is drawn there.
"""

from typing import Final

DOUBLINGS_MAX: Final = 20
"""Beyond it the limit has long been reached, and the power would only grow."""


def double(first_s: float, max_s: float, times: int) -> float:
    """Return the seconds of the first pause, doubled so many times, the longest at most."""
    return min(first_s * 2.0 ** min(times, DOUBLINGS_MAX), max_s)
