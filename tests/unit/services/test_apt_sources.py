"""Which archive of the machine's own apt sources is used."""

from pathlib import Path

import pytest

from infra.services.apt_sources import (
    AptSource,
    find_debian_archive,
    is_debian_family,
    list_apt_sources,
    parse_deb822,
    parse_one_line,
    read_os_release,
)

BOOKWORM = {"ID": "debian", "VERSION_CODENAME": "bookworm"}

DEB822 = """\
Types: deb deb-src
# A comment between fields.
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /keys/archive.gpg

Types: deb
URIs: http://mirror.test/security
Suites: bookworm-security
Components: main
"""


def test_deb822_entries_are_read_with_all_their_values():
    first, second = parse_deb822(DEB822)
    assert first == AptSource(
        ("http://mirror.test/debian",),
        ("bookworm", "bookworm-updates"),
        ("main",),
        "/keys/archive.gpg",
    )
    assert second.suites == ("bookworm-security",)


def test_disabled_entries_and_source_packages_are_passed_over():
    disabled = DEB822.replace("Types: deb\n", "Enabled: no\nTypes: deb\n")
    assert len(parse_deb822(disabled)) == 1
    assert parse_deb822("Types: deb-src\nURIs: http://x.test/\nSuites: a\nComponents: main\n") == []


def test_an_embedded_key_is_kept_with_its_lines():
    key = "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n -----END PGP PUBLIC KEY BLOCK-----"
    (source,) = parse_deb822(
        f"Types: deb\nURIs: http://x.test/\nSuites: a\nComponents: main\nSigned-By:{key}\n"
    )
    assert source.signed_by == key
    assert f"Signed-By: {key}\n" in source.render("trixie")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "deb http://mirror.test/debian bookworm main contrib",
            AptSource(("http://mirror.test/debian",), ("bookworm",), ("main", "contrib")),
        ),
        (
            "deb [arch=amd64 signed-by=/keys/a.gpg] http://m.test/d bookworm main # near",
            AptSource(("http://m.test/d",), ("bookworm",), ("main",), "/keys/a.gpg"),
        ),
    ],
)
def test_one_line_entries_are_read_with_their_options(
    line: str, expected: AptSource, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("infra.services.apt_sources.DEFAULT_KEYRINGS", ())
    assert parse_one_line(f"# deb http://old.test/ a main\n\n{line}\n") == [expected]


def test_the_archive_of_the_machines_release_is_chosen_among_others(tmp_path: Path):
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text("deb https://vendor.test/apt vendor main\n")
    (tmp_path / "sources.list.d/debian.sources").write_text(DEB822)
    (tmp_path / "sources.list.d/other.list").write_text("deb https://other.test/ bookworm extra\n")
    assert len(list_apt_sources(tmp_path)) == 4
    archive = find_debian_archive(BOOKWORM, tmp_path)
    assert archive is not None
    assert archive.uris == ("http://mirror.test/debian",)


def test_a_machine_that_follows_stable_without_its_name_is_understood(tmp_path: Path):
    (tmp_path / "sources.list").write_text("deb http://mirror.test/debian stable main\n")
    assert find_debian_archive(BOOKWORM, tmp_path) is not None


def test_a_machine_without_a_main_archive_has_none(tmp_path: Path):
    (tmp_path / "sources.list").write_text("deb http://mirror.test/debian bookworm contrib\n")
    assert find_debian_archive(BOOKWORM, tmp_path) is None


def test_weaker_checks_of_the_machine_are_not_taken_over():
    (source,) = parse_one_line("deb [trusted=yes] http://mirror.test/debian bookworm main")
    assert "rusted" not in source.render("trixie")


def test_debian_and_what_is_built_on_it_is_recognised(tmp_path: Path):
    file = tmp_path / "os-release"
    file.write_text('ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_CODENAME=xia\n')
    assert is_debian_family(read_os_release(file))
    assert is_debian_family(BOOKWORM)
    assert not is_debian_family({"ID": "fedora"})
    assert not is_debian_family(read_os_release(tmp_path / "missing"))
