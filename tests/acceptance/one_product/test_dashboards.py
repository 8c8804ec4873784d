"""Dashboards: every question of every panel and rule is answered, by the real thing.

    pytest -s tests/acceptance/one_product/test_dashboards.py     prints each with what came back

The product gets a past of a day, of which the end is the newest that it knows; SQL is asked as the
role that can only read, and PromQL of a Prometheus that scrapes its processes by our configuration.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import pytest
import yaml  # type: ignore[import-untyped,unused-ignore]

from db.readers import READER
from tests.acceptance.one_product.conftest import METRICS_PORTS, PASSWORD
from tests.acceptance.one_product.pasts import finish_past, send_past
from tests.fixtures.dashboards import (
    DATABASE,
    PROMETHEUS,
    Json,
    Question,
    choose,
    list_options,
    list_questions,
    read_dashboards,
    read_rules,
)
from tests.fixtures.macros import SCRAPES_EVERY, Chosen, Look, read_width
from tests.fixtures.products import Product
from tests.fixtures.prometheuses import Prometheus
from tests.fixtures.servers import run_apart
from tests.fixtures.waiting import eventually
from tests.unit.deployment.compositions import INFRA, read_yaml

DASHBOARDS: Final = read_dashboards()
QUESTIONS: Final = {
    name: list(list_questions(name, dashboard)) for name, dashboard in DASHBOARDS.items()
}
SPANS: Final = {
    "minute": timedelta(hours=3),
    "hour": timedelta(days=30),
    "day": timedelta(days=365),
}
"""What each resolution is for: the text of ``width`` for these times."""

ONLY_MINUTES: Final = {"Z-score of messages", "Z-scores"}
"""Panels that say of themselves that longer times have nothing to show."""

SCRAPED: Final = "min(count_over_time(up[1m]))"
SCRAPES: Final = 4
"""Two make a rate; the others are for a machine that is busy."""


@dataclass(frozen=True, slots=True)
class Watched:
    """The product with its past, and who watches it."""

    now: datetime
    reader_url: str
    prometheus: Prometheus

    def look(self, span: timedelta) -> Look:
        """Return what somebody sees who looks at a time until now."""
        return Look(self.now - span, self.now)


@pytest.fixture(scope="module")
def watched(
    product: Product, metrics_ports: dict[str, int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watched]:
    """The product, Prometheus beside it, for all tests of this module."""
    status = product.status()
    prometheus = Prometheus(tmp_path_factory.mktemp("prometheus"))
    ports = {"api": urlsplit(product.url).port or 0, "prometheus": prometheus.port}
    prometheus.configure(configure(metrics_ports | ports))
    with prometheus.run():
        begun = read_clock()
        with httpx.Client(base_url=product.url, timeout=60) as client:
            send_past(client, begun)
            client.get("/api/v1/streams")
        run_apart(finish_past(status["database_url"], begun))
        run_apart(eventually(lambda: scraped(prometheus), within_s=60))
        yield Watched(read_clock(), name_reader(status["database_url"]), prometheus)


def read_clock() -> datetime:
    """Return the time of the product's clock, which is the machine's."""
    return datetime.now(UTC)  # noqa: TID251


def configure(ports: dict[str, int]) -> str:
    """Return our configuration of Prometheus, with what it scrapes at these ports."""
    ours = read_yaml(INFRA / "prometheus" / "prometheus.yml")
    document = {
        "global": {"scrape_interval": f"{SCRAPES_EVERY.seconds}s", "evaluation_interval": "1s"},
        "rule_files": [str(INFRA / "prometheus" / "rules.yml")],
        "scrape_configs": [
            {**job, "static_configs": [{"targets": [f"127.0.0.1:{ports[job['job_name']]}"]}]}
            for job in ours["scrape_configs"]
            if job["job_name"] in ports
        ],
    }
    return str(yaml.safe_dump(document))


async def scraped(prometheus: Prometheus) -> bool:
    """Tell whether every process was seen often enough for a rate."""
    counted = await prometheus.ask(SCRAPED)
    up = await prometheus.ask("count(up == 1)")
    return bool(
        counted
        and float(counted[0]["value"][1]) >= SCRAPES
        and float(up[0]["value"][1]) == len(METRICS_PORTS) + 2
    )


def name_reader(url: str) -> str:
    """Return the URL of the database for whom Grafana asks as."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{READER}:{PASSWORD}@{parts.hostname}:{parts.port}"))


async def open_dashboard(connection: asyncpg.Connection, name: str, look: Look) -> Look:
    """Return a look with what its variables are when the dashboard is opened."""
    chosen: dict[str, Chosen] = {}
    for variable in DASHBOARDS[name]["templating"].get("list", []):
        options = list_options(variable)
        if variable["type"] == "query":
            rows = await connection.fetch(
                replace(look, chosen=chosen).expand_sql(variable["query"])
            )
            options = [(row.get("__text", row[0]), row.get("__value", row[0])) for row in rows]
        assert options, f"{name}: {variable['name']} has nothing to choose from"
        chosen[variable["name"]] = choose(variable, options)
    interval = read_width(chosen["width"].values[0]) if "width" in chosen else look.interval
    return replace(look, chosen=chosen, interval=interval)


