"""Panels: charts, numbers, bars and tables that look and behave alike on every dashboard.

Each takes a title, and a text that says what is shown and what good is. What comes back is a
builder of the library, for whatever one panel has that others have not.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

from grafana_foundation_sdk.builders import bargauge, common, dashboard, stat, table, timeseries
from grafana_foundation_sdk.models import common as looks
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
)

from dashboards.grafana.queries import DATABASE, PROMETHEUS, PromQL, Sql

Query: TypeAlias = Sql | PromQL

WIDTH: Final = 24
"""Columns of Grafana's grid."""

ROWS_HIGH: Final = 8
NUMBER_HIGH: Final = 4

GREEN: Final = "green"
AMBER: Final = "orange"
RED: Final = "red"


def chart(title: str, text: str, *queries: Query, unit: str = "short") -> timeseries.Panel:
    """Return a chart over time with its newest, mean and highest values; gaps stay gaps."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(text)
        .datasource(_find_source(queries))
        .span(WIDTH // 2)
        .height(ROWS_HIGH)
        .unit(unit)
        .fill_opacity(8)
        .line_width(1.5)
        .show_points(looks.VisibilityMode.AUTO)
        .span_nulls(span_nulls=False)
        .legend(
            common.VizLegendOptions()
            .display_mode(looks.LegendDisplayMode.TABLE)
            .placement(looks.LegendPlacement.BOTTOM)
            .show_legend(show_legend=True)
            .calcs(["lastNotNull", "mean", "max"])
        )
        .tooltip(
            common.VizTooltipOptions()
            .mode(looks.TooltipDisplayMode.MULTI)
            .sort(looks.SortOrder.DESCENDING)
        )
    )
    for query in queries:
        panel.with_target(query)
    return panel


def bars(title: str, text: str, *queries: Query, unit: str = "short") -> timeseries.Panel:
    """Return a chart of stacked bars, for what is counted in each stretch of time."""
    return (
        chart(title, text, *queries, unit=unit)
        .draw_style(looks.GraphDrawStyle.BARS)
        .fill_opacity(70)
        .line_width(0)
        .stacking(common.StackingConfig().mode(looks.StackingMode.NORMAL).group("A"))
    )


def number(title: str, text: str, query: Query, *, unit: str = "short") -> stat.Panel:
    """Return one number, coloured by its thresholds, with its course where it has one."""
    return (
        stat.Panel()
        .title(title)
        .description(text)
        .datasource(_find_source((query,)))
        .span(WIDTH // 6)
        .height(NUMBER_HIGH)
        .unit(unit)
        .graph_mode(looks.BigValueGraphMode.AREA)
        .color_mode(looks.BigValueColorMode.VALUE)
        .reduce_options(
            common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(values=False)
        )
        .thresholds(limits())
        .with_target(query)
    )


def pick_column(panel: stat.Panel, name: str) -> stat.Panel:
    """Show one column of the row that a statement returns."""
    return panel.reduce_options(
        common.ReduceDataOptions().calcs(["lastNotNull"]).fields(f"/^{name}$/").values(values=False)
    )


def ranking(title: str, text: str, query: Query, *, unit: str = "short") -> bargauge.Panel:
    """Return a bar for each row of a table, longest first as the table has it."""
    return (
        bargauge.Panel()
        .title(title)
        .description(text)
        .datasource(_find_source((query,)))
        .span(WIDTH // 3)
        .height(ROWS_HIGH)
        .unit(unit)
        .orientation(looks.VizOrientation.HORIZONTAL)
        .display_mode(looks.BarGaugeDisplayMode.BASIC)
        .color_scheme(dashboard.FieldColor().mode(FieldColorModeId.FIXED).fixed_color("blue"))
        .reduce_options(common.ReduceDataOptions().calcs([]).fields("").values(values=True))
        .with_target(query)
    )


def listing(title: str, text: str, query: Query) -> table.Panel:
    """Return a table over the whole width."""
    return (
        table.Panel()
        .title(title)
        .description(text)
        .datasource(_find_source((query,)))
        .span(WIDTH)
        .height(ROWS_HIGH + 1)
        .filterable(filterable=True)
        .with_target(query)
    )


def limits(warn: float | None = None, bad: float | None = None) -> dashboard.ThresholdsConfig:
    """Return colours of a value: amber from one limit on, red from another; rising or falling."""
    steps = [(None, GREEN), (warn, AMBER), (bad, RED)]
    if warn is not None and bad is not None and bad < warn:
        steps = [(None, RED), (bad, AMBER), (warn, GREEN)]
    known = [
        Threshold(value=value, color=colour)
        for place, (value, colour) in enumerate(steps)
        if place == 0 or value is not None
    ]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(known)


def link(title: str, url: str) -> dashboard.DashboardLink:
    """Return a link that opens beside the dashboard."""
    return (
        dashboard.DashboardLink(title)
        .type(DashboardLinkType.LINK)
        .url(url)
        .target_blank(target_blank=True)
    )


def column(**looks_of: object) -> list[DynamicConfigValue]:
    """Return how one column of a table looks, by the names of Grafana's options.

    ``custom__width`` is ``custom.width``.
    """
    return [
        DynamicConfigValue(id_val=name.replace("__", "."), value=value)
        for name, value in looks_of.items()
    ]


def _find_source(queries: Sequence[Query]) -> DataSourceRef:
    return DATABASE if isinstance(queries[0], Sql) else PROMETHEUS
