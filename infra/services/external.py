"""External services: servers that somebody else runs and a URL names."""

import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from infra.services.probes import is_postgres_ready, is_redis_ready


@dataclass(slots=True)
class External:
    """A server that is used as it is: nothing is prepared, started or stopped."""

    name: str
    origin: str
    url: str = field(repr=False)
    probe: Callable[[str], Awaitable[bool]]
    stop_signal: signal.Signals = signal.SIGTERM

    def prepare(self) -> None:
        """Do nothing."""

    def command(self) -> list[str] | None:
        """Return None: there is nothing to run."""
        return None

    async def is_ready(self) -> bool:
        """Tell whether the server answers."""
        return await self.probe(self.url)


def external_postgres(url: str) -> External:
    """Use the TimescaleDB at this URL."""
    return External("postgres", "DATABASE_URL", url, is_postgres_ready)


def external_redis(url: str) -> External:
    """Use the Redis at this URL."""
    return External("redis", "REDIS_URL", url, is_redis_ready)
