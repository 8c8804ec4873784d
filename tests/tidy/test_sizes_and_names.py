"""Sizes and names: the rules of the house that no linter knows."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tidy.trees import list_files, list_modules, list_with, name_of

MODULE_LINES_MAX = 400
COPIED_LINES_MAX = {"streaming/devices/sdk.py": 650}
"""What people copy beside a script of theirs is one file, however much it does."""

TEST_LINES_MAX = 500
FUNCTION_LINES_MAX = 50
SQL_LINES_MAX = 200
PAGE_LINES_MAX = 300
BANNED_STEMS = {"utils", "helpers", "common", "misc", "manager", "handler", "data"}


def _count_lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def _too_long(paths: list[Path], limit: int) -> dict[str, int]:
    lines = {name_of(path): _count_lines(path) for path in paths}
    return {name: count for name, count in lines.items() if count > limit}


def _list_long_functions(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            # A table of rules is one expression, however many rules there are.
            if lines > FUNCTION_LINES_MAX and len(node.body) > 5:
                yield f"{name_of(path)}:{node.name} has {lines} lines"


def test_no_module_is_longer_than_its_limit() -> None:
    found = _too_long(list_modules(), MODULE_LINES_MAX)
    assert {name: n for name, n in found.items() if n > COPIED_LINES_MAX.get(name, 0)} == {}


def test_no_test_module_is_longer_than_its_limit() -> None:
    tests = [path for path in list_with(".py") if name_of(path).startswith("tests/")]
    assert _too_long(tests, TEST_LINES_MAX) == {}


def test_no_sql_file_is_longer_than_its_limit() -> None:
    assert _too_long(list_with(".sql"), SQL_LINES_MAX) == {}


def test_no_file_of_the_page_is_longer_than_its_limit() -> None:
    assert _too_long(list_with(".ts", ".svelte"), PAGE_LINES_MAX) == {}


def test_no_function_is_longer_than_its_limit() -> None:
    assert [text for path in list_modules() for text in _list_long_functions(path)] == []


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [name_of(path) for path in list_files() if path.stem.lower() in BANNED_STEMS] == []


def test_every_package_file_is_empty() -> None:
    packages = [path for path in list_with(".py") if path.name == "__init__.py"]
    assert [name_of(path) for path in packages if path.read_text(encoding="utf-8").strip()] == []


def test_every_test_is_named_by_a_sentence() -> None:
    short = [
        f"{name_of(path)}:{node.name}"
        for path in list_with(".py")
        if path.name.startswith("test_")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and node.name.count("_") < 3
    ]
    assert short == []


@pytest.mark.parametrize("path", list_with(".sql"), ids=name_of)
def test_every_list_in_sql_is_bounded(path: Path) -> None:
    blocks = path.read_text(encoding="utf-8").split("\n-- list_")[1:]
    assert [block.splitlines()[0] for block in blocks if "LIMIT $" not in block] == []
