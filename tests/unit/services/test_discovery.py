"""In which order servers are looked for, and what is said when there is none."""

from pathlib import Path

import pytest

from core.errors import ServiceMissingError
from infra.services.caches import find_cache_root
from infra.services.debian import DebianPackages
from infra.services.discovery import Search, find_services
from infra.services.installed import (
    find_installed_postgres,
    find_installed_redis,
    list_postgres_folders,
    list_redis_paths,
)


def write_program(path: Path, prints: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{prints}'\n")
    path.chmod(0o755)
    return path


def make_postgres(root: Path, version: str, *, extension: bool) -> Path:
    """Lay out a server the way Debian does; return its folder of programs."""
    major = version.partition(".")[0]
    folder = root / f"usr/lib/postgresql/{major}/bin"
    write_program(folder / "postgres", f"postgres (PostgreSQL) {version} (Debian {version}-0)")
    write_program(folder / "initdb", "")
    if extension:
        for file in (
            f"usr/share/postgresql/{major}/extension/timescaledb.control",
            f"usr/lib/postgresql/{major}/lib/timescaledb.so",
        ):
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / file).touch()
    return folder


@pytest.fixture
def no_packages(tmp_path: Path) -> DebianPackages:
    """Packages on a machine that is not of Debian's family and has an empty cache."""
    (tmp_path / "os-release").write_text("ID=fedora\n")
    return DebianPackages(
        tmp_path / "cache", lambda _: None, tmp_path / "apt", tmp_path / "os-release"
    )


def test_urls_that_are_set_are_used_and_nothing_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TELEMETRA_CACHE_DIR", str(tmp_path / "cache"))
    services = find_services(
        database_url="postgresql://u:geheim@db.test/x",
        redis_url="redis://cache.test",
        data_dir=tmp_path / "state",
        report=pytest.fail,
    )
    assert [service.origin for service in services] == ["DATABASE_URL", "REDIS_URL"]
    assert [service.command() for service in services] == [None, None]
    assert services[0].url == "postgresql://u:geheim@db.test/x"
    assert "geheim" not in repr(services)
    assert list(tmp_path.iterdir()) == []


async def test_an_external_service_that_is_away_is_not_ready_and_raises_nothing(tmp_path: Path):
    services = find_services(
        database_url="postgresql://127.0.0.1:1/x",
        redis_url="redis://127.0.0.1:1",
        data_dir=tmp_path,
        report=pytest.fail,
    )
    assert [await service.is_ready() for service in services] == [False, False]


def test_a_postgres_with_the_extension_is_found(tmp_path: Path):
    looked: list[str] = []
    folder = make_postgres(tmp_path, "16.3", extension=True)
    programs = find_installed_postgres([folder], looked)
    assert programs is not None
    assert (programs.bin, programs.major, programs.locales) == (folder, 16, None)
    assert looked == []


def test_servers_that_are_old_or_lack_the_extension_are_passed_over_and_named(tmp_path: Path):
    looked: list[str] = []
    folders = [
        make_postgres(tmp_path, "13.9", extension=True),
        make_postgres(tmp_path, "15.18", extension=False),
        make_postgres(tmp_path, "14.2", extension=True),
        tmp_path / "missing",
    ]
    programs = find_installed_postgres(folders, looked)
    assert programs is not None
    assert programs.major == 14
    assert "older than PostgreSQL 14" in looked[0]
    assert "PostgreSQL 15 without the TimescaleDB extension" in looked[1]


def test_the_version_that_made_the_data_folder_is_preferred(tmp_path: Path):
    looked: list[str] = []
    folders = [make_postgres(tmp_path, f"{major}.1", extension=True) for major in (17, 16)]
    programs = find_installed_postgres(folders, looked, major=16)
    assert programs is not None
    assert programs.major == 16
    assert "the data folder needs 16" in looked[0]


def test_what_pg_config_says_counts_before_the_layout(tmp_path: Path):
    folder = make_postgres(tmp_path, "17.1", extension=False)
    share, library = tmp_path / "a share", tmp_path / "a lib"
    write_program(folder / "pg_config", f"{share}\n{library}")
    for file in (share / "extension/timescaledb.control", library / "timescaledb.so"):
        file.parent.mkdir(parents=True)
        file.touch()
    assert find_installed_postgres([folder], []) is not None


def test_the_servers_on_the_path_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = make_postgres(tmp_path, "17.1", extension=True)
    valkey = write_program(tmp_path / "valkey-server", "Valkey server v=8.1.1 sha=0:0")
    monkeypatch.setenv("PATH", f"{folder}:{tmp_path}")
    assert list_postgres_folders()[0] == folder
    assert list_redis_paths() == [valkey]


@pytest.mark.parametrize(
    ("prints", "found"),
    [
        ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64", True),
        ("Valkey server v=8.1.1 sha=00000000:0", True),
        ("Redis server v=6.2.0 sha=00000000:0", True),
        ("Redis server v=6.0.16 sha=00000000:0", False),
        ("broken", False),
    ],
)
def test_a_redis_is_used_from_version_6_2_on(tmp_path: Path, prints: str, *, found: bool):
    looked: list[str] = []
    path = write_program(tmp_path / "redis-server", prints)
    assert (find_installed_redis([path], looked) is not None) is found
    assert bool(looked) is not found


def test_one_message_says_what_was_looked_for_and_what_to_do(
    tmp_path: Path, no_packages: DebianPackages, monkeypatch: pytest.MonkeyPatch
):
    old = write_program(tmp_path / "bin/redis-server", "Redis server v=5.0.1")
    monkeypatch.setenv("PATH", str(old.parent))
    with pytest.raises(ServiceMissingError) as caught:
        Search(no_packages).find_redis()
    for part in (
        "redis-server or valkey-server was not found",
        f"{old}: older than 6.2",
        "not of Debian's family",
        "docker compose -f infra/compose.yaml up",
        "REDIS_URL",
    ):
        assert part in caught.value.detail


def test_a_debian_without_a_main_archive_says_so(no_packages: DebianPackages):
    no_packages.os_release.write_text("ID=debian\nVERSION_CODENAME=bookworm\n")
    with pytest.raises(ServiceMissingError, match=r"names no main archive|is missing"):
        no_packages.provide()


def test_a_cache_that_cannot_be_written_is_explained(tmp_path: Path):
    (tmp_path / "file").touch()
    packages = DebianPackages(tmp_path / "file", lambda _: None)
    with pytest.raises(ServiceMissingError, match="TELEMETRA_CACHE_DIR"):
        packages.provide()


def test_the_cache_is_where_the_environment_says(tmp_path: Path):
    own = {"TELEMETRA_CACHE_DIR": str(tmp_path), "XDG_CACHE_HOME": "/elsewhere"}
    assert find_cache_root(own) == tmp_path
    assert find_cache_root({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "telemetra"
    assert find_cache_root({}) == Path.home() / ".cache" / "telemetra"
