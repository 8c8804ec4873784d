"""What is told of the live connections."""

from datetime import datetime

from pydantic import BaseModel


class LiveHealthOut(BaseModel):
    """How many listen, and what was sent and dropped since the start of the process."""

    connections: int
    streams: int
    shards: int
    sent: int
    dropped: int
    replaced: int
    refused: int
    too_slow: int
    timestamp: datetime
