"""Apt sources: which Debian archive this machine trusts, read from its own configuration.

Both formats of ``/etc/apt`` are read, deb822 ``.sources`` and one-line ``.list``. Only the address
and the keyring are taken; options that weaken the check of signatures (``trusted=yes``) are not.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

DEFAULT_KEYRINGS = (
    Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
    Path("/usr/share/keyrings/debian-archive-keyring.pgp"),
)
SUITE_ALIASES = ("stable", "testing", "oldstable")
"""Names under which a machine may follow its release without naming it."""

_ONE_LINE = re.compile(r"^deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<rest>\S.*)$")


@dataclass(frozen=True, slots=True)
class AptSource:
    """One archive: where it is, what of it is used and whose signature counts."""

    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str | None = None
    """A keyring's path or an embedded key, as deb822 writes it."""

    def render(self, suite: str) -> str:
        """Write a deb822 entry for another suite of the same archive."""
        lines = [
            "Types: deb",
            f"URIs: {' '.join(self.uris)}",
            f"Suites: {suite}",
            "Components: main",
        ]
        if self.signed_by:
            lines.append(f"Signed-By: {self.signed_by}")
        return "\n".join(lines) + "\n"


def read_os_release(path: Path) -> dict[str, str]:
    """Read the facts that a distribution tells about itself; empty when it tells none."""
    if not path.is_file():
        return {}
    pairs = (line.partition("=") for line in path.read_text().splitlines() if "=" in line)
    return {key.strip(): value.strip().strip("\"'") for key, _, value in pairs}


def is_debian_family(release: Mapping[str, str]) -> bool:
    """Tell whether the distribution is Debian or built on it."""
    return "debian" in [release.get("ID"), *release.get("ID_LIKE", "").split()]


def find_debian_archive(release: Mapping[str, str], folder: Path) -> AptSource | None:
    """Find the entry of the machine's sources that names its main archive."""
    wanted = {release.get("VERSION_CODENAME", ""), *SUITE_ALIASES} - {""}
    for source in list_apt_sources(folder):
        if wanted.intersection(source.suites) and "main" in source.components:
            return source
    return None


def list_apt_sources(folder: Path) -> list[AptSource]:
    """List the binary archives that are enabled below ``/etc/apt``, the main file first."""
    parts = folder / "sources.list.d"
    files = [
        folder / "sources.list",
        *sorted(parts.glob("*.sources")),
        *sorted(parts.glob("*.list")),
    ]
    sources: list[AptSource] = []
    for file in files:
        if file.is_file():
            parse = parse_deb822 if file.suffix == ".sources" else parse_one_line
            sources += parse(file.read_text(errors="replace"))
    return sources


def parse_deb822(text: str) -> list[AptSource]:
    """Read the ``.sources`` format."""
    sources: list[AptSource] = []
    for fields in _stanzas(text):
        enabled = fields.get("enabled", "yes").lower() not in {"no", "false", "0"}
        if enabled and "deb" in fields.get("types", "").split():
            uris, suites, components = (
                tuple(fields.get(name, "").split()) for name in ("uris", "suites", "components")
            )
            signed_by = fields.get("signed-by") or default_keyring()
            sources.append(AptSource(uris, suites, components, signed_by))
    return sources


def parse_one_line(text: str) -> list[AptSource]:
    """Read the ``.list`` format."""
    sources: list[AptSource] = []
    for line in text.splitlines():
        if match := _ONE_LINE.match(line.partition("#")[0].strip()):
            suite, *components = match["rest"].split()
            pairs = (option.partition("=") for option in (match["options"] or "").split())
            options = {name.lower(): value for name, _, value in pairs}
            signed_by = options.get("signed-by") or default_keyring()
            sources.append(AptSource((match["uri"],), (suite,), tuple(components), signed_by))
    return sources


def default_keyring() -> str | None:
    """Name the keyring of Debian's archive, or None to leave it to apt's trusted keys."""
    return next((str(path) for path in DEFAULT_KEYRINGS if path.is_file()), None)


def _stanzas(text: str) -> Iterator[dict[str, str]]:
    """Split deb822 text into its paragraphs; continuation lines keep their indentation."""
    for block in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            if line.startswith("#"):
                continue
            if line[:1].isspace():
                fields[name] = f"{fields.get(name, '')}\n{line}"
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                fields[name] = value.strip()
        if fields:
            yield fields
