"""Packages in the cache: a second clone needs no network, and damage is noticed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import ServiceMissingError
from infra.services.caches import find_cache_root
from infra.services.debian import REDIS_SERVER, DebianPackages


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache that holds the fetched packages and nothing unpacked."""
    filled = find_cache_root() / "debian"
    if not (filled / "packages.json").is_file():
        pytest.skip("the servers of this machine are not from Debian's packages")
    target = tmp_path / "a cache" / "debian"
    (target / "archives").mkdir(parents=True)
    (target / "packages.json").write_bytes((filled / "packages.json").read_bytes())
    for deb in (filled / "archives").glob("*.deb"):
        (target / "archives" / deb.name).symlink_to(deb)
    return target.parent


def offline(cache: Path) -> DebianPackages:
    """Packages on a machine whose sources name no archive, so that nothing can be fetched."""
    return DebianPackages(cache, print, etc_apt=cache / "no sources")


def test_kept_archives_are_unpacked_without_the_network(cache: Path):
    prefix = offline(cache).provide()
    done = subprocess.run([prefix / REDIS_SERVER, "--version"], capture_output=True, check=True)
    assert done.stdout.startswith(b"Redis server v=")
    assert not list(prefix.glob("usr/lib/*/libLLVM*"))


def test_a_damaged_archive_is_not_unpacked(cache: Path):
    deb = next((cache / "debian/archives").glob("redis-server_*.deb"))
    content = bytearray(deb.read_bytes())
    content[-1] ^= 1
    deb.unlink()
    deb.write_bytes(content)
    with pytest.raises(ServiceMissingError, match="no main archive"):
        offline(cache).provide()
    assert not (cache / "debian/unpacked").exists()


def test_an_interrupted_unpacking_is_done_again(cache: Path):
    packages = offline(cache)
    prefix = packages.provide()
    (prefix / ".complete").unlink()
    (prefix / REDIS_SERVER).unlink()
    assert packages.provide() == prefix
    assert (prefix / REDIS_SERVER).exists()


def test_two_processes_that_unpack_at_once_do_not_hurt_each_other(cache: Path):
    program = (
        "import sys; from pathlib import Path; from infra.services.debian import DebianPackages\n"
        "print(DebianPackages(Path(sys.argv[1]), lambda _: None).provide())"
    )
    root = Path(__file__).parents[3]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(cache)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(root)},  # noqa: TID251 - handed on as it is.
        )
        for _ in range(2)
    ]
    prefixes = {process.communicate(timeout=120)[0] for process in processes}
    assert [process.returncode for process in processes] == [0, 0]
    assert len(prefixes) == 1
    unpacked = list((cache / "debian/unpacked").iterdir())
    assert [path.name for path in unpacked] == [Path(prefixes.pop().decode().strip()).name]
