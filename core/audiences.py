"""Audiences: the streams whose chat somebody looks at just now.

    api: who follows ``chat`` of a stream ──every few seconds──► Redis ──every second──► flow

What is said is shown to few and costs the flow, Redis and every API process more than all numbers
together: it is taken only from streams that have an audience.
"""

from typing import Final

AUDIENCES: Final = "live:audiences"
"""The Redis key of all streams with an audience, by until when it is sure, in milliseconds."""

TOLD_EVERY_S: Final = 5.0
"""How often a process says which streams its clients look at."""

SURE_FOR_MS: Final = 30_000
"""How long that holds; far more than the clocks of machines differ."""

STREAMS_MAX: Final = 1000
"""Streams with an audience at one time; of more, those that were said first are left out."""
