"""The system as clients read it: who runs, what it uses, and how much there may be."""

from datetime import datetime

from pydantic import BaseModel, Field


class ProcessOut(BaseModel):
    """One process of Telemetra, as far as it tells of itself."""

    name: str
    version: str | None = Field(description="null: it is only seen as a client of the database.")
    since: datetime | None = Field(
        description="When it started, or when its oldest connection to the database was made."
    )
    seen_ms: int | None = Field(description="How long ago it last told of itself.")
    memory_bytes: int | None
    cpu_seconds: float | None = Field(description="Processor time since its start.")
    connections: int | None = Field(description="Its connections to the database.")


class ShardOut(BaseModel):
    """How far behind the flow was with a shard, at its last commit within ten seconds."""

    shard: int
    lag_ms: int


class FlowOut(BaseModel):
    """What the processes of the flow tell of the last ten seconds."""

    commit_ms: float | None = Field(description="Time of a transaction: that of the middle one.")
    commit_ms_most: float | None
    shards: list[ShardOut] = Field(description="Those that committed events.")


class BusOut(BaseModel):
    """The bus, where it is in Redis."""

    shards: int
    entries: int = Field(description="Entries that all shards keep.")
    entries_most: int = Field(description="Of the shard that keeps the most.")
    entries_max: int = Field(description="A shard with as many takes no more: senders get 429.")


class RedisOut(BaseModel):
    """The Redis that caches, and carries live messages."""

    version: str
    memory_bytes: int
    memory_max_bytes: int | None = Field(description="null: no limit is set.")
    evicted: int = Field(description="Keys let go of before their time, since its start.")


class DatabaseOut(BaseModel):
    """The database server."""

    version: str
    timescaledb: str | None
    license: str | None
    migration: str
    size_bytes: int
    connections: int
    connections_max: int


class QueueOut(BaseModel):
    """What waits in a queue of jobs."""

    queue: str
    waiting: int = Field(description="Jobs that nobody has begun.")
    oldest_ms: int = Field(description="How long the oldest that is due waits; 0: none is.")


class JobsOut(BaseModel):
    """The jobs, as their queue in the database knows them."""

    workers: int
    seen_ms: int | None = Field(description="How long ago a worker was last heard; null: none is.")
    running: int
    retrying: int = Field(description="Jobs that wait and were tried before.")
    failed: int = Field(description="Jobs given up, of the newest thousand.")
    queues: list[QueueOut] = Field(description="Those in which something waits.")


class DevicesOut(BaseModel):
    """Devices and their commands; of each no more than 10 000 are counted."""

    connected: int
    stale: int = Field(description="Connected, and silent for longer than they promised.")
    gone: int
    commands_open: int = Field(description="Commands that have not ended.")
    commands_timed_out: int = Field(description="Commands that timed out in the last 15 minutes.")


class LimitsOut(BaseModel):
    """What the process that answers is set to."""

    database_connections: int
    database_requests_waiting: int
    slow_query_ms: int
    cache_bytes: int
    live_connections: int
    jobs_silent_ms: int = Field(description="Workers silent for longer are taken for dead.")
    jobs_waiting_ms: int = Field(description="More is called degraded, for the oldest job.")
    flow_lag_ms: int = Field(description="More than this is called degraded.")
    archive_lag_ms: int


class SystemOut(BaseModel):
    """Everything that can be told here; null is what could not be asked."""

    timestamp: datetime
    version: str
    processes: list[ProcessOut]
    flow: FlowOut
    bus: BusOut | None
    redis: RedisOut | None
    database: DatabaseOut | None
    jobs: JobsOut | None
    devices: DevicesOut | None
    limits: LimitsOut
