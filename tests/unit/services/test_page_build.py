"""When the page is built anew, and with which Node."""

import os
from pathlib import Path

import pytest

from infra.page_build import digest_sources, is_installed, is_new_enough


@pytest.fixture
def page(tmp_path: Path) -> Path:
    for name in ("package-lock.json", "src/main.ts", "src/lib/chart.ts"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize("name", ["package-lock.json", "src/lib/chart.ts", "src/new.ts"])
def test_a_changed_or_new_source_changes_the_digest(page: Path, name: str):
    before = digest_sources(page)
    (page / name).write_text("other")
    assert digest_sources(page) != before


@pytest.mark.parametrize(
    "name", ["dist/index.html", "generated/a.ts", "node_modules/x.js", "tests/a.ts"]
)
def test_what_is_not_part_of_the_page_does_not(page: Path, name: str):
    before = digest_sources(page)
    (page / name).parent.mkdir(parents=True)
    (page / name).write_text("other")
    assert digest_sources(page) == before


def test_packages_are_installed_when_the_lock_is_newer(page: Path):
    assert not is_installed(page)
    installed = page / "node_modules/.package-lock.json"
    installed.parent.mkdir()
    installed.touch()
    os.utime(page / "package-lock.json", (1, 1))
    assert is_installed(page)
    os.utime(installed, (0, 0))
    assert not is_installed(page)


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("v20.19.0", True),
        ("v20.18.9", False),
        ("v21.7.0", False),
        ("v22.11.0", False),
        ("v22.12.0", True),
        ("v24.0.1", True),
        ("", False),
    ],
)
def test_node_must_be_new_enough_for_the_tools(version: str, *, expected: bool):
    assert is_new_enough(version) is expected