async def ask_sql(connection: asyncpg.Connection, question: Question, look: Look) -> list[Any]:
    """Return the rows of an answer, after a look at whether Grafana can show them."""
    if name := question.around.get("repeat"):
        # Of a panel that is repeated, each is about one.
        first = await connection.fetchval(
            look.expand_sql(find_variable(question.dashboard, name)["query"])
        )
        look = replace(look, chosen={**look.chosen, name: Chosen((first,), first, is_list=True)})
    rows: list[Any] = await connection.fetch(look.expand_sql(question.text))
    if rows:
        check_columns(question, rows)
    return rows


def find_variable(dashboard: str, name: str) -> Json:
    """Return a variable by its name."""
    (found,) = (one for one in DASHBOARDS[dashboard]["templating"]["list"] if one["name"] == name)
    return dict(found)


def check_columns(question: Question, rows: list[Any]) -> None:
    """Hold the columns against what their format and their panel need."""
    columns = list(rows[0].keys())
    names = set(columns)
    if question.form == "time_series":
        times = [row["time"] for row in rows]
        assert times == sorted(times), f"{question}: not in the order of time"
        texts = [name for name in columns if isinstance(rows[0][name], str)]
        # One text names the series, and then there is one value.
        assert texts in ([], ["metric"]), f"{question}: {texts}"
        assert not texts or len(columns) == 3, f"{question}: {columns}"
        names |= {row["metric"] for row in rows} if texts else set()
    for override in question.around.get("fieldConfig", {}).get("overrides", []):
        # A severity may not have happened; a column has to be there.
        is_series = question.form == "time_series" and "metric" in columns
        assert is_series or override["matcher"]["options"] in names, f"{question}: {override}"
    picked = question.around.get("options", {}).get("reduceOptions", {}).get("fields", "")
    assert picked.strip("/^$") in names | {""}, f"{question}: {picked} of {columns}"


@pytest.mark.parametrize("resolution", SPANS)
async def test_every_statement_is_answered_for_hours_months_and_a_year(
    watched: Watched, resolution: str
) -> None:
    said: list[tuple[Question, int]] = []
    connection = await asyncpg.connect(watched.reader_url)
    try:
        for name, questions in QUESTIONS.items():
            look = await open_dashboard(connection, name, watched.look(SPANS[resolution]))
            if "width" in look.chosen:
                assert look.chosen["width"].text == resolution
            said += [
                (question, len(await ask_sql(connection, question, look)))
                for question in questions
                if question.source == DATABASE
            ]
    finally:
        await connection.close()
    report(f"SQL, {resolution}s", said, "rows")
    missing = {question.panel for question, count in said if not count}
    assert missing == (set() if resolution == "minute" else ONLY_MINUTES)


async def test_every_expression_finds_series(watched: Watched) -> None:
    asked = [one for each in QUESTIONS.values() for one in each if one.source == PROMETHEUS]
    look = replace(watched.look(timedelta(minutes=1)), interval=SCRAPES_EVERY * 15)
    found = await watched.prometheus.ask_all([look.expand_promql(one.text) for one in asked])
    said = [(one, len(series)) for one, series in zip(asked, found, strict=True)]
    report("PromQL", said, "series")
    assert {str(question) for question, count in said if not count} == set()


async def test_every_rule_of_grafana_is_answered_by_numbers_and_speaks(watched: Watched) -> None:
    said = []
    look = watched.look(timedelta(minutes=10))
    connection = await asyncpg.connect(watched.reader_url)
    try:
        for rule in read_rules():
            asked, compared = rule["data"]
            rows = await connection.fetch(look.expand_sql(asked["model"]["rawSql"]))
            assert {row[-1].__class__ for row in rows} <= {float}, rule["title"]
            (above,) = compared["model"]["conditions"][0]["evaluator"]["params"]
            said.append((rule["title"], sum(row[-1] > above for row in rows)))
    finally:
        await connection.close()
    report("Rules of Grafana", said, "rows over the limit")
    # Somebody was heard just now; of all else the past has an example.
    assert {title for title, count in said if not count} == {"NothingArrives"}


async def test_every_rule_of_prometheus_is_evaluated(watched: Watched) -> None:
    async def list_health() -> set[str]:
        answer = (await watched.prometheus.list_rules())["groups"]
        return {rule["health"] for group in answer for rule in group["rules"]}

    assert await eventually(list_health, holds=lambda health: health == {"ok"}) == {"ok"}


def report(title: str, said: list[tuple[Any, int]], what: str) -> None:
    """Say what came back; ``pytest -s`` shows it."""
    lines = [f"\n{title}: {len(said)} asked"]
    lines += [f"  {asked!s:44} {count:6} {what}" for asked, count in said]
    sys.stdout.write("\n".join(lines) + "\n")
