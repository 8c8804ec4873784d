"""Prefix: a folder into which packages are unpacked so that their programs run from there.

    .deb files -> PREFIX.new-…: unpacked, trimmed, patched -> PREFIX -> programs tried -> .complete

The programs get the C library that they were built with, through ``patchelf``, so that the
machine's own may be older, and find their other libraries relative to themselves.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from core.errors import ServiceMissingError

COMPLETE = ".complete"
"""Written last: a prefix without it was interrupted and is made again."""

_UNUSED = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "usr/share/postgresql/*/man",
    "usr/lib/postgresql/*/lib/bitcode",
    "usr/lib/postgresql/*/lib/llvmjit*",
)
"""Documentation, translations and what only just-in-time compilation reads."""

_ELF_MAGIC = b"\x7fELF"


def is_complete(prefix: Path) -> bool:
    """Tell whether the prefix was unpacked, patched and tried."""
    return (prefix / COMPLETE).is_file()


def make_prefix(
    prefix: Path, debs: Iterable[Path], programs: Sequence[str], probe: str | None = "--version"
) -> None:
    """Unpack packages into a new prefix and make its programs run.

    Args:
        prefix: Where the folder will lie; replaced when it is there but not complete.
        debs: Package files, already checked.
        programs: Glob patterns, relative to the prefix, of the programs to patch.
        probe: What each of them is asked to see that it runs; nothing where it knows no question.

    Raises:
        ServiceMissingError: A tool is missing, or a program does not run here.
    """
    prefix.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f"{prefix.name}.new-", dir=prefix.parent))
    try:
        for deb in debs:
            _run("dpkg-deb", "--extract", deb, staging)
        for pattern in _UNUSED:
            for path in staging.glob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        elves = list(_find_programs(staging, programs))
        _use_own_libraries(staging, prefix, elves)
        shutil.rmtree(prefix, ignore_errors=True)
        staging.chmod(0o755)
        staging.rename(prefix)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    if probe is not None:
        for elf in elves:
            _run(prefix / elf.relative_to(staging), probe)
    (prefix / COMPLETE).touch()


def _find_programs(folder: Path, patterns: Sequence[str]) -> set[Path]:
    found = {path.resolve() for pattern in patterns for path in folder.glob(pattern)}
    return {path for path in found if path.is_file() and _is_elf(path)}


def _is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == _ELF_MAGIC


def _use_own_libraries(staging: Path, prefix: Path, elves: Sequence[Path]) -> None:
    """Point programs at the loader and the libraries beside them."""
    patchelf = shutil.which(Path(sys.executable).with_name("patchelf")) or shutil.which("patchelf")
    if patchelf is None:
        raise ServiceMissingError("patchelf is missing; it is installed with Telemetra itself.")
    for folder in sorted({elf.parent for elf in elves}):
        here = [elf for elf in elves if elf.parent == folder]
        loader = _find_loader(staging, _run(patchelf, "--print-interpreter", here[0]).strip())
        libraries = next(path.parent for path in staging.glob("usr/lib/*/libc.so.6"))
        origin = f"$ORIGIN/{os.path.relpath(libraries, folder)}"
        final_loader = prefix / loader.relative_to(staging)
        _run(patchelf, "--set-interpreter", final_loader, *here)
        # DT_RPATH, not DT_RUNPATH: it counts for libraries of libraries and extensions too.
        _run(patchelf, "--force-rpath", "--set-rpath", origin, *here)


def _find_loader(staging: Path, interpreter: str) -> Path:
    """Find the unpacked file for a loader such as ``/lib64/ld-linux-x86-64.so.2``."""
    for path in staging.glob(f"**/{Path(interpreter).name}"):
        return path
    raise ServiceMissingError(f"The packages carry no {interpreter}.")


def _run(*command: str | Path) -> str:
    try:
        done = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        reason = error.stderr.strip().splitlines()[-1:] or [f"exit code {error.returncode}"]
        raise ServiceMissingError(f"{command[0]} failed: {reason[0]}") from error
    except OSError as error:
        raise ServiceMissingError(f"{command[0]} cannot run: {error}") from error
    return done.stdout
