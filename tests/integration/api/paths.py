"""Paths: every list and every single thing that the API answers with GET."""

from typing import Final

from tests.fixtures.events import STREAM

STREAMS: Final = "/api/v1/streams"
ONE: Final = f"/api/v1/streams/{STREAM}"
METRICS: Final = f"{ONE}/metrics"
MOMENTS: Final = "/api/v1/moments"
STREAM_MOMENTS: Final = f"{ONE}/moments"
CHANNELS: Final = f"{ONE}/channels"
CHANNEL_METRICS: Final = f"{ONE}/channels/temp/metrics"
INGEST: Final = "/api/v1/ingest"

CACHED: Final = [STREAMS, METRICS, MOMENTS, STREAM_MOMENTS, CHANNELS, CHANNEL_METRICS]
"""What carries an ETag."""

OF_A_STREAM: Final = [ONE, METRICS, STREAM_MOMENTS, CHANNELS, CHANNEL_METRICS]
"""What needs the stream to exist."""
