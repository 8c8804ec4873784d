"""Packages in the cache: a second clone needs no network, and damage is noticed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import ServiceMissingError
from infra.services.caches import find_cache_root
from infra.services.debian import REDIS_SERVER, DebianPackages


def make_cache(folder: Path) -> Path:
    """Return a cache that holds the fetched packages and nothing unpacked."""
    filled = find_cache_root() / "debian"
    if not (filled / "packages.json").is_file():
        pytest.skip("the servers of this machine are not from Debian's packages")
    target = folder / "a cache" / "debian"
    (target / "archives").mkdir(parents=True)
    (target / "packages.json").write_bytes((filled / "packages.json").read_bytes())
    for deb in (filled / "archives").glob("*.deb"):
        (target / "archives" / deb.name).symlink_to(deb)
    return target.parent


def offline(cache: Path) -> DebianPackages:
    """Packages on a machine whose sources name no archive, so that nothing can be fetched."""
    return DebianPackages(cache, print, etc_apt=cache / "no sources")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache for all tests: to unpack it takes some seconds."""
    return make_cache(tmp_path_factory.mktemp("debian"))


@pytest.fixture(scope="module")
def prefix(cache: Path) -> Path:
    """What was unpacked of it."""
    return offline(cache).provide()


def test_kept_archives_are_unpacked_without_the_network(prefix: Path):
    done = subprocess.run([prefix / REDIS_SERVER, "--version"], capture_output=True, check=True)
    assert done.stdout.startswith(b"Redis server v=")
    assert not list(prefix.glob("usr/lib/*/libLLVM*"))


def test_a_damaged_archive_is_not_unpacked(tmp_path: Path):
    cache = make_cache(tmp_path)
    deb = next((cache / "debian/archives").glob("redis-server_*.deb"))
    content = bytearray(deb.read_bytes())
    content[-1] ^= 1
    deb.unlink()
    deb.write_bytes(content)
    with pytest.raises(ServiceMissingError, match="no main archive"):
        offline(cache).provide()
    assert not (cache / "debian/unpacked").exists()


def test_an_interrupted_unpacking_is_done_again_by_one_of_two(cache: Path, prefix: Path):
    (prefix / ".complete").unlink()
    (prefix / REDIS_SERVER).unlink()
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
    assert prefixes == {f"{prefix}\n".encode()}
    assert (prefix / REDIS_SERVER).exists()
    assert list((cache / "debian/unpacked").iterdir()) == [prefix]
