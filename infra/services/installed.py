"""Installed: servers that are on the machine already.

Each find returns the first that fits, and notes in ``looked`` what it saw where, so that the
message for people can say why nothing did.
"""

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from infra.services.postgres import PostgresPrograms
from infra.services.redis import RedisProgram

POSTGRES_MAJOR_MIN = 14
REDIS_VERSION_MIN = (6, 2)

POSTGRES_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)
"""Where distributions put servers that they keep off the PATH."""

REDIS_NAMES = ("redis-server", "valkey-server")
EXTENSION = "timescaledb"


def find_installed_postgres(
    folders: Iterable[Path], looked: list[str], major: int | None = None
) -> PostgresPrograms | None:
    """Find a PostgreSQL that has the TimescaleDB extension.

    Args:
        folders: Where to look for the programs.
        looked: Gets one line for each folder that was passed over.
        major: The version that an existing cluster needs.
    """
    for folder in folders:
        if not (folder / "postgres").is_file() or not (folder / "initdb").is_file():
            continue
        version = read_version([str(folder / "postgres"), "--version"])
        if version < (POSTGRES_MAJOR_MIN,):
            looked.append(f"{folder}: older than PostgreSQL {POSTGRES_MAJOR_MIN}")
        elif major not in {None, version[0]}:
            looked.append(f"{folder}: PostgreSQL {version[0]}; the data folder needs {major}")
        elif not has_extension(folder):
            looked.append(f"{folder}: PostgreSQL {version[0]} without the TimescaleDB extension")
        else:
            return PostgresPrograms(folder, version[0], str(folder))
    return None


def find_installed_redis(paths: Iterable[Path], looked: list[str]) -> RedisProgram | None:
    """Find a Redis or Valkey that is new enough."""
    for path in paths:
        if read_version([str(path), "--version"]) >= REDIS_VERSION_MIN:
            return RedisProgram(path, str(path))
        looked.append(f"{path}: older than {'.'.join(map(str, REDIS_VERSION_MIN))}")
    return None


def list_postgres_folders() -> list[Path]:
    """List where PostgreSQL may be: the PATH first, then known places, the newest version first."""
    on_path = shutil.which("postgres")
    first = [Path(on_path).resolve().parent] if on_path else []
    known = [folder for pattern in POSTGRES_FOLDERS for folder in Path("/").glob(pattern[1:])]
    return list(dict.fromkeys([*first, *sorted(known, key=_number_in, reverse=True)]))


def list_redis_paths() -> list[Path]:
    """List the Redis and Valkey servers on the PATH."""
    return [Path(path) for name in REDIS_NAMES if (path := shutil.which(name))]


def has_extension(folder: Path) -> bool:
    """Tell whether the TimescaleDB extension lies where this PostgreSQL looks for extensions."""
    return any(
        (share / "extension" / f"{EXTENSION}.control").is_file()
        and any(library.glob(f"{EXTENSION}.*"))
        for share, library in _extension_folders(folder)
    )


def read_version(command: Sequence[str]) -> tuple[int, ...]:
    """Run a program and read the first version in what it prints; empty when it does not run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    match = re.search(r"\d+(\.\d+)*", done.stdout)
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def _extension_folders(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Name the pairs of shared and library folders: as pg_config says, else by layout."""
    try:
        done = subprocess.run(
            [str(folder / "pg_config"), "--sharedir", "--pkglibdir"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
        share, library = done.stdout.splitlines()[:2]
        yield Path(share), Path(library)
    except (OSError, ValueError, subprocess.SubprocessError):
        pass
    prefix = folder.parent
    # /usr/lib/postgresql/17/bin keeps its shared files in /usr/share/postgresql/17.
    yield prefix.parents[2] / "share/postgresql" / prefix.name, prefix / "lib"
    yield prefix / "share/postgresql", prefix / "lib/postgresql"
    yield prefix / "share", prefix / "lib"


def _number_in(folder: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", str(folder)))
