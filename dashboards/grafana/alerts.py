"""Alerts: rules for Grafana about what only the database knows.

What the processes say of themselves is judged by ``infra/prometheus/rules.yml``, which Grafana
shows as well; nothing is told twice. Moments have alerts of their own, in Telemetra.
"""

from dataclasses import dataclass
from typing import Any, Final

from grafana_foundation_sdk.builders import alerting, expr
from grafana_foundation_sdk.models.alerting import RelativeTimeRange
from grafana_foundation_sdk.models.common import DataSourceRef

from dashboards.grafana.queries import DATABASE, Sql, load_panels

SQL: Final = load_panels("alerts")

FOLDER: Final = "Telemetra"
EVERY: Final = "1m"

LOOKED_AT: Final = RelativeTimeRange(from_val=600, to=0)
"""Grafana wants to know a time; the statements themselves say which they mean."""

EXPRESSIONS: Final = "__expr__"
"""The uid by which Grafana's own expressions are asked."""


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One question, and from which number on somebody should look."""

    uid: str
    title: str
    statement: str
    above: float
    lasts: str
    severity: str
    summary: str
    description: str

    def render(self) -> dict[str, Any]:
        """Return it as Grafana's files of rules have it."""
        return {
            "uid": self.uid,
            "title": self.title,
            "condition": "B",
            "data": [self._ask(), self._compare()],
            "for": self.lasts,
            # Without rows there is nothing that is silent or late.
            "noDataState": "OK",
            "execErrState": "Error",
            "labels": {"severity": self.severity, "source": "telemetra"},
            "annotations": {"summary": self.summary, "description": self.description},
            "isPaused": False,
        }

    def _ask(self) -> dict[str, object]:
        asked = alerting.Query("A").datasource_uid(str(DATABASE.uid))
        asked.relative_time_range(LOOKED_AT).model(Sql(self.statement, "table"))
        return asked.build().to_json()

    def _compare(self) -> dict[str, object]:
        threshold = (
            expr.TypeThreshold()
            .datasource(DataSourceRef(type_val=EXPRESSIONS, uid=EXPRESSIONS))
            .ref_id("B")
            .expression("A")
            .conditions(
                [
                    expr.ExprTypeThresholdConditions().evaluator(
                        expr.ExprTypeThresholdConditionsEvaluator().type("gt").params([self.above])
                    )
                ]
            )
        )
        compared = alerting.Query("B").datasource_uid(EXPRESSIONS).relative_time_range(LOOKED_AT)
        return compared.model(threshold).build().to_json()


RULES: Final = (
    AlertRule(
        "telemetra-nothing-arrives",
        "NothingArrives",
        SQL["nothing_arrives"],
        above=300,
        lasts="2m",
        severity="warning",
        summary="No stream was heard for five minutes",
        description="Senders are silent, or what they send does not reach the database: look at"
        " the row Doors and bus of the dashboard Platform.",
    ),
    AlertRule(
        "telemetra-channels-silent",
        "ChannelsSilent",
        SQL["channels_silent"],
        above=0,
        lasts="5m",
        severity="warning",
        summary="A device has channels that fell silent",
        description="They had values within the hour and have had none for ten minutes. The"
        " dashboard Devices names them.",
    ),
    AlertRule(
        "telemetra-moments-unhandled",
        "MomentsUnhandled",
        SQL["moments_unhandled"],
        above=0,
        lasts="1m",
        severity="critical",
        summary="A critical moment goes on and nobody has acknowledged it",
        description="For a quarter of an hour. The dashboard Stream shows it, and telemetra moments"
        " acknowledges, shelves or resolves it.",
    ),
    AlertRule(
        "telemetra-dead-letters-wait",
        "DeadLettersWait",
        SQL["dead_letters_wait"],
        above=0,
        lasts="10m",
        severity="warning",
        summary="Entries could not be read and wait to be replayed",
        description="GET /api/v1/dead-letters shows each with its reason; after a fix they are"
        " replayed.",
    ),
    AlertRule(
        "telemetra-events-late",
        "EventsLate",
        SQL["events_late"],
        above=0,
        lasts="10m",
        severity="warning",
        summary="Events came too late to change their minute",
        description="A sender has been away or has a wrong clock. telemetra replay --recompute"
        " counts them after all.",
    ),
)


def build() -> dict[str, Any]:
    """Return the file of rules."""
    return {
        "apiVersion": 1,
        "groups": [
            {
                "orgId": 1,
                "name": "telemetra",
                "folder": FOLDER,
                "interval": EVERY,
                "rules": [rule.render() for rule in RULES],
            }
        ],
    }
