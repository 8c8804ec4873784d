"""Documents: what they say is what the code does."""

import re
from pathlib import Path

import pytest

from core.settings import REPOSITORY
from infra.settings_pages import ENV_EXAMPLE, PAGE, render_env_example, render_page
from tests.tidy.trees import list_files, list_with, name_of

MARKDOWN = list_with(".md")
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#]+)")
METRIC = re.compile(r"\btelemetra_[a-z_]+")


def test_the_example_of_settings_is_current() -> None:
    assert ENV_EXAMPLE.read_text(encoding="utf-8") == render_env_example(), "run `make docs`"


def test_the_page_of_settings_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == render_page(), "run `make docs`"


def test_every_metric_is_documented_and_every_documented_metric_exists() -> None:
    code = (REPOSITORY / "core" / "metrics.py").read_text(encoding="utf-8")
    page = (REPOSITORY / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert set(METRIC.findall(page)) == set(re.findall(r'"(telemetra_[a-z_]+)"', code))


@pytest.mark.parametrize("path", MARKDOWN, ids=name_of)
def test_every_link_leads_somewhere(path: Path) -> None:
    targets = LINK.findall(path.read_text(encoding="utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


@pytest.mark.parametrize("path", MARKDOWN, ids=name_of)
def test_every_make_target_that_is_named_exists(path: Path) -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*##", makefile, re.MULTILINE))
    named = set(
        re.findall(r"(?:^|`)make ([a-z-]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert named <= targets


def test_every_decision_says_what_enforces_it() -> None:
    records = sorted((REPOSITORY / "docs" / "decisions").glob("*.md"))
    parts = ("**Status**", "**Context.**", "**Decision.**", "**Consequences.**", "**Enforced by.**")
    assert records
    for record in records:
        text = record.read_text(encoding="utf-8")
        assert [part for part in parts if part not in text] == [], record.name


def test_no_file_names_a_machine_or_leaves_work_behind() -> None:
    forbidden = re.compile(
        # Folders of a machine's users, work left behind, and hosts of package registries.
        r"/(?:root/|home/[a-z])|\bTODO\b|\bFIXME\b|\bXXX\b|\b(?:registry|pypi)\.[a-z]{2,}"
    )
    skipped = {"tests/tidy/test_documents.py"}
    found = [
        f"{name_of(path)}: {match.group()}"
        for path in list_files()
        if name_of(path) not in skipped and path.suffix not in {".svg", ".webp"}
        for match in forbidden.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []
