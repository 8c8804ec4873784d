"""Devices: what each channel measures, and which of them fell silent."""

from typing import Final

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import Dashboard, DynamicConfigValue, VariableOption

from dashboards.grafana.bands import draw_band, draw_limits
from dashboards.grafana.frames import Row, finish, frame, lead, mark_moments
from dashboards.grafana.links import to_stream
from dashboards.grafana.panels import (
    AMBER,
    GREEN,
    RED,
    WIDTH,
    chart,
    column,
    limits,
    listing,
    number,
    pick_column,
)
from dashboards.grafana.queries import Sql, load_panels
from dashboards.grafana.variables import choice, choices, page, resolution, width

SQL: Final = load_panels("devices")
READINGS: Final = load_panels("readings")

SILENCES: Final = ("2", "5", "15", "60")
"""Minutes without a value after which a channel is called silent."""


def build(page_url: str) -> Dashboard:
    """Return the dashboard."""
    built = (
        frame(
            "telemetra-devices",
            "Telemetra: Devices",
            "Streams that measure: values of each channel, how old the newest is, and which"
            " channels fell silent.",
            since="3h",
            refresh="10s",
        )
        .link(lead("Live page", "/app/streams/${stream:percentencode}"))
        .annotations(mark_moments())
    )
    variables = (
        choice("stream", "Device", SQL["devices"]),
        resolution(),
        width(minutes="2 days", hours="120 days"),
        choices("channel", "Channel", READINGS["channels"]),
        _silence(),
        page(page_url),
    )
    return finish(built, variables, (_now(), _channels(), _fleet()))


def _silence() -> dashboard.CustomVariable:
    return (
        dashboard.CustomVariable("silence")
        .label("Silent after minutes")
        .values(",".join(SILENCES))
        .current(VariableOption(selected=True, text=SILENCES[0], value=SILENCES[0]))
        .options(
            [
                VariableOption(selected=text == SILENCES[0], text=text, value=text)
                for text in SILENCES
            ]
        )
    )


def _now() -> Row:
    counted = Sql(SQL["count_heard"], "table")
    numbers = (
        pick_column(
            number(
                "Channels heard", "Channels that lately had a value. Good: all of them.", counted
            ),
            "heard",
        ),
        pick_column(
            number(
                "Channels silent",
                "Channels that had values within a day and have none now. Good: 0.",
                counted,
            ),
            "silent",
        ).thresholds(limits(warn=1, bad=3)),
        pick_column(
            number(
                "Oldest value",
                "Age of the newest value of the channel that was heard longest ago. Good: about the"
                " pace at which it measures.",
                counted,
                unit="s",
            ),
            "oldest",
        )
        .decimals(0)
        .thresholds(limits(warn=120, bad=900)),
        number(
            "Moments", "Moments of this device in this time. Good: 0.", Sql(SQL["unusual"], "table")
        ).thresholds(limits(warn=1, bad=5)),
    )
    latest = listing(
        "Channels",
        "Newest value and its age, and lowest, mean and highest value in this time. Good: ages in"
        " green, and lowest and highest near the mean.",
        Sql(SQL["latest"], "table"),
    ).override_by_name("age", _age())
    quarter = WIDTH // len(numbers)
    return "This device now", (*(panel.span(quarter) for panel in numbers), latest)


def _age() -> list[DynamicConfigValue]:
    return column(
        unit="s",
        decimals=0,
        thresholds={
            "mode": "absolute",
            "steps": [
                {"value": None, "color": GREEN},
                {"value": 60, "color": AMBER},
                {"value": 300, "color": RED},
            ],
        },
        custom__cellOptions={"type": "color-text"},
    )


def _channels() -> Row:
    return "Channels", (
        draw_band(
            chart(
                "${channel}",
                "Mean of each window within its lowest and highest value. Good: a narrow band"
                " around its usual level; a gap is a channel that said nothing.",
                Sql(READINGS["channel"]),
            )
        ),
        chart(
            "Values",
            "Values a second of each channel. Good: flat; less than usual is a lossy link.",
            Sql(SQL["pace"]),
            unit="cps",
        ),
        draw_limits(
            chart(
                "Z-scores",
                "Minutes against the hour before each, in spreads, as the detector judged them."
                " Good: between -3 and 3. Only minutes have it: choose a shorter time.",
                Sql(SQL["z_scores"]),
            ).no_value("only minutes have z-scores"),
            warn=3,
            bad=6,
        ),
    )


def _fleet() -> Row:
    return "All devices", (
        to_stream(
            listing(
                "Devices",
                "Each device of the last day: its channels, and how many of them are silent. Good:"
                " no silent ones, heard seconds ago.",
                Sql(SQL["fleet"], "table"),
            )
        )
        .span(12)
        .override_by_name("heard ago", _age()),
        to_stream(
            listing(
                "Silent channels",
                "Channels of all devices that had values within a day and have none now, oldest"
                " first. Good: an empty table.",
                Sql(SQL["silent"], "table"),
            )
        )
        .span(12)
        .override_by_name("age", _age()),
    )
