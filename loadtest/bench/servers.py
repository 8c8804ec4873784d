"""Servers: a private TimescaleDB and Redis for one measurement, as durable as the product's own.

They lie in a folder of their own that goes with them, and listen on free ports.
"""

import asyncio
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.settings import REPOSITORY, Settings
from infra.services.base import Service
from infra.services.discovery import find_services
from infra.supervisor.environments import extend_environment
from loadtest.bench.processes import Process, run_process

START_S_MAX: Final = 60


class Server:
    """One server, which can be taken away and brought back."""

    def __init__(self, service: Service, folder: Path) -> None:
        self._service = service
        self._folder = folder
        self._process: Process | None = None

    def start(self) -> None:
        """Return when it answers."""
        self._service.prepare()
        command = self._service.command()
        if command is None:
            return
        process = Process(self._service.name, command, self._log, {})
        self._process = process
        process.wait_until(lambda: asyncio.run(self._service.is_ready()), START_S_MAX)

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.stop(signal.SIGKILL)
            self._process = None

    def stop(self) -> None:
        """End it in order."""
        if self._process is not None:
            self._process.stop(self._service.stop_signal)
            self._process = None

    @property
    def _log(self) -> Path:
        return self._folder / f"{self._service.name}.log"


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the servers are, and how processes of the product are started beside them."""

    folder: Path
    database_url: str
    redis_url: str
    postgres: "Server"
    redis: "Server"

    @property
    def settings(self) -> Settings:
        """The product's settings, as its processes get them."""
        return Settings(
            database_url=self.database_url,
            redis_url=self.redis_url,
            telemetra_data_dir=self.folder,
        )

    def run(
        self, module: str, *arguments: str, name: str = "", **more: str
    ) -> AbstractContextManager[Process]:
        """Run a process of the product for the length of a block; ``more`` are settings."""
        argv = (sys.executable, "-m", module, *arguments)
        environment = {**self.environment, **more}
        return run_process(name or module, argv, self.folder, environment)

    def migrate(self) -> None:
        """Bring the database to the newest schema."""
        subprocess.run(
            [sys.executable, "-m", "db.migrate"],
            cwd=REPOSITORY,
            env=extend_environment(self.environment),
            capture_output=True,
            check=True,
        )

    @property
    def environment(self) -> dict[str, str]:
        """What processes of the product are told."""
        return {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "TELEMETRA_DATA_DIR": str(self.folder),
            "LOG_FORMAT": "json",
            "PYTHONUNBUFFERED": "1",
            # As the supervisor starts them.
            "POLARS_MAX_THREADS": "1",
        }


@contextmanager
def run_servers(parent: Path) -> Iterator[Servers]:
    """Run both servers with a migrated database for the length of a block."""
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="servers-", dir=parent))
    # PostgreSQL may run as another user, who has to reach its folder.
    folder.chmod(0o755)
    try:
        with ExitStack() as stack:
            postgres, redis = find_services(
                database_url=None, redis_url=None, data_dir=folder, report=lambda _: None
            )
            running = [Server(service, folder) for service in (postgres, redis)]
            for server in running:
                stack.callback(server.stop)
                server.start()
            servers = Servers(folder, postgres.url, redis.url, *running)
            servers.migrate()
            yield servers
    finally:
        shutil.rmtree(folder, ignore_errors=True)
