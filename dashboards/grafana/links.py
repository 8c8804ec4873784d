"""Links: from a row of a table to the dashboard and to the live page of what it names."""

from typing import Final

from grafana_foundation_sdk.builders import table
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

from dashboards.grafana.frames import SEVERITIES
from dashboards.grafana.panels import GREEN, column

SCORE: Final[list[DynamicConfigValue]] = column(
    decimals=1,
    thresholds={
        "mode": "absolute",
        "steps": [
            {"value": least or None, "color": colour if least else GREEN}
            for _, colour, least, _ in SEVERITIES
        ],
    },
    custom__cellOptions={"type": "color-text"},
)
"""A score in the colour of its severity."""


def to_stream(panel: table.Panel) -> table.Panel:
    """Let the column ``stream`` lead to what is known of that stream."""
    return panel.override_by_name(
        "stream",
        column(
            links=[
                _link(
                    "Dashboard of ${__value.raw}",
                    "/d/telemetra-stream?var-stream=${__value.raw:percentencode}"
                    "&${page:queryparam}&${__url_time_range}",
                ),
                _link("Live page", "${page:raw}/app/streams/${__value.raw:percentencode}"),
            ]
        ),
    )


def show_moments(panel: table.Panel) -> table.Panel:
    """Let the columns of a list of moments look as what they are, and lead to their pages."""
    return (
        panel.override_by_name("score", SCORE)
        .override_by_name("value", column(decimals=1))
        .override_by_name("expected", column(decimals=1))
        .override_by_name("lasts", column(unit="s", decimals=0))
        .override_by_name("description", column(custom__width=420))
        .override_by_name(
            "moment",
            column(
                links=[_link("Page", "${page:raw}/app/moments/${__value.raw:percentencode}")],
                custom__width=140,
            ),
        )
    )


def _link(title: str, url: str) -> dict[str, object]:
    return {"title": title, "url": url, "targetBlank": not url.startswith("/d/")}
