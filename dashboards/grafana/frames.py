"""Frames: what all dashboards have around their panels, and what lies over their charts."""

from collections.abc import Iterable
from typing import Final, TypeAlias

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import (
    AnnotationQuery,
    Dashboard,
    DashboardCursorSync,
    DashboardLinkType,
    Panel,
    VariableModel,
)

from dashboards.grafana.queries import DATABASE, Sql, load_panels

TAG: Final = "telemetra"

SEVERITIES: Final = (
    ("low", "blue", 0.0, 1.5),
    ("medium", "yellow", 1.5, 2.5),
    ("high", "orange", 2.5, 4.0),
    ("critical", "red", 4.0, 1e308),
)
"""Names, colours and the scores from which to below which they are, as the live page has them."""

Row: TypeAlias = tuple[str, Iterable[Builder[Panel]]]


def frame(uid: str, title: str, text: str, *, since: str, refresh: str) -> dashboard.Dashboard:
    """Return an empty dashboard: its time, and the way to the others."""
    others = (
        dashboard.DashboardLink("Telemetra")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(as_dropdown=True)
        .keep_time(keep_time=True)
        .placement("")
    )
    return (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(text)
        .tags([TAG])
        .time(f"now-{since}", "now")
        .refresh(refresh)
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(others)
        .readonly()
    )


def lead(title: str, url: str) -> dashboard.DashboardLink:
    """Return a link above a dashboard, to the live page."""
    return (
        dashboard.DashboardLink(title)
        .type(DashboardLinkType.LINK)
        .icon("external link")
        .url(f"${{page:raw}}{url}")
        .target_blank(target_blank=True)
        .placement("")
    )


def mark_moments() -> list[Builder[AnnotationQuery]]:
    """Return moments as regions over every chart, a layer for each severity."""
    statement = load_panels("moments")["regions"]
    return [
        dashboard.AnnotationQuery()
        .name(f"Moments: {name}")
        .datasource(DATABASE)
        .enable(enable=True)
        .icon_color(colour)
        .target(
            Sql(
                statement.replace("{least}", f"{least}").replace("{below}", f"{below}"),
                "table",
                ref_id="Anno",
            )
        )
        for name, colour, least, below in SEVERITIES
    ]


def finish(
    built: dashboard.Dashboard,
    variables: Iterable[Builder[VariableModel]],
    rows: Iterable[Row],
) -> Dashboard:
    """Return a dashboard with its variables and rows, its panels numbered as they stand."""
    for variable in variables:
        built.with_variable(variable)
    for title, panels in rows:
        built.with_row(dashboard.Row(title))
        for panel in panels:
            built.with_panel(panel)
    done = built.build()
    for place, each in enumerate(done.panels or [], start=1):
        each.id_val = place
    return done
