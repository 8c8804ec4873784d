"""Redis: a private server in the data folder, for the bus, the cache and live fan-out.

FOLDER/redis.conf   written anew at each start, readable by its owner only: the password is in it
FOLDER/password, FOLDER/port, FOLDER/appendonlydir/
"""

import signal
from dataclasses import dataclass, field
from pathlib import Path

from infra.services.endpoints import find_endpoint, get_endpoint, keep_endpoint, write_private
from infra.services.locks import locked
from infra.services.memory import machine_memory_bytes, redis_memory_mb
from infra.services.ports import LOOPBACK
from infra.services.probes import is_redis_ready
from infra.services.processes import find_process_ids

PROCESS_NAMES = ("redis-server", "valkey-server")

SETTINGS = """\
# Written by Telemetra at each start.
bind {address}
protected-mode yes
port {port}
requirepass {password}
daemonize no
dir {folder}

# An acknowledged entry survives kill -9 and a power cut. With everysec Redis may hold back the
# write itself while an fsync runs, so that even kill -9 could lose it.
appendonly yes
appendfsync always
aof-load-truncated yes
save ""

# Cache entries have a lifetime and go first; bus entries have none and are never evicted.
maxmemory {memory}mb
maxmemory-policy volatile-ttl
"""


@dataclass(frozen=True, slots=True)
class RedisProgram:
    """A Redis or Valkey server program."""

    path: Path
    origin: str


@dataclass(slots=True)
class Redis:
    """A Redis server that runs from a folder and belongs to this installation alone."""

    program: RedisProgram
    folder: Path

    name: str = field(default="redis", init=False)
    stop_signal: signal.Signals = field(default=signal.SIGTERM, init=False)

    origin: str = field(init=False)

    def __post_init__(self) -> None:
        self.folder = self.folder.resolve()
        self.origin = self.program.origin

    @property
    def url(self) -> str:
        """What clients connect with, once the server was prepared."""
        endpoint = get_endpoint(self.folder)
        return f"redis://:{endpoint.password}@{LOOPBACK}:{endpoint.port}/0"

    def prepare(self) -> None:
        """Write the configuration; a server that runs from this folder is left alone."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(self.folder / "lock"):
            running = bool(find_process_ids(self.folder, PROCESS_NAMES))
            endpoint = keep_endpoint(self.folder, in_use_by_us=running)
            text = SETTINGS.format(
                address=LOOPBACK,
                port=endpoint.port,
                password=endpoint.password,
                folder=quote_value(str(self.folder)),
                memory=redis_memory_mb(machine_memory_bytes()),
            )
            write_private(self.folder / "redis.conf", text)

    def command(self) -> list[str] | None:
        """Return the server's command line."""
        # In another language than C, Redis refuses to start where that locale is not installed.
        return ["env", "LC_ALL=C", str(self.program.path), str(self.folder / "redis.conf")]

    async def is_ready(self) -> bool:
        """Tell whether the server answers, which it does once its log is loaded."""
        is_prepared = find_endpoint(self.folder) is not None
        return is_prepared and await is_redis_ready(self.url)


def quote_value(text: str) -> str:
    """Quote a value for ``redis.conf``, whatever is in it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
