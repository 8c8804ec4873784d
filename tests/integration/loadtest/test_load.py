"""Load runs against a running product: what they say arrived is what the database has."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest

from core.settings import REPOSITORY
from infra.supervisor.environments import extend_environment
from tests.fixtures.api_keys import wait_until_known
from tests.fixtures.products import Product, run_product

RUN_S_MAX = 200
SECONDS = "4"

NO_TIMES = """
[senders.error_share]
most = 0.0
[senders.stored_share]
least = 1.0
most = 1.0
[readers.error_share]
most = 0.0
[readers.known_share]
least = 1.0
[watchers.error_share]
most = 0.0
[watchers.gaps]
most = 0.0
[watchers.delivered_share]
least = 1.0
[watchers.current_share]
least = 1.0
[watchers.resumed_share]
least = 1.0
"""
"""Only what has nothing to do with how busy the machine is."""


IMPATIENT = """
[readers.error_share]
most = 0.0
why = 'Everybody is answered.'
"""

SENDERS = ("steady", "bursty", "raid")

PER_MINUTE = 700
"""Enough for a few of each, and not for a crowd of dashboards."""

CROWD = 180


@dataclass(frozen=True, slots=True)
class Ran:
    """A load run that is over."""

    code: int
    out: str
    error: str
    folder: Path

    @property
    def summary(self) -> dict[str, Any]:
        """Return what it wrote for programs."""
        found: dict[str, Any] = orjson.loads((self.folder / "summary.json").read_bytes())
        return found


def _load(product: Product, folder: Path, *arguments: str, budgets: str = NO_TIMES) -> Ran:
    file = folder / "budgets.toml"
    file.write_text(budgets, encoding="utf-8")
    usual = ["--time", SECONDS, "--budgets", str(file), "--results", str(folder / "results")]
    done = subprocess.run(
        [sys.executable, "-m", "loadtest.load", *usual, *arguments],
        cwd=REPOSITORY,
        env=extend_environment(product.environment),
        capture_output=True,
        text=True,
        timeout=RUN_S_MAX,
        check=False,
    )
    runs = sorted((folder / "results").glob("*"))
    return Ran(done.returncode, done.stdout, done.stderr, runs[-1] if runs else folder)


async def _count_sent(product: Product) -> dict[str, int]:
    """Return what is stored of each kind of senders."""
    connection = await asyncpg.connect(product.status()["database_url"])
    try:
        rows = await connection.fetch(
            "SELECT split_part(stream_id, '-', 2), sum(chat_count)::int FROM chat_summary_minute"
            " WHERE stream_id LIKE 'load-%' GROUP BY 1"
        )
    finally:
        await connection.close()
    return {kind: count for kind, count in rows if kind in SENDERS}


def _count_rows(ran: Ran, names: Sequence[str]) -> dict[str, int]:
    return {name: len((ran.folder / name).read_text().splitlines()) for name in names}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product that asks for no key until there is one, and then of each key its own patience."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RATE_LIMIT_PER_MINUTE", str(PER_MINUTE))
        with run_product(tmp_path_factory.mktemp("load"), "--no-demo", "--no-page") as running:
            yield running


@pytest.fixture(scope="module")
def ran(product: Product, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A run of all scenarios at once, in which readers have looked twice and a little more."""
    folder = tmp_path_factory.mktemp("ran")
    return _load(product, folder, "all", "--users", "8", "--rate", "100", "--time", "11")


async def test_everything_that_senders_sent_is_stored_once(product: Product, ran: Ran) -> None:
    assert ran.code == 0, ran.out + ran.error
    facts = ran.summary["scenarios"]["senders"]["facts"]
    assert facts["acknowledged"] == facts["stored"] > 0
    stored = await _count_sent(product)
    assert sum(stored.values()) == facts["acknowledged"]
    assert stored["raid"] > 0
    assert facts["sent"] > 0
    assert "all: all 9 budgets kept." in ran.out


def test_readers_are_never_sent_again_what_they_have(ran: Ran) -> None:
    facts = ran.summary["scenarios"]["readers"]["facts"]
    assert facts["asked"] >= 8 * (2 + 4 + 4)
    assert facts["not_modified"] == facts["unchanged"] > 0
    assert facts["not_modified"] <= facts["conditional"] < facts["asked"]


def test_watchers_miss_nothing_and_end_with_the_stored_numbers(ran: Ran) -> None:
    facts = ran.summary["scenarios"]["watchers"]["facts"]
    assert facts["messages"] > 8
    assert facts["delivered"] == facts["expected"] > 0
    assert facts["views_current"] == facts["views"] > 0
    assert facts["resumes"] == facts["resumed"] > 0
    assert facts["gaps"] == 0


def test_a_run_leaves_a_page_and_numbers_and_names_the_servers(ran: Ran) -> None:
    assert set(ran.summary["scenarios"]) == {"senders", "readers", "watchers"}
    names = {usage["name"] for usage in ran.summary["processes"]}
    assert names >= {"api", "flow", "postgres", "redis"}
    assert {name for name in names if name.startswith("generator")} == {
        "generator senders",
        "generator readers",
        "generator watchers",
    }
    rows = _count_rows(ran, ["requests.csv", "ticks.csv", "processes.csv"])
    assert min(rows.values()) > 1
    assert "<!doctype html>" in (ran.folder / "summary.html").read_text(encoding="utf-8")
    assert ran.summary["ceiling"] > 0


def test_keys_and_limits_are_told_of_before_a_run_and_counted_in_it(
    product: Product, tmp_path: Path
) -> None:
    made = product.run("keys", "create", "load", "--scope", "ingest", "--scope", "read")
    narrow = product.run("keys", "create", "narrow", "--scope", "read")
    keys = [
        next(word for word in done.stdout.decode().split() if word.startswith("tk_"))
        for done in (made, narrow)
    ]
    for key in keys:
        wait_until_known(product.url, key)

    def load(key: str, *arguments: str, budgets: str = NO_TIMES) -> Ran:
        environment = {**product.environment, "API_KEY": key}
        return _load(Product(product.data_dir, environment), tmp_path, *arguments, budgets=budgets)

    few = ("senders", "--users", "3", "--rate", "30", "--time", "3")
    assert "it asks for a key. Give one with API_KEY=" in load("", *few).error
    assert "API_KEY is no good key" in load("tk_0000_wrong", *few).error
    refused = load(keys[1], *few)
    assert "API_KEY does not allow this; senders need ingest and read" in refused.error
    assert refused.code == 2
    good = load(keys[0], *few)
    assert good.code == 0, good.out + good.error
    assert keys[0] not in good.out
    assert [f for f in good.folder.iterdir() if keys[0].encode() in f.read_bytes()] == []
    # A broken budget ends the run with an error, and is named with its reason.
    limited = load(keys[0], "readers", "--users", str(CROWD), budgets=IMPATIENT)
    assert limited.code == 1, limited.error
    assert "BROKEN  Everybody is answered." in limited.out
    assert "readers: 1 of 1 budgets broken." in limited.out
    assert limited.summary["is_kept"] is False
    assert "429 rate_limited" in limited.out
    assert "were refused with 429: they met RATE_LIMIT_PER_MINUTE" in limited.out
