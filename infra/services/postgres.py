"""Postgres: a private TimescaleDB server in the data folder.

    FOLDER/cluster/   the cluster; its postgresql.conf is written anew at each start
    FOLDER/password   of the role ``telemetra``, readable by its owner only
    FOLDER/port       on 127.0.0.1, kept as long as nobody else takes it

It listens on loopback only and over TCP only: the path of a socket may be at most 107 bytes long.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import ServiceMissingError
from infra.services.endpoints import find_endpoint, get_endpoint, keep_endpoint, write_private
from infra.services.identities import Identity, find_identity
from infra.services.locks import locked
from infra.services.memory import PostgresMemory, machine_memory_bytes
from infra.services.ports import LOOPBACK
from infra.services.probes import is_postgres_ready
from infra.services.processes import find_process_ids, is_working, wait_for_end

DATABASE = "telemetra"
ROLE = "telemetra"
PROCESS_NAMES = ("postgres",)

PATIENCE_S = 5.0
"""Backends end within a second of their server, unless a busy query keeps one."""

SETTINGS = """\
# Written by Telemetra at each start; changes belong into ALTER SYSTEM.
listen_addresses = '{address}'
port = {port}
unix_socket_directories = ''
max_connections = 100
password_encryption = 'scram-sha-256'

shared_preload_libraries = 'timescaledb'
timescaledb.telemetry_level = off
timescaledb.max_background_workers = 16
max_worker_processes = 32
max_locks_per_transaction = 256
jit = off

shared_buffers = {memory.shared_buffers}MB
effective_cache_size = {memory.effective_cache_size}MB
work_mem = {memory.work_mem}MB
maintenance_work_mem = {memory.maintenance_work_mem}MB
max_wal_size = {memory.max_wal_size}MB
random_page_cost = 1.1

synchronous_commit = on
fsync = {durable}
full_page_writes = {durable}
restart_after_crash = on

