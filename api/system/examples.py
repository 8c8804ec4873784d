"""Examples of the system: what the pages of the API show."""

from typing import Any, Final

from api.examples import Responses, show

_PROCESS: Final[dict[str, Any]] = {
    "name": "api 4711",
    "version": "0.1.0",
    "since": "2026-01-26T08:00:00Z",
    "seen_ms": 0,
    "memory_bytes": 184_000_000,
    "cpu_seconds": 96.4,
    "connections": 6,
}
SYSTEM: Final[Responses] = show(
    {
        "timestamp": "2026-01-26T10:32:15.250000Z",
        "version": "0.1.0",
        "processes": [
            _PROCESS,
            {**_PROCESS, "name": "flow 0", "seen_ms": 412, "connections": 2},
        ],
        "flow": {
            "commit_ms": 21.3,
            "commit_ms_most": 64.0,
            "shards": [{"shard": 11, "lag_ms": 640}],
        },
        "bus": {"shards": 16, "entries": 18_200, "entries_most": 1300, "entries_max": 100_000},
        "redis": {
            "version": "8.0.2",
            "memory_bytes": 212_000_000,
            "memory_max_bytes": 512_000_000,
            "evicted": 0,
        },
        "database": {
            "version": "17.6",
            "timescaledb": "2.19.3",
            "license": "apache",
            "migration": "0008",
            "size_bytes": 41_800_000_000,
            "connections": 12,
            "connections_max": 100,
        },
        "jobs": {
            "workers": 1,
            "seen_ms": 3100,
            "running": 1,
            "retrying": 0,
            "failed": 0,
            "queues": [{"queue": "speech", "waiting": 2, "oldest_ms": 4200}],
        },
        "devices": {
            "connected": 12,
            "stale": 1,
            "gone": 3,
            "commands_open": 4,
            "commands_timed_out": 0,
        },
        "limits": {
            "database_connections": 20,
            "database_requests_waiting": 1000,
            "slow_query_ms": 200,
            "cache_bytes": 67_108_864,
            "live_connections": 20_000,
            "jobs_silent_ms": 30_000,
            "jobs_waiting_ms": 600_000,
            "flow_lag_ms": 10_000,
            "archive_lag_ms": 300_000,
        },
    }
)
