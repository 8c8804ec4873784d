"""Paths: every list and every single thing that the API answers with GET."""

from typing import Final

from tests.fixtures.events import STREAM

STREAMS: Final = "/api/v1/streams"
OVERVIEW: Final = "/api/v1/overview"
ONE: Final = f"/api/v1/streams/{STREAM}"
METRICS: Final = f"{ONE}/metrics"
MOMENTS: Final = "/api/v1/moments"
STREAM_MOMENTS: Final = f"{ONE}/moments"
CHANNELS: Final = f"{ONE}/channels"
CHANNEL_METRICS: Final = f"{ONE}/channels/temp/metrics"
READINGS: Final = f"{ONE}/readings"
TRANSACTIONS: Final = f"{ONE}/transactions"
TRANSACTION_MINUTES: Final = f"{TRANSACTIONS}/minutes"
DETECTION: Final = f"{ONE}/detection"
COMPARE: Final = "/api/v1/compare"
INGEST: Final = "/api/v1/ingest"

_LISTS: Final = [
    METRICS,
    STREAM_MOMENTS,
    CHANNELS,
    CHANNEL_METRICS,
    READINGS,
    TRANSACTIONS,
    TRANSACTION_MINUTES,
    DETECTION,
]
CACHED: Final = [STREAMS, OVERVIEW, ONE, MOMENTS, *_LISTS]
"""What carries an ETag."""

OF_A_STREAM: Final = [ONE, *_LISTS]
"""What needs the stream to exist."""
