"""Bands: charts of a mean within its extremes, and of values between limits."""

from grafana_foundation_sdk.builders import common, timeseries
from grafana_foundation_sdk.models.common import GraphThresholdsStyleMode

from dashboards.grafana.panels import column, limits


def draw_band(panel: timeseries.Panel) -> timeseries.Panel:
    """Draw ``mean`` within ``min`` and ``max``, in a chart for each channel that is chosen."""
    return (
        panel.repeat("channel")
        .repeat_direction("h")
        .max_per_row(2)
        .override_by_name("mean", column(custom__lineWidth=2, custom__fillOpacity=0))
        .override_by_name("min", column(custom__lineWidth=0, custom__fillOpacity=0))
        .override_by_name(
            "max", column(custom__lineWidth=0, custom__fillBelowTo="min", custom__fillOpacity=15)
        )
    )


def draw_limits(panel: timeseries.Panel, *, warn: float, bad: float) -> timeseries.Panel:
    """Draw the limits of a chart as lines."""
    return panel.thresholds(limits(warn=warn, bad=bad)).thresholds_style(
        common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED)
    )
