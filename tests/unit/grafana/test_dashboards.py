"""Dashboards as files: current, known to Grafana, and with panels that explain themselves.

There is no published schema for the JSON of a dashboard that could be held against a file. The
models of the library are made from Grafana's own description: what they read and write again has
lost nothing, so that a name they do not know is seen. The rest is looked at here.
"""

import json
import re
from itertools import combinations
from typing import Any, Final

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import alerting, dashboard, units
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

from core import metrics
from dashboards.grafana.__main__ import KEPT, find_old, main, render
from dashboards.grafana.frames import SEVERITIES
from dashboards.grafana.variables import PAGE
from db.readers import READABLE
from tests.fixtures.dashboards import (
    DATABASE,
    FOLDER,
    PROMETHEUS,
    find_folder,
    list_panels,
    list_questions,
    read_dashboards,
    read_rules,
)
from tests.unit.deployment.compositions import read_services, read_yaml

DASHBOARDS: Final = read_dashboards()
PANELS: Final = [
    pytest.param(panel, id=f"{name}: {panel['title']}")
    for name, one in DASHBOARDS.items()
    for panel in list_panels(one)
]
QUESTIONS: Final = [
    question for name, one in DASHBOARDS.items() for question in list_questions(name, one)
]
UNITS: Final = {value for value in vars(units).values() if isinstance(value, str)}
WAYS: Final = {"/app", "/app/system", "/app/streams/", "/app/moments/", "/d/telemetra-stream"}
"""Where links lead: pages of ours, by the start of their address, and other dashboards."""

TABLE: Final = re.compile(r"^\s*(?:SELECT )?(?:FROM|(?:LEFT )?JOIN) ([a-z]\w+)", re.MULTILINE)
"""What a statement reads, as ours are written."""

each_dashboard = pytest.mark.parametrize("name", DASHBOARDS)
each_panel = pytest.mark.parametrize("panel", PANELS)


def list_series() -> dict[str, set[str]]:
    """Return the series of our metrics, each with its labels."""
    found: dict[str, set[str]] = {"up": set()}
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            for name in REGISTRY._collector_to_names[metric]:
                found[name] = set(metric._labelnames) | (
                    {"le"} if name.endswith("_bucket") else set()
                )
    return found


def walk(thing: Any, path: str = "") -> Any:
    """Yield every text with the way to it."""
    if isinstance(thing, str):
        yield path, thing
    for key, part in thing.items() if isinstance(thing, dict) else ():
        yield from walk(part, f"{path}.{key}")
    for part in thing if isinstance(thing, list) else ():
        yield from walk(part, path)


def test_what_is_kept_is_what_the_code_makes():
    assert find_old(KEPT, render()) == [], "run `make dashboards`"
    made = {path.as_posix() for path in render()}
    kept = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.json")}
    assert kept == made, "a file that nothing makes any more"


def test_an_old_file_is_told_of_and_written_again(tmp_path, monkeypatch, capsys):
    def run(*arguments: str) -> int:
        monkeypatch.setattr("sys.argv", ["grafana", "--to", str(tmp_path), *arguments])
        return main()

    assert run("--check") == 1
    assert run("--page", "https://hall.example/") == 0
    assert '"https://hall.example"' in (tmp_path / "dashboards" / "stream.json").read_text()
    assert run("--check", "--page", "https://hall.example") == 0
    capsys.readouterr()
    assert run("--check") == 1
    assert capsys.readouterr().out.splitlines()[0] == (
        "dashboards/overview.json is old; run `make dashboards`"
    )


@each_dashboard
def test_the_models_of_grafana_read_it_and_lose_nothing(name):
    register_default_plugins()
    read = dashboard.Dashboard.from_json(DASHBOARDS[name])
    again = json.loads(json.dumps(read, cls=JSONEncoder))
    for link in again["links"]:
        # The model never reads this one: it puts every link into a menu.
        link["placement"] = ""
    assert again == DASHBOARDS[name]
    # Grafana 12 reads this one without changing it.
    assert again["schemaVersion"] == 42


def test_the_models_of_grafana_read_the_rules_and_lose_nothing():
    for rule in read_rules():
        again = json.loads(json.dumps(alerting.Rule.from_json(rule), cls=JSONEncoder))
        assert rule.items() <= again.items()


