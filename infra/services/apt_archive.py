"""Apt archive: Debian packages fetched by apt with a state of its own, the system untouched.

    machine's sources -> private index, signature checked by apt
                      -> plan -> .deb files, SHA256 checked once more

Needs no root. The machine's proxies and certificates keep counting; its pins, hooks and installed
packages do not.
"""

import hashlib
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from core.errors import ServiceMissingError
from infra.services.apt_sources import AptSource

APT_TIMEOUT_S = 600
"""Long enough for 50 MB over a slow line; a hanging mirror must not hang the start for ever."""

_PLAN_LINE = re.compile(
    r"^'(?P<uri>[^']+)' (?P<file>\S+\.deb) (?P<size>\d+) SHA256:(?P<sha256>\w{64})$"
)

_NEVER_NEEDED = re.compile(
    r"^(libc-l10n|libllvm|libz3|libclang|libperl|libpam-|libsemanage|libsepol|libgdbm|libdb5)|-perl$"
)
"""Libraries for just-in-time compilation, Perl scripts and system accounts: half of the bytes."""

_OVERRIDES = """
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
Acquire::ForceHash "sha256";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
"""


@dataclass(frozen=True, slots=True)
class Package:
    """One package file as the signed index describes it."""

    file: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        """The package's name."""
        return self.file.partition("_")[0]

    @property
    def version(self) -> str:
        """The package's version."""
        return unquote(self.file.split("_")[1])


@dataclass(frozen=True, slots=True)
class AptArchive:
    """A view of one suite of an archive, kept in a folder of its own."""

    folder: Path

    def open(self, source: AptSource, suite: str) -> None:
        """Point the private state at a suite and fetch its index.

        Raises:
            ServiceMissingError: The mirror lacks the suite, is away, or is not trusted.
        """
        for part in ("state/lists/partial", "cache/archives/partial"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        (self.folder / "state/status").touch()
        (self.folder / "archive.sources").write_text(source.render(suite))
        machine = _run(["apt-config", "dump"], os.environ)  # noqa: TID251 - apt needs the proxies.
        (self.folder / "apt.conf").write_text(render_apt_config(machine, self.folder))
        self._apt("update", "--error-on=any")

    def plan(self, roots: Sequence[str]) -> list[Package]:
        """List these packages and the libraries they need on a machine that has nothing.

        Raises:
            ServiceMissingError: The index does not name one of them with its SHA256.
        """
        listed = parse_plan(self._apt("install", "--print-uris", "--yes", *roots))
        if unnamed := set(roots) - {package.name for package in listed}:
            raise ServiceMissingError(f"the package index lacks {', '.join(sorted(unnamed))}")
        return [package for package in listed if is_needed(package, roots)]

    def download(self, packages: Sequence[Package], target: Path) -> None:
        """Fetch the packages that are not in the target yet.

        Raises:
            ServiceMissingError: A file is not what the signed index names.
        """
        target.mkdir(parents=True, exist_ok=True)
        missing = [package for package in packages if not is_intact(target / package.file, package)]
        for package in missing:
            (target / package.file).unlink(missing_ok=True)
        if missing:
            self._apt("download", *(f"{item.name}={item.version}" for item in missing), cwd=target)
        refuse_altered(packages, target)

    def _apt(self, *arguments: str, cwd: Path | None = None) -> str:
        own = {"APT_CONFIG": str(self.folder / "apt.conf"), "LC_ALL": "C"}
        environment = {**os.environ, **own}  # noqa: TID251 - apt needs the proxies.
        return _run(["apt-get", "--quiet=2", *arguments], environment, cwd)


def render_apt_config(machine: str, folder: Path) -> str:
    """Keep how the machine reaches the network; replace everything else.

    Args:
        machine: What ``apt-config dump`` prints: one ``Name "value";`` a line.
        folder: Where state, cache and sources lie.
    """
    kept = [
        line
        for line in machine.splitlines()
        if line.startswith(("Acquire::", "APT::Architecture "))
        and not line.startswith("Acquire::IndexTargets")
    ]
    native = re.search(r'^APT::Architecture "(\w+)";', machine, re.MULTILINE)
    architectures = [f'APT::Architectures {{ "{native[1]}"; }};'] if native else []
    own = [
        f'Dir::State "{folder}/state";',
        f'Dir::State::status "{folder}/state/status";',
        f'Dir::Cache "{folder}/cache";',
        f'Dir::Log "{folder}";',
        f'Dir::Etc::sourcelist "{folder}/archive.sources";',
    ]
    return "\n".join([*kept, *architectures, *own]) + _OVERRIDES


def parse_plan(text: str) -> list[Package]:
    """Read what ``apt-get install --print-uris`` prints."""
    matches = (_PLAN_LINE.match(line) for line in text.splitlines())
    return [Package(m["file"], int(m["size"]), m["sha256"]) for m in matches if m]


def is_needed(package: Package, roots: Sequence[str]) -> bool:
    """Tell whether a package is one that was asked for, its programs, or a library they load."""
    if package.name in roots:
        return True
    return package.name.startswith(("lib", "zlib")) and not _NEVER_NEEDED.search(package.name)


def is_intact(path: Path, package: Package) -> bool:
    """Tell whether the file is there and is the one that the index names."""
    if not path.is_file() or path.stat().st_size != package.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == package.sha256


def refuse_altered(packages: Sequence[Package], folder: Path) -> None:
    """Compare every file with the digest in the signed index.

    Raises:
        ServiceMissingError: A file is missing or differs; it is removed.
    """
    for package in packages:
        path = folder / package.file
        if not is_intact(path, package):
            path.unlink(missing_ok=True)
            raise ServiceMissingError(
                f"{path} is not the file that Debian's signed index names, and was removed."
            )


def _run(command: list[str], environment: Mapping[str, str], cwd: Path | None = None) -> str:
    try:
        done = subprocess.run(
            command,
            env=environment,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=APT_TIMEOUT_S,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        lines = [line for line in error.stderr.splitlines() if line.startswith(("E:", "W:"))]
        reason = " ".join(lines[:3]) or f"exit code {error.returncode}"
        raise ServiceMissingError(f"{command[0]} failed: {reason}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ServiceMissingError(f"{command[0]} failed: {error}") from error
    return done.stdout