log_destination = 'stderr'
logging_collector = off
log_timezone = '{zone}'
timezone = '{zone}'
datestyle = 'iso, mdy'
lc_messages = 'C'
default_text_search_config = 'pg_catalog.english'
"""

ACCESS = "host all all 127.0.0.1/32 scram-sha-256\n"


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """PostgreSQL with TimescaleDB, as found on the machine or unpacked from packages."""

    bin: Path
    major: int
    origin: str
    locales: Path | None = None
    """Locales that fit the programs' own C library, when it is not the machine's."""

    def command(self, identity: Identity, program: str, *arguments: str) -> list[str]:
        """Write the command line of one program, in a fixed language and as the right user."""
        variables = ["LC_ALL=C"]
        if self.locales is not None:
            variables.append(f"LOCPATH={self.locales}")
        return ["env", *variables, *identity.command(self.bin / program, *arguments)]


@dataclass(slots=True)
class Postgres:
    """A TimescaleDB server that runs from a folder and belongs to this installation alone."""

    programs: PostgresPrograms
    folder: Path
    durable: bool = True
    """False turns fsync off, for clusters that are thrown away."""

    name: str = field(default="postgres", init=False)
    stop_signal: signal.Signals = field(default=signal.SIGINT, init=False)
    """Fast shutdown: ends sessions, keeps everything committed."""

    origin: str = field(init=False)
    _identity: Identity | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self.folder = self.folder.resolve()
        self.origin = self.programs.origin

    @property
    def cluster(self) -> Path:
        """The folder that PostgreSQL calls its data directory."""
        return self.folder / "cluster"

    @property
    def url(self) -> str:
        """What clients connect with, once the server was prepared."""
        endpoint = get_endpoint(self.folder)
        place = f"{ROLE}:{endpoint.password}@{LOOPBACK}:{endpoint.port}/{DATABASE}"
        # It never leaves this machine: to ask first whether it could be encrypted takes each
        # connection a way there and back, and a context.
        return f"postgresql://{place}?sslmode=disable"

    def prepare(self) -> None:
        """Make the cluster when there is none, and write its configuration.

        A server that runs from this folder is left alone; one that is ending is waited for.

        Raises:
            ServiceMissingError: The cluster cannot be made, or is of another version.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(self.folder / "lock"):
            running = self._is_running()
            endpoint = keep_endpoint(self.folder, in_use_by_us=running)
            if read_cluster_major(self.folder) is None:
                self._make_cluster(endpoint.password)
            self._refuse_other_version()
            if not running:
                self._write_settings(endpoint.port)
                self._find_identity().own(self.cluster)

    def command(self) -> list[str] | None:
        """Return the server's command line."""
        return self._command("postgres", "-D", str(self.cluster))

    async def is_ready(self) -> bool:
        """Tell whether the database answers a query."""
        is_prepared = find_endpoint(self.folder) is not None
        return is_prepared and await is_postgres_ready(self.url)

    def _command(self, program: str, *arguments: str) -> list[str]:
        return self.programs.command(self._find_identity(), program, *arguments)

    def _find_identity(self) -> Identity:
        if self._identity is None:
            self._identity = find_identity()
        return self._identity

    def _make_cluster(self, password: str) -> None:
        """Run initdb in a staging folder, so that an interrupted one leaves nothing behind."""
        for leftover in self.folder.glob("cluster.new-*"):
            shutil.rmtree(leftover)
        staging = Path(tempfile.mkdtemp(prefix="cluster.new-", dir=self.folder))
        try:
            self._find_identity().own(staging)
            _run(self._command("initdb", *self._initdb_arguments(staging)), f"{password}\n")
            (staging / "pg_hba.conf").write_text(ACCESS)
            single = ("--single", "-D", str(staging), "template1")
            _run(self._command("postgres", *single), f"CREATE DATABASE {DATABASE}\n")
            staging.rename(self.cluster)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def _initdb_arguments(self, cluster: Path) -> list[str]:
        arguments = [
            f"--pgdata={cluster}",
            f"--username={ROLE}",
            "--pwfile=/dev/stdin",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--data-checksums",
        ]
        if self.programs.major >= 17:
            # Its own tables instead of the C library's: an update of that cannot spoil an index.
            arguments.append("--locale-provider=builtin")
        return arguments if self.durable else [*arguments, "--no-sync"]

    def _refuse_other_version(self) -> None:
        made_with = read_cluster_major(self.folder)
        if made_with != self.programs.major:
            raise ServiceMissingError(
                f"{self.cluster} was made by PostgreSQL {made_with}, and {self.origin} has "
                f"{self.programs.major}. Install {made_with}, or set TELEMETRA_DATA_DIR anew."
            )

    def _is_running(self) -> bool:
        """Tell whether this cluster's server runs; wait for one that is ending or left backends."""
        server_id, is_stopping = _read_lock_file(self.cluster / "postmaster.pid")
        if server_id and not is_stopping and is_working(server_id, self.cluster, PROCESS_NAMES):
            return True
        if wait_for_end(self.cluster, PROCESS_NAMES, PATIENCE_S):
            return False
        left = find_process_ids(self.cluster, PROCESS_NAMES)
        if server_id not in left:
            # Backends of a dead server; none may touch the files beside a new one.
            for process_id in left:
                with suppress(ProcessLookupError):
                    os.kill(process_id, signal.SIGQUIT)
            if wait_for_end(self.cluster, PROCESS_NAMES, PATIENCE_S):
                return False
        raise ServiceMissingError(f"Processes {left} still work in {self.cluster}. Stop them.")

    def _write_settings(self, port: int) -> None:
        text = SETTINGS.format(
            address=LOOPBACK,
            port=port,
            memory=PostgresMemory.for_machine(machine_memory_bytes()),
            durable="on" if self.durable else "off",
            # Without the system's time zones only GMT is known.
            zone="UTC" if Path("/usr/share/zoneinfo/UTC").exists() else "GMT",
        )
        write_private(self.cluster / "postgresql.conf", text)


def read_cluster_major(folder: Path) -> int | None:
    """Return the version that made the cluster in a server's folder, or None when there is none."""
    file = folder / "cluster" / "PG_VERSION"
    return int(file.read_text()) if file.is_file() else None


def _read_lock_file(file: Path) -> tuple[int | None, bool]:
    """Read the server's process id and whether it is ending from ``postmaster.pid``."""
    lines = file.read_text().splitlines() if file.is_file() else []
    server_id = int(lines[0]) if lines and lines[0].isdigit() else None
    return server_id, len(lines) > 7 and lines[7].strip() == "stopping"


def _run(command: list[str], text: str) -> None:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    lines = [line for line in done.stderr.splitlines() if "ERROR:" in line or "FATAL:" in line]
    if done.returncode or lines:
        reason = (lines or done.stderr.strip().splitlines()[-1:] or ["no reason given"])[-1]
        raise ServiceMissingError(f"PostgreSQL could not make its folder: {reason}")
