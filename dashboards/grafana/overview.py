"""Overview: all streams at once, what is busy, and what was unusual."""

from typing import Final

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.grafana.frames import Row, finish, frame, lead
from dashboards.grafana.links import SCORE, show_moments, to_stream
from dashboards.grafana.panels import bars, chart, column, limits, listing, number
from dashboards.grafana.queries import PromQL, Sql, load_panels, rate
from dashboards.grafana.variables import choices, page, resolution, width

SQL: Final = load_panels("overview")


def build(page_url: str) -> Dashboard:
    """Return the dashboard."""
    built = frame(
        "telemetra-overview",
        "Telemetra: Overview",
        "All streams: how much happens, where, and what was unusual.",
        since="6h",
        refresh="30s",
    ).link(lead("Live page", "/app"))
    variables = (
        choices("kind", "Kind", SQL["kinds"]),
        resolution(),
        # A thousand streams make 360 000 minutes in six hours, about what a panel can add up.
        width(minutes="6 hours", hours="60 days"),
        page(page_url),
    )
    return finish(built, variables, (_now(), _course(), _lists()))


def _now() -> Row:
    return "Now", (
        number(
            "Streams live",
            "Streams that were heard within the last minute. Good: as many as you expect.",
            Sql(SQL["count_live"], "table"),
        ),
        number(
            "Moments that go on",
            "Good: few. Each is something unusual that has not ended.",
            Sql(SQL["count_moments"], "table"),
        ).thresholds(limits(warn=5, bad=20)),
        number(
            "Events applied",
            "Events a second that the flow wrote to the database. Good: what your senders send.",
            PromQL(rate("telemetra_flow_events_applied_total"), "applied"),
            unit="eps",
        ),
        number(
            "Lag",
            "From the bus to the database, the worst shard. Good: below a second. From ten on the"
            " API calls the flow degraded.",
            PromQL("max(telemetra_flow_lag_seconds)", "lag"),
            unit="s",
        ).thresholds(limits(warn=2, bad=10)),
        number(
            "Events rejected",
            "Events a second that a door refused; the answer to the sender names each. Good: 0.",
            PromQL(rate("telemetra_events_rejected_total"), "rejected"),
            unit="eps",
        ).thresholds(limits(warn=0.1, bad=10)),
        number(
            "Live clients",
            "Open sockets and event streams. Good: as many as there are people and screens.",
            PromQL("sum(telemetra_live_connections)", "clients"),
        ),
    )


def _course() -> Row:
    return "Course", (
        chart(
            "Messages, all streams",
            "Messages a second over complete windows. Good: its usual shape of the day; a gap means"
            " that nothing was counted.",
            Sql(SQL["chat_rate"]),
            unit="mps",
        ),
        chart(
            "Viewers, all streams",
            "The average of each stream, added up. Good: its usual shape of the day.",
            Sql(SQL["viewers"]),
        ),
        chart(
            "Busiest streams",
            "Messages a second of the ten streams with most messages in this time.",
            Sql(SQL["busiest"]),
            unit="mps",
        ),
        chart(
            "Readings, all channels",
            "Values a second over complete windows. Good: flat; a step down is a device that fell"
            " silent.",
            Sql(SQL["readings"]),
            unit="cps",
        ),
        bars(
            "Moments by severity",
            "When moments began. Good: few, and no column that towers over the others.",
            Sql(SQL["moments_by_severity"]),
        )
        .span(24)
        .interval("5m")
        .override_by_name("low", column(color={"mode": "fixed", "fixedColor": "blue"}))
        .override_by_name("medium", column(color={"mode": "fixed", "fixedColor": "yellow"}))
        .override_by_name("high", column(color={"mode": "fixed", "fixedColor": "orange"}))
        .override_by_name("critical", column(color={"mode": "fixed", "fixedColor": "red"})),
    )


def _lists() -> Row:
    return "Streams and moments", (
        to_stream(
            listing(
                "Top streams",
                "Streams with most messages in this time. Good: heard seconds ago, and a highest"
                " score below 1.5. A stream's name leads to its dashboard and its live page.",
                Sql(SQL["streams"], "table"),
            )
        )
        .override_by_name("sentiment", column(decimals=2))
        .override_by_name("highest score", SCORE)
        .override_by_name("heard ago", column(unit="s", decimals=0)),
        to_stream(
            show_moments(
                listing(
                    "Moments",
                    "The newest hundred. Good: those that are open are being looked at. A moment"
                    " leads to its page, with its reasons.",
                    Sql(SQL["moments"], "table"),
                )
            )
        ),
    )