@each_dashboard
def test_panels_have_ids_of_their_own_and_none_lies_over_another(name):
    panels = DASHBOARDS[name]["panels"]
    ids = [panel["id"] for panel in panels]
    assert sorted(ids) == list(range(1, len(panels) + 1))
    places = [panel["gridPos"] for panel in panels]
    for place in places:
        assert place["x"] >= 0 < place["w"]
        assert place["x"] + place["w"] <= 24
        assert place["h"] > 0
    for one, other in combinations(places, 2):
        is_beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        is_above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert is_beside or is_above, (one, other)


def test_dashboards_have_uids_and_titles_of_their_own():
    for field in ("uid", "title"):
        found = [one[field] for one in DASHBOARDS.values()]
        assert len(set(found)) == len(found) == 4
    assert all("telemetra" in one["tags"] for one in DASHBOARDS.values())


@each_panel
def test_a_panel_says_what_it_shows_and_what_good_is(panel):
    assert panel["title"]
    assert re.search(r"good", panel["description"], re.IGNORECASE) or panel["title"] in {
        "Busiest streams",
        "Tables",
        "Totals",
    }
    assert panel["description"].endswith(".")


@each_panel
def test_a_panel_has_a_unit_that_grafana_knows_and_a_colour_for_each_limit(panel):
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults.get("unit") in UNITS or panel["type"] == "table"
    steps = defaults.get("thresholds", {}).get("steps", [])
    values = [step["value"] for step in steps]
    if panel["type"] == "stat":
        assert steps, "a number without colours"
    if steps:
        assert values[0] is None
        assert values[1:] == sorted(values[1:])


@each_panel
def test_a_panel_asks_whom_it_says_and_each_query_has_a_letter(panel):
    assert panel["targets"]
    assert {target["datasource"]["uid"] for target in panel["targets"]} == {
        panel["datasource"]["uid"]
    }
    letters = [target["refId"] for target in panel["targets"]]
    assert letters == sorted(set(letters))
    legends = [target.get("legendFormat") for target in panel["targets"]]
    if panel["datasource"]["uid"] == PROMETHEUS and panel["type"] == "timeseries":
        assert all(legends), "a series without a name"


def test_the_sources_are_those_that_are_provisioned():
    document = read_yaml(find_folder("datasources") / "telemetra.yaml")
    known = {source["uid"]: source["type"] for source in document["datasources"]}
    asked = {
        (target["datasource"]["uid"], target["datasource"]["type"])
        for one in DASHBOARDS.values()
        for panel in list_panels(one)
        for target in (*panel["targets"], panel)
    }
    asked |= {
        (variable["datasource"]["uid"], variable["datasource"]["type"])
        for one in DASHBOARDS.values()
        for variable in one["templating"]["list"]
        if variable["type"] == "query"
    }
    assert asked <= known.items()
    assert {uid for uid, _ in asked} == {DATABASE, PROMETHEUS}
    rules = {part["datasourceUid"] for rule in read_rules() for part in rule["data"]}
    assert rules == {DATABASE, "__expr__"}


@each_dashboard
def test_no_address_is_written_down_but_the_default_of_the_live_page(name):
    for path, text in walk(DASHBOARDS[name]):
        if "://" in text:
            assert text == PAGE, f"{path}: {text}"
            assert path.startswith(".templating.list"), path


@each_dashboard
def test_links_lead_to_pages_and_dashboards_that_exist(name):
    links = [text for path, text in walk(DASHBOARDS[name]) if path.endswith(".url") and text]
    links += [f"${{page:raw}}{text}" for text in find_annotation_links(name)]
    assert links
    for url in links:
        way = url.removeprefix("${page:raw}")
        assert way.startswith("/"), url
        assert re.split(r"[?$]", way)[0] in WAYS, url


def find_annotation_links(name: str) -> list[str]:
    """Return where the texts of moments lead."""
    layers = DASHBOARDS[name]["annotations"].get("list", [])
    return [re.findall(r"'(/app/[a-z]+/)'", layer["target"]["rawSql"])[0] for layer in layers]


