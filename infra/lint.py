"""Lint: every check of style, types, imports and the page, in one go (``make lint``).

    Python: ruff ─► mypy ─► … ─┐
    page:   npm  ─► svelte ─► … ┴─► what failed

Each check runs even when an earlier one failed. ``--fix`` mends what the tools can mend instead.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

import orjson

from core.settings import REPOSITORY

PAGE: Final = REPOSITORY / "dashboards" / "live"
OPENAPI: Final = PAGE / "generated" / "openapi.json"
"""What the types of the page are made from."""

TOOLS: Final = Path(sys.executable).parent


@dataclass(frozen=True, slots=True)
class Check:
    """One tool to run."""

    name: str
    argv: tuple[str, ...]
    cwd: Path = REPOSITORY


def list_checks(*, fix: bool) -> list[Check]:
    """List what to run for the Python code."""
    ruff = str(TOOLS / "ruff")
    if fix:
        return [
            Check("ruff check --fix", (ruff, "check", "--fix")),
            Check("ruff format", (ruff, "format")),
        ]
    return [
        Check("ruff check", (ruff, "check")),
        Check("ruff format --check", (ruff, "format", "--check")),
        Check("mypy", (str(TOOLS / "mypy"), "--num-workers", str(min(os.cpu_count() or 1, 4)))),
        Check("lint-imports", (str(TOOLS / "lint-imports"),)),
        Check("dashboards --check", (sys.executable, "-m", "dashboards.grafana", "--check")),
    ]


def list_page_checks(page: Path, npm: str | None, *, fix: bool) -> list[Check]:
    """List what to run for the page; nothing where it has no sources or Node is missing."""
    package = page / "package.json"
    if not package.is_file():
        _say("page: skipped, there is no dashboards/live/package.json")
        return []
    if npm is None:
        _say("page: skipped, Node.js is not installed")
        return []
    scripts = orjson.loads(package.read_bytes()).get("scripts", {})
    wanted = ("format",) if fix else ("check", "test")
    runs = [
        Check(f"npm run {name}", (npm, "run", name), page) for name in wanted if name in scripts
    ]
    if runs and not fix:
        runs.insert(
            0, Check("describe the API", (sys.executable, "-m", "api.openapi", str(OPENAPI)))
        )
    if runs and _needs_install(page):
        runs.insert(0, Check("npm ci", (npm, "ci", "--no-audit", "--no-fund"), page))
    return runs


def run_checks(*lanes: Sequence[Check]) -> list[Check]:
    """Run lanes at once, the checks of each one after the other; return those that failed."""
    with ThreadPoolExecutor(len(lanes)) as threads:
        return [check for failed in threads.map(_run_lane, lanes) for check in failed]


def _run_lane(checks: Sequence[Check]) -> list[Check]:
    return [check for check in checks if not _run(check)]


def _run(check: Check) -> bool:
    """Run a check and show what it says in one piece; tell whether it passed."""
    try:
        done = subprocess.run(
            check.argv,
            cwd=check.cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        _say(f"\n== {check.name}\n{check.argv[0]} is missing; `make lint` installs it")
        return False
    _say(f"\n== {check.name}\n{done.stdout}")
    return done.returncode == 0


def _needs_install(page: Path) -> bool:
    installed = page / "node_modules" / ".package-lock.json"
    lock = page / "package-lock.json"
    # `telemetra up` installs what the page is built with, and none of what checks it.
    if not installed.is_file() or not (page / "node_modules" / ".bin" / "svelte-check").exists():
        return True
    return lock.is_file() and lock.stat().st_mtime > installed.stat().st_mtime


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Run the checks and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.lint", description=__doc__)
    parser.add_argument("--fix", action="store_true", help="mend instead of report")
    fix: bool = parser.parse_args().fix
    lanes = list_checks(fix=fix), list_page_checks(PAGE, shutil.which("npm"), fix=fix)
    failed = run_checks(*lanes)
    _say("")
    for check in chain(*lanes):
        _say(f"{'FAILED' if check in failed else 'ok':<8}{check.name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
