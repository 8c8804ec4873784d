"""Fixtures: the programs of this machine, and folders whose names are as awkward as people's."""

from pathlib import Path

import pytest

from infra.services.caches import find_cache_root
from infra.services.debian import DebianPackages
from infra.services.discovery import Search
from infra.services.postgres import Postgres, PostgresPrograms
from infra.services.redis import Redis, RedisProgram


@pytest.fixture(scope="session")
def search() -> Search:
    return Search(DebianPackages(find_cache_root(), print))


@pytest.fixture(scope="session")
def postgres_programs(search: Search) -> PostgresPrograms:
    return search.find_postgres()


@pytest.fixture(scope="session")
def redis_program(search: Search) -> RedisProgram:
    return search.find_redis()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with what breaks careless quoting."""
    return tmp_path / "a folder of 'Zoë', \"quoted\""


@pytest.fixture
def postgres(postgres_programs: PostgresPrograms, folder: Path) -> Postgres:
    """A durable server, not yet prepared."""
    return Postgres(postgres_programs, folder / "postgres")


@pytest.fixture
def throwaway_postgres(postgres_programs: PostgresPrograms, folder: Path) -> Postgres:
    """A server that does not wait for the disk, not yet prepared."""
    return Postgres(postgres_programs, folder / "postgres", durable=False)


@pytest.fixture
def redis(redis_program: RedisProgram, folder: Path) -> Redis:
    """A server, not yet prepared."""
    return Redis(redis_program, folder / "redis")
