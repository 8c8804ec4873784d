"""Alerts of the platform: the real Prometheus, our metrics in trouble, and who speaks of it.

The rules and the configuration are those of ``infra/prometheus``, with every duration in them
divided by the same number: a clock that runs faster, and nothing else.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest
import yaml  # type: ignore[import-untyped,unused-ignore]

from tests.fixtures.prometheuses import Prometheus
from tests.fixtures.waiting import eventually
from tests.fixtures.watched import Watched
from tests.unit.deployment.compositions import INFRA, read_yaml

FASTER: Final = 200
"""Five minutes take a second and a half, and a scrape comes thirteen times a second."""

JOBS: Final = ("api", "flow", "archive", "alerts", "jobs")
UNITS_MS: Final = {"s": 1000, "m": 60_000, "h": 3_600_000}
DURATION: Final = re.compile(r"(\d+)([smh])")
RULES: Final = read_yaml(INFRA / "prometheus" / "rules.yml")
ALERTS: Final = {rule["alert"] for group in RULES["groups"] for rule in group["rules"]}


def hasten(duration: str) -> str:
    """Return a duration of the faster clock."""
    count, unit = DURATION.fullmatch(duration).groups()  # type: ignore[union-attr]
    return f"{int(count) * UNITS_MS[unit] // FASTER}ms"


def write_rules() -> str:
    """Return our rules by the faster clock."""
    groups = [
        {
            **group,
            "rules": [
                {
                    **rule,
                    "for": hasten(rule["for"]),
                    "expr": re.sub(
                        r"\[([^\]]+)\]", lambda span: f"[{hasten(span[1])}]", rule["expr"]
                    ),
                }
                for rule in group["rules"]
            ],
        }
        for group in RULES["groups"]
    ]
    return str(yaml.safe_dump({"groups": groups}))


def write_configuration(ports: dict[str, int]) -> str:
    """Return our configuration by the faster clock, with its jobs at these ports."""
    ours = read_yaml(INFRA / "prometheus" / "prometheus.yml")
    interval = hasten(ours["global"]["scrape_interval"])
    document: dict[str, Any] = {
        "global": {
            "scrape_interval": interval,
            # Of the tenth of a second that would be left, a busy machine may take all.
            "scrape_timeout": interval,
            "evaluation_interval": hasten(ours["global"]["evaluation_interval"]),
        },
        "rule_files": ours["rule_files"],
        "scrape_configs": [
            {**job, "static_configs": [{"targets": [f"127.0.0.1:{ports[job['job_name']]}"]}]}
            for job in ours["scrape_configs"]
            if job["job_name"] in ports
        ],
    }
    return str(yaml.safe_dump(document))


@pytest.fixture
def watched() -> Iterator[dict[str, Watched]]:
    """A process for each of our jobs; none runs yet."""
    with ExitStack() as stack:
        processes = {job: Watched() for job in JOBS}
        for process in processes.values():
            stack.callback(process.kill)
        yield processes


async def test_each_trouble_is_told_by_its_alert_and_by_no_other_until_it_is_over(
    tmp_path: Path, watched: dict[str, Watched]
) -> None:
    prometheus = Prometheus(tmp_path)
    ports = {job: process.port for job, process in watched.items()}
    prometheus.configure(write_configuration(ports | {"prometheus": prometheus.port}))
    (tmp_path / "rules.yml").write_text(write_rules())
    api, flow, archive, alerts, jobs = (watched[job] for job in JOBS)

    async def list_firing() -> dict[str, dict[str, Any]]:
        alerts = await prometheus.list_alerts()
        return {
            alert["labels"]["alertname"]: alert for alert in alerts if alert["state"] == "firing"
        }

    async def wait_for(*names: str) -> dict[str, dict[str, Any]]:
        return await eventually(
            list_firing, holds=lambda firing: firing.keys() == set(names), within_s=60
        )

    # Events arrive, the database is away, a receiver refuses alerts, the jobs wait for somebody
    # to work, and the archive was never started.
    api.put("api: well")
    alerts.put("alerts: failing")
    flow.put("flow: stalled")
    jobs.put("jobs: stuck")
    with prometheus.run():
        first = {"TargetDown", "FlowStalled", "CommitsRetried", "AlertsFail"}
        first |= {"JobsStuck", "JobsWorkersSilent"}
        told = await wait_for(*first)
        assert told["TargetDown"]["labels"]["job"] == "archive"
        assert told["TargetDown"]["annotations"]["summary"] == (
            f"archive on 127.0.0.1:{archive.port} does not answer"
        )
        assert told["FlowStalled"]["labels"]["severity"] == "critical"

        # The database is back: the flow works off what waited, and everybody else has a bad time.
        flow.put("flow: behind")
        archive.put("archive: troubled")
        alerts.put("alerts: stuck")
        api.put("api: failing")
        jobs.put("jobs: behind")
        second = {
            *("FlowBehind", "ArchiveStuck", "RequestsFail", "LiveMessagesDropped"),
            *("FlowSlower", "AlertsLate", "AlertsStuck", "JobsBehind"),
            *("CommandsTimeOut", "DevicePointsLost", "DeviceNewsUntold"),
        }
        told = await wait_for(*second)
        # Two shards are behind, and two of twelve requests fail; probes do not count.
        assert told["FlowBehind"]["labels"]["instance"] == f"127.0.0.1:{flow.port}"
        assert float(told["FlowBehind"]["value"]) >= 60
        assert float(told["FlowSlower"]["value"]) == 60
        assert float(told["RequestsFail"]["value"]) == pytest.approx(2 / 12, abs=0.02)

        for job in JOBS:
            watched[job].put(f"{job}: well")
        assert await wait_for() == {}
    assert first | second == ALERTS
