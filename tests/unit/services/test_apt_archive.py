"""What is fetched from the archive, and what is refused."""

import hashlib
from pathlib import Path

import pytest

from core.errors import ServiceMissingError
from infra.services.apt_archive import (
    Package,
    is_needed,
    parse_plan,
    refuse_altered,
    render_apt_config,
)

CONTENT = b"a package"
PACKAGE = Package("libx1_1%3a2.0-1_amd64.deb", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())

MACHINE = """\
APT "";
APT::Architecture "amd64";
APT::Architectures "";
APT::Architectures:: "i386";
APT::Update::Post-Invoke:: "rm -f /var/cache/apt/archives/*.deb";
Acquire::http::Proxy "http://proxy.test:3128";
Acquire::AllowInsecureRepositories "1";
Acquire::IndexTargets::deb::DEP-11::MetaKey "x";
Dir::State "var/lib/apt";
"""


def test_the_plan_names_files_sizes_and_digests():
    sha256 = "ab" * 32
    line = f"'http://m.test/pool/libx1_2.0-1_amd64.deb' {PACKAGE.file} 9 SHA256:{sha256}"
    (package,) = parse_plan(f"noise\n{line}\n")
    assert package == Package(PACKAGE.file, 9, sha256)
    assert (package.name, package.version) == ("libx1", "1:2.0-1")


def test_a_file_without_a_sha256_is_not_planned():
    assert parse_plan("'http://m.test/a_1_all.deb' a_1_all.deb 9 MD5Sum:00\n") == []


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("postgresql-17", True),
        ("libicu76", True),
        ("zlib1g", True),
        ("libllvm19", False),
        ("libz3-4", False),
        ("perl-base", False),
        ("libjson-perl", False),
        ("libpam-modules", False),
        ("libpam0g", True),
        ("postgresql-common", False),
        ("adduser", False),
    ],
)
def test_only_what_the_servers_load_is_fetched(name: str, *, needed: bool):
    assert is_needed(Package(f"{name}_1_all.deb", 1, ""), ["postgresql-17"]) is needed


def test_an_unaltered_file_is_accepted(tmp_path: Path):
    (tmp_path / PACKAGE.file).write_bytes(CONTENT)
    refuse_altered([PACKAGE], tmp_path)


def test_an_altered_file_of_the_same_size_is_refused_and_removed(tmp_path: Path):
    (tmp_path / PACKAGE.file).write_bytes(CONTENT[::-1])
    with pytest.raises(ServiceMissingError, match="signed index"):
        refuse_altered([PACKAGE], tmp_path)
    assert not (tmp_path / PACKAGE.file).exists()


def test_a_missing_file_is_refused(tmp_path: Path):
    with pytest.raises(ServiceMissingError, match="signed index"):
        refuse_altered([PACKAGE], tmp_path)


def test_only_how_the_machine_reaches_the_network_is_taken_from_its_apt(tmp_path: Path):
    config = render_apt_config(MACHINE, tmp_path).splitlines()
    assert 'Acquire::http::Proxy "http://proxy.test:3128";' in config
    assert 'APT::Architectures { "amd64"; };' in config
    assert f'Dir::State "{tmp_path}/state";' in config
    assert not any(word in line for line in config for word in ("Post-Invoke", "DEP-11", "i386"))
    # The last word counts: signatures are checked even where the machine does not.
    assert config.index('Acquire::AllowInsecureRepositories "false";') > config.index(
        'Acquire::AllowInsecureRepositories "1";'
    )
