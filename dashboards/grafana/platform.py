"""Platform: how Telemetra itself does, from its own metrics; the list is ``docs/metrics.md``."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.grafana import platform_edges, platform_jobs, platform_parts
from dashboards.grafana.frames import Row, finish, frame, lead
from dashboards.grafana.panels import limits, number
from dashboards.grafana.platform_edges import PROBES, SERVED
from dashboards.grafana.queries import PromQL, rate
from dashboards.grafana.variables import page


def build(page_url: str) -> Dashboard:
    """Return the dashboard."""
    built = frame(
        "telemetra-platform",
        "Telemetra: Platform",
        "The processes of Telemetra: doors, flow, database, cache, live clients, archive, alerts,"
        " jobs, devices and connectors.",
        since="1h",
        refresh="15s",
    ).link(lead("System page", "/app/system"))
    rows = (
        _well(),
        platform_edges.requests(),
        platform_edges.doors(),
        platform_edges.cache(),
        platform_edges.live(),
        platform_parts.flow(),
        platform_parts.database(),
        platform_parts.archive(),
        platform_parts.alerts(),
        platform_jobs.jobs(),
        platform_jobs.devices(),
        platform_parts.connectors(),
    )
    return finish(built, (page(page_url),), rows)


def _well() -> Row:
    failed = f'sum (rate({SERVED}{{status=~"5..", {PROBES}}}[$__rate_interval]))'
    all_of = f"sum (rate({SERVED}{{{PROBES}}}[$__rate_interval]))"
    return "Is it well?", (
        number(
            "Processes away",
            "Targets of Prometheus that do not answer. Good: 0.",
            PromQL("count(up == 0) or vector(0)", "away"),
        ).thresholds(limits(bad=1)),
        number(
            "Requests that fail",
            "Share of requests answered with 5xx, without probes. Good: 0.",
            PromQL(f"({failed} or vector(0)) / clamp_min({all_of}, 1e-9) or vector(0)", "5xx"),
            unit="percentunit",
        ).thresholds(limits(warn=0.01, bad=0.05)),
        number(
            "Flow lag",
            "From the bus to the commit, the worst shard. Good: below a second; from ten on the API"
            " calls the flow degraded.",
            PromQL("max(telemetra_flow_lag_seconds)", "lag"),
            unit="s",
        ).thresholds(limits(warn=2, bad=10)),
        number(
            "Events applied",
            "Events a second that the flow committed. Good: what is accepted.",
            PromQL(rate("telemetra_flow_events_applied_total"), "applied"),
            unit="eps",
        ),
        number(
            "Database hangs",
            "1 while the database takes questions and answers none. Good: 0.",
            PromQL("max(telemetra_database_hanging)", "hangs"),
        ).thresholds(limits(bad=1)),
        number(
            "Dead letters",
            "Bus entries of this time that hold no events and were put aside. Good: 0.",
            PromQL("sum(increase(telemetra_flow_dead_letters_total[$__range]))", "dead").now(),
        ).thresholds(limits(bad=1)),
    )
