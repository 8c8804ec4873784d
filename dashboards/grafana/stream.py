"""Stream: everything that is known of one stream, over minutes, months or a year."""

from typing import Final

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.grafana.bands import draw_band, draw_limits
from dashboards.grafana.frames import Row, finish, frame, lead, mark_moments
from dashboards.grafana.links import show_moments
from dashboards.grafana.panels import (
    bars,
    chart,
    column,
    limits,
    listing,
    number,
    pick_column,
    ranking,
)
from dashboards.grafana.queries import Sql, load_panels
from dashboards.grafana.variables import choice, choices, page, resolution, width

SQL: Final = load_panels("stream")
READINGS: Final = load_panels("readings")


def build(page_url: str) -> Dashboard:
    """Return the dashboard."""
    built = (
        frame(
            "telemetra-stream",
            "Telemetra: Stream",
            "One stream: chat, viewers, mood, emotes, transactions and channels, with its moments"
            " as coloured regions.",
            since="3h",
            refresh="10s",
        )
        .link(lead("Live page", "/app/streams/${stream:percentencode}"))
        .annotations(mark_moments())
    )
    variables = (
        choice("stream", "Stream", SQL["streams"]),
        resolution(),
        # Two days are 2 880 minutes, 120 days are 2 880 hours: more than a chart has pixels.
        width(minutes="2 days", hours="120 days"),
        choices("channel", "Channel", READINGS["channels"]),
        page(page_url),
    )
    return finish(built, variables, (_now(), _chat(), _emotes(), _money(), _channels(), _moments()))


def _now() -> Row:
    newest = {
        "messages": (
            "Messages",
            "Messages in the newest complete minute. Good: as usual at this hour.",
            "short",
        ),
        "chatters": ("Chatters", "Different people in that minute. Good: as usual.", "short"),
        "viewers": ("Viewers", "Average of that minute. Good: as usual.", "short"),
        "sentiment": ("Sentiment", "From -1 to +1. Good: above 0.", "short"),
        "z-score": (
            "Z-score",
            "How far that minute is from the hour before, in spreads. Good: between -3 and 3.",
            "short",
        ),
    }
    panels = [
        pick_column(number(title, text, Sql(SQL["newest"], "table"), unit=unit), field)
        for field, (title, text, unit) in newest.items()
    ]
    panels[3].decimals(2).thresholds(limits(warn=0, bad=-0.3))
    panels[4].decimals(1).thresholds(limits(warn=3, bad=6))
    heard = number(
        "Heard",
        "How long ago anything came from this stream. Good: seconds; after a minute it is not"
        " live.",
        Sql(SQL["heard"], "table"),
        unit="s",
    )
    return "Newest minute", (*panels, heard.decimals(0).thresholds(limits(warn=15, bad=60)))


def _chat() -> Row:
    return "Chat and viewers", (
        chart(
            "Messages",
            "Messages a second; the running window is not drawn before it is complete. Good: its"
            " usual shape. Regions are moments, in the colour of their severity.",
            Sql(SQL["chat_rate"]),
            unit="mps",
        ),
        draw_limits(
            chart(
                "Z-score of messages",
                "Minutes against the hour before each, in spreads, as the detector judged them."
                " Good: between -3 and 3. Only minutes have it: choose a shorter time.",
                Sql(SQL["z_score"]),
            ),
            warn=3,
            bad=6,
        ).no_value("only minutes have a z-score"),
        chart(
            "Viewers",
            "Average and peak of each window. Good: near one another; a step is a raid or a break.",
            Sql(SQL["viewers"]),
        ).override_by_name("peak", column(custom__lineStyle={"fill": "dash", "dash": [4, 4]})),
        chart(
            "Sentiment",
            "The mood of messages, weighted by their number. Good: above 0 and without sudden"
            " drops.",
            Sql(SQL["sentiment"]),
        )
        .min(-1)
        .max(1)
        .decimals(2),
        chart(
            "Chatters",
            "Different people in a minute; of an hour or a day, the most of any of its minutes."
            " Good: grows and falls with messages; few people with many messages are a flood.",
            Sql(SQL["chatters"]),
        ).span(24),
    )


def _emotes() -> Row:
    return "Emotes", (
        ranking(
            "Most used",
            "Uses in this time, summed from the ten that each window names. Nothing is good or bad"
            " here: a new one at the top tells what the moment was about.",
            Sql(SQL["emotes"], "table"),
        ),
        bars(
            "Most used, over time",
            "The five of them that were used most. Good: their usual mix.",
            Sql(SQL["emote_course"]),
        ).span(16),
    )


def _money() -> Row:
    return "Transactions", (
        bars(
            "Amounts",
            "By kind and currency; where kinds have no amounts, how many. Good: their usual pace.",
            Sql(SQL["transactions"]),
        )
        .span(16)
        .interval("1m"),
        listing(
            "Totals",
            "Transactions of this time by kind. Amounts of different currencies are not added up.",
            Sql(SQL["transaction_totals"], "table"),
        )
        .span(8)
        .height(8),
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
    )


def _moments() -> Row:
    return "Moments", (
        show_moments(
            listing(
                "Moments of this stream",
                "The newest hundred. Good: those that are open are being looked at. A moment leads"
                " to its page, with its reasons.",
                Sql(SQL["moments"], "table"),
            )
        ),
    )
