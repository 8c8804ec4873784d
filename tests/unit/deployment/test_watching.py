"""What watches the platform: Prometheus, its alerts, whom they reach, what Grafana reads."""

import re
import subprocess
from typing import Any, Final

import pytest
from fastapi.routing import APIRoute
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

from api.health.endpoints import probes
from core import metrics
from core.settings import REPOSITORY
from db.readers import READER
from tests.fixtures.packages import require_program
from tests.unit.deployment.compositions import INFRA, interpolate, read_services, read_yaml

PROMETHEUS: Final = INFRA / "prometheus"
RULES: Final = [
    rule for group in read_yaml(PROMETHEUS / "rules.yml")["groups"] for rule in group["rules"]
]
SERVICES: Final = read_services()


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run(
        [require_program(program), *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _list_series() -> dict[str, set[str]]:
    """Return the names of all series that our metrics make, each with its labels."""
    series: dict[str, set[str]] = {}
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            for name in REGISTRY._collector_to_names[metric]:
                series[name] = set(metric._labelnames)
    return series


def _list_endpoints(service: str) -> set[str]:
    """Return where a service listens, as others in its network write it."""
    environment: dict[str, str | None] = SERVICES[service].get("environment", {})
    names = (
        "API_PORT",
        "FLOW_METRICS_PORT",
        "ARCHIVE_METRICS_PORT",
        "ALERTS_METRICS_PORT",
        "JOBS_METRICS_PORT",
    )
    ports = {environment[name] for name in names if environment.get(name)}
    ports |= {interpolate(port, {}).split(":")[-1] for port in SERVICES[service].get("ports", [])}
    return {f"{service}:{port}" for port in ports}


def test_promtool_accepts_the_configuration_and_the_rules():
    _run("promtool", "check", "config", "infra/prometheus/prometheus.yml")
    _run("promtool", "check", "rules", "infra/prometheus/rules.yml")


def test_every_alert_speaks_and_is_silent_as_its_tests_say():
    _run("promtool", "test", "rules", "infra/prometheus/rules_test.yml")


def test_amtool_accepts_the_routes():
    _run("amtool", "check-config", "infra/alertmanager/alertmanager.yml")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_metrics_that_exist(rule):
    asked = set(re.findall(r"telemetra_\w+", rule["expr"]))
    assert asked <= _list_series().keys()
    assert asked or re.search(r"\bup\b", rule["expr"])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_selects_by_labels_that_its_metric_has(rule):
    for name, selectors in re.findall(r"(telemetra_\w+)\{([^}]*)\}", rule["expr"]):
        labels = set(re.findall(r"(\w+)\s*[=!]~?", selectors))
        assert labels <= _list_series()[name] | {"job", "instance"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_how_bad_it_is_and_what_to_look_at(rule):
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"].keys() == {"summary", "description"}
    assert "for" in rule


def test_every_alert_is_tested_for_its_voice_and_for_its_silence():
    tests = [
        case
        for test in read_yaml(PROMETHEUS / "rules_test.yml")["tests"]
        for case in test["alert_rule_test"]
    ]
    alerts = {rule["alert"] for rule in RULES}
    assert {case["alertname"] for case in tests if case["exp_alerts"]} == alerts
    assert {case["alertname"] for case in tests if not case["exp_alerts"]} == alerts


def test_every_route_that_an_alert_leaves_out_is_a_route_of_the_api():
    known = {route.path for route in probes.routes if isinstance(route, APIRoute)}
    (rule,) = [rule for rule in RULES if rule["alert"] == "RequestsFail"]
    (left_out,) = set(re.findall(r'route!~"([^"]+)"', rule["expr"]))
    assert set(left_out.split("|")) <= known


def test_every_target_is_a_service_that_prometheus_can_reach_at_that_port():
    config = read_yaml(PROMETHEUS / "prometheus.yml")
    jobs = {
        job["job_name"]: job["static_configs"][0]["targets"] for job in config["scrape_configs"]
    }
    told = config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]
    assert jobs.pop("prometheus") == ["127.0.0.1:9090"]
    assert jobs.keys() == {"api", "flow", "archive", "alerts", "jobs", "alertmanager"}
    for job, targets in (*jobs.items(), ("alertmanager", told)):
        assert set(targets) <= _list_endpoints(job)
        assert "watch" in SERVICES[job]["networks"]


def test_alerts_reach_a_receiver_that_exists():
    config = read_yaml(INFRA / "alertmanager" / "alertmanager.yml")
    assert config["route"]["receiver"] in {receiver["name"] for receiver in config["receivers"]}


def test_an_alert_is_only_held_back_for_one_that_exists():
    alerts = {rule["alert"] for rule in RULES}
    config = read_yaml(INFRA / "alertmanager" / "alertmanager.yml")
    named = set(re.findall(r'alertname="(\w+)"', str(config["inhibit_rules"])))
    assert named
    assert named <= alerts


def _read_sources() -> dict[str, dict[str, Any]]:
    document = read_yaml(INFRA / "grafana" / "provisioning" / "datasources" / "telemetra.yaml")
    return {source["uid"]: source for source in document["datasources"]}


def test_grafana_reads_the_database_as_a_role_that_can_write_nothing():
    source = _read_sources()["timescaledb"]
    assert source["user"] == READER
    assert SERVICES["grafana"]["depends_on"]["migrate"]
    assert source["url"] == "timescaledb:5432"
    assert source["jsonData"]["database"] == SERVICES["timescaledb"]["environment"]["POSTGRES_DB"]


def test_grafana_takes_its_passwords_from_the_environment():
    source = _read_sources()["timescaledb"]
    name = re.fullmatch(r"\$__env\{(\w+)\}", source["secureJsonData"]["password"])
    assert name is not None
    for service in ("grafana", "migrate"):
        assert name[1] in SERVICES[service]["environment"]


def test_grafana_reads_the_metrics_where_prometheus_serves_them():
    host = _read_sources()["prometheus"]["url"].removeprefix("http://")
    assert host in _list_endpoints("prometheus")
    assert set(SERVICES["grafana"]["networks"]) & set(SERVICES["prometheus"]["networks"])
