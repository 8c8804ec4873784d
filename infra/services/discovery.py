"""Discovery: where TimescaleDB and Redis come from on this machine.

1. a URL that was set         somebody else runs it
2. programs on the machine    PostgreSQL with the extension; Redis or Valkey
3. Debian and its family      the distribution's packages, unpacked privately
4. otherwise                  one message that says what was looked for and what to do
"""

from dataclasses import dataclass, field
from pathlib import Path

from core.errors import ServiceMissingError
from infra.services.base import Report, Service
from infra.services.caches import find_cache_root
from infra.services.debian import (
    LOCALES,
    POSTGRES_BIN,
    POSTGRES_MAJOR,
    REDIS_SERVER,
    DebianPackages,
)
from infra.services.external import external_postgres, external_redis
from infra.services.installed import (
    find_installed_postgres,
    find_installed_redis,
    list_postgres_folders,
    list_redis_paths,
)
from infra.services.postgres import Postgres, PostgresPrograms, read_cluster_major
from infra.services.redis import Redis, RedisProgram

ADVICE = (
    "Start the servers in containers with `docker compose -f infra/compose.yaml up`, or set "
    "DATABASE_URL and REDIS_URL to servers that run already."
)


def find_services(
    *, database_url: str | None, redis_url: str | None, data_dir: Path, report: Report
) -> tuple[Service, Service]:
    """Find TimescaleDB and Redis, fetching them when this machine can.

    Raises:
        ServiceMissingError: One of them is to be had nowhere; the text says what to do.
    """
    search = Search(DebianPackages(find_cache_root(), report))
    postgres: Service
    redis: Service
    if database_url:
        postgres = external_postgres(database_url)
    else:
        folder = data_dir.resolve() / "postgres"
        postgres = Postgres(search.find_postgres(read_cluster_major(folder)), folder)
    if redis_url:
        redis = external_redis(redis_url)
    else:
        redis = Redis(search.find_redis(), data_dir.resolve() / "redis")
    return postgres, redis


@dataclass(slots=True)
class Search:
    """One search of this machine, which remembers where it looked."""

    packages: DebianPackages
    looked: list[str] = field(default_factory=list)

    def find_postgres(self, major: int | None = None) -> PostgresPrograms:
        """Find PostgreSQL with TimescaleDB.

        Args:
            major: The version that an existing cluster needs.

        Raises:
            ServiceMissingError: There is none and none can be fetched.
        """
        folders = list_postgres_folders()
        if installed := find_installed_postgres(folders, self.looked, major):
            return installed
        prefix = self._provide("PostgreSQL with the TimescaleDB extension")
        origin = _name_origin(find_cache_root())
        return PostgresPrograms(prefix / POSTGRES_BIN, POSTGRES_MAJOR, origin, prefix / LOCALES)

    def find_redis(self) -> RedisProgram:
        """Find Redis or Valkey.

        Raises:
            ServiceMissingError: There is none and none can be fetched.
        """
        if installed := find_installed_redis(list_redis_paths(), self.looked):
            return installed
        prefix = self._provide("redis-server or valkey-server")
        return RedisProgram(prefix / REDIS_SERVER, _name_origin(find_cache_root()))

    def _provide(self, wanted: str) -> Path:
        try:
            return self.packages.provide()
        except ServiceMissingError as error:
            places = "; ".join(self.looked or ["nothing"])
            raise ServiceMissingError(
                f"{wanted} was not found. On this machine: {places}. "
                f"As Debian packages: {error.detail}. {ADVICE}"
            ) from error


def _name_origin(cache_root: Path) -> str:
    """Name unpacked packages for people, with the home folder shortened."""
    home = Path.home()
    in_home = cache_root.is_relative_to(home)
    place = Path("~") / cache_root.relative_to(home) if in_home else cache_root
    return f"Debian packages in {place}"