@each_dashboard
def test_a_query_names_only_variables_that_the_dashboard_has(name):
    known = {variable["name"] for variable in DASHBOARDS[name]["templating"]["list"]}
    known |= {"__value", "__url_time_range", "__data"}
    for path, text in walk(DASHBOARDS[name]):
        named = set(re.findall(r"\$\{(\w+)", text))
        assert named <= known, f"{path}: {named - known}"


@pytest.mark.parametrize(
    "question", [one for one in QUESTIONS if one.source == PROMETHEUS], ids=str
)
def test_an_expression_asks_for_metrics_and_labels_that_exist(question):
    series = list_series()
    asked = set(re.findall(r"telemetra_\w+", question.text))
    assert asked <= series.keys()
    assert asked or "up" in question.text
    everywhere = {"job", "instance"}
    known = everywhere.union(*(series[name] for name in asked))
    grouped = {
        label.strip()
        for labels in re.findall(r"by \(([^)]*)\)", question.text)
        for label in labels.split(",")
    }
    assert grouped <= known
    for name, selectors in re.findall(r"(telemetra_\w+)\{([^}]*)\}", question.text):
        chosen = set(re.findall(r"(\w+)\s*[=!]~?\"", selectors))
        assert chosen <= series[name] | everywhere
    (target,) = (
        target for target in question.around["targets"] if target["refId"] == question.ref_id
    )
    named = set(re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")))
    assert named <= (grouped or everywhere)


def test_every_statement_is_bounded_by_time_or_by_a_limit():
    for question in QUESTIONS:
        if question.source == DATABASE and question.form == "table":
            counts = re.match(r"SELECT\s+(count|pg_database_size)", question.text)
            is_one = "stream_id = ${stream" in question.text and "LIMIT" not in question.text
            assert "LIMIT" in question.text or counts or is_one or "datname" in question.text
        elif question.source == DATABASE:
            assert "$__timeFilter(" in question.text, str(question)


def test_the_role_may_read_the_tables_that_are_asked_and_no_others():
    variables = [
        variable["query"]
        for one in DASHBOARDS.values()
        for variable in one["templating"]["list"]
        if variable["type"] == "query"
    ]
    rules = [rule["data"][0]["model"]["rawSql"] for rule in read_rules()]
    asked = [question.text for question in QUESTIONS if question.source == DATABASE]
    tables = {
        table
        for text in (*variables, *rules, *asked)
        for width in ("minute", "hour", "day")
        for table in TABLE.findall(text.replace("${width:text}", width))
    }
    named = {name for text in (*rules, *asked) for name in re.findall(r"(\w+) AS \(\n", text)}
    catalogue = {"timescaledb_information", "pg_stat_database"}
    assert tables - named - catalogue == READABLE.keys()


@pytest.mark.parametrize("name", ["stream", "devices"])
def test_moments_are_regions_of_every_severity_without_a_gap_between_them(name):
    layers = DASHBOARDS[name]["annotations"]["list"]
    assert [layer["name"] for layer in layers] == [f"Moments: {each[0]}" for each in SEVERITIES]
    assert len({layer["iconColor"] for layer in layers}) == len(layers)
    for layer in layers:
        assert "AS timeend" in layer["target"]["rawSql"]
        assert layer["target"]["format"] == "table"
    bounds = [(least, below) for _, _, least, below in SEVERITIES]
    assert [below for _, below in bounds[:-1]] == [least for least, _ in bounds[1:]]


def test_dashboards_lie_where_grafana_looks_for_them():
    (provider,) = read_yaml(find_folder("dashboards") / "telemetra.yaml")["providers"]
    mounts = dict(volume.split(":")[:2] for volume in read_services()["grafana"]["volumes"])
    assert mounts["./grafana/dashboards"] == provider["options"]["path"]
    assert mounts["./grafana/provisioning"] == "/etc/grafana/provisioning"
    assert provider["allowUiUpdates"] is False


def test_what_is_provisioned_holds_no_sign_that_grafana_would_replace():
    # In its files of rules a dollar begins the name of a variable of the environment.
    assert "$" not in (find_folder("alerting") / "telemetra.json").read_text()


def test_kubernetes_gets_every_file():
    kustomization = read_yaml(FOLDER / "kustomization.yaml")
    given = [name for made in kustomization["configMapGenerator"] for name in made["files"]]
    kept = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.json")}
    assert sorted(given) == sorted(kept)
