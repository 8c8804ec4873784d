"""Debian: TimescaleDB and Redis from the distribution's own packages, in a private folder.

    CACHE/debian/packages.json   what was chosen: names, sizes, SHA256 from the signed index
    CACHE/debian/archives/       the .deb files, kept, so that the next clone needs no network
    CACHE/debian/unpacked/KEY/   one folder for each set of digests

Works without root on Debian and its family and leaves the system as it was. Removing the folder
makes the next start fetch the packages that are current then.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from core.errors import ServiceMissingError
from infra.services.apt_archive import AptArchive, Package, refuse_altered
from infra.services.apt_sources import (
    AptSource,
    find_debian_archive,
    is_debian_family,
    read_os_release,
)
from infra.services.base import Report
from infra.services.locks import locked
from infra.services.prefix import is_complete, make_prefix

SUITE = "trixie"
"""The first release that carries TimescaleDB."""

ROOTS = (
    "postgresql-17",
    "postgresql-17-timescaledb",
    "postgresql-client-17",
    "redis-server",
    "redis-tools",
    "libc-bin",
)
"""What is wanted; ``libc-bin`` carries the C.UTF-8 locale that fits the packages' C library."""

PROGRAMS = ("usr/lib/postgresql/17/bin/*", "usr/bin/redis-*")
POSTGRES_MAJOR = 17
POSTGRES_BIN = "usr/lib/postgresql/17/bin"
REDIS_SERVER = "usr/bin/redis-server"
LOCALES = "usr/lib/locale"

LAYOUT = 1
"""Raised when a prefix is made differently, so that older ones are not used."""


@dataclass(frozen=True, slots=True)
class DebianPackages:
    """The packages of one cache folder."""

    cache: Path
    report: Report
    etc_apt: Path = Path("/etc/apt")
    os_release: Path = Path("/etc/os-release")
    content: str = "TimescaleDB and Redis"
    name: str = "debian"
    """Of the folder in the cache."""

    roots: Sequence[str] = ROOTS
    programs: Sequence[str] = PROGRAMS
    probe: str | None = "--version"
    """What each program is tried with; nothing where it only serves."""

    @property
    def folder(self) -> Path:
        """Where everything from Debian lies."""
        return self.cache / self.name

    def provide(self) -> Path:
        """Return a prefix whose programs run, fetching and unpacking what is missing.

        Raises:
            ServiceMissingError: This machine cannot have them; the text says why.
        """
        try:
            return self._provide()
        except OSError as error:
            raise ServiceMissingError(
                f"{self.folder} cannot be used ({error}); set TELEMETRA_CACHE_DIR to another folder"
            ) from error

    def _provide(self) -> Path:
        if (ready := self._find_ready()) is not None:
            return ready
        with locked(self.folder / "lock", lambda: self.report("another copy is fetching; waiting")):
            if (ready := self._find_ready()) is not None:
                return ready
            packages = self._read_plan()
            if packages is None or not self._has_archives(packages):
                packages = self._fetch(self._require_archive())
            return self._unpack(packages)

    @property
    def _plan_file(self) -> Path:
        return self.folder / "packages.json"

    def _find_ready(self) -> Path | None:
        packages = self._read_plan()
        if packages is None:
            return None
        prefix = self._prefix(packages)
        return prefix if is_complete(prefix) else None

    def _read_plan(self) -> list[Package] | None:
        try:
            return [Package(**item) for item in json.loads(self._plan_file.read_text())]
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def _has_archives(self, packages: Sequence[Package]) -> bool:
        try:
            refuse_altered(packages, self.folder / "archives")
        except ServiceMissingError:
            return False
        return True

    def _prefix(self, packages: Sequence[Package]) -> Path:
        """Name the folder after its content and its place: programs know their loader's path."""
        digests = sorted(package.sha256 for package in packages)
        identity = "\n".join([*digests, *self.programs, str(self.folder), str(LAYOUT)])
        return self.folder / "unpacked" / hashlib.sha256(identity.encode()).hexdigest()[:16]

    def _fetch(self, source: AptSource) -> list[Package]:
        archive = AptArchive(self.folder / "apt")
        self.report("reading Debian's package index")
        try:
            archive.open(source, SUITE)
            packages = archive.plan(self.roots)
            megabytes = sum(package.size for package in packages) / 1e6
            self.report(f"fetching {self.content} from Debian, {megabytes:.0f} MB")
            started = time.monotonic()
            archive.download(packages, self.folder / "archives")
            self.report(f"fetched in {time.monotonic() - started:.1f} s")
        finally:
            shutil.rmtree(archive.folder, ignore_errors=True)
        plan = self._plan_file.with_suffix(".new")
        plan.write_text(json.dumps([asdict(package) for package in packages], indent=1))
        plan.replace(self._plan_file)
        return packages

    def _unpack(self, packages: Sequence[Package]) -> Path:
        started = time.monotonic()
        debs = [self.folder / "archives" / package.file for package in packages]
        prefix = self._prefix(packages)
        make_prefix(prefix, debs, self.programs, self.probe)
        self.report(f"unpacked {len(debs)} packages in {time.monotonic() - started:.1f} s")
        return prefix

    def _require_archive(self) -> AptSource:
        """Return the machine's main Debian archive, or say why it has none."""
        release = read_os_release(self.os_release)
        if not is_debian_family(release):
            raise ServiceMissingError("this machine is not of Debian's family")
        for tool in ("apt-get", "apt-config", "dpkg-deb"):
            if shutil.which(tool) is None:
                raise ServiceMissingError(f"{tool} is missing")
        if (source := find_debian_archive(release, self.etc_apt)) is None:
            raise ServiceMissingError(f"{self.etc_apt} names no main archive of this release")
        return source
