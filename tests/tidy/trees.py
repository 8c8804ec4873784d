"""Trees: the files of the project, as git would take them."""

import subprocess
from functools import cache
from pathlib import Path

from core.settings import REPOSITORY

CODE_FOLDERS = ("api", "core", "dashboards", "db", "infra", "loadtest", "streaming")


@cache
def list_files() -> tuple[Path, ...]:
    """Return every file that is tracked or would be, without what git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
    ).stdout.decode()
    return tuple(
        path for name in listed.split("\0") if name and (path := REPOSITORY / name).is_file()
    )


def list_with(*suffixes: str) -> list[Path]:
    """Return the files with one of these endings."""
    return [path for path in list_files() if path.suffix in suffixes]


def list_modules() -> list[Path]:
    """Return the product's own Python modules."""
    return [path for path in list_with(".py") if name_of(path).split("/")[0] in CODE_FOLDERS]


def name_of(path: Path) -> str:
    """Return a path as people write it."""
    return path.relative_to(REPOSITORY).as_posix()
