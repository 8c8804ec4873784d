"""Queries: what a panel asks, the database in SQL or Prometheus in PromQL.

-- chat_rate                 the name, alone on its line, in ``<dashboard>.sql``
-- What it answers.          comments, for readers
SELECT …;                    one statement, with the macros of Grafana's PostgreSQL source
"""

import re
from pathlib import Path
from typing import Final, Literal, TypeAlias

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.runtime import UnknownDataquery
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import DataSourceRef

HERE: Final = Path(__file__).parent

DATABASE: Final = DataSourceRef(type_val="grafana-postgresql-datasource", uid="timescaledb")
PROMETHEUS: Final = DataSourceRef(type_val="prometheus", uid="prometheus")
"""By the uids that ``infra/grafana/provisioning/datasources`` gives them."""

Format: TypeAlias = Literal["time_series", "table"]

_NAME: Final = re.compile(r"^-- ([a-z_]+)$", re.MULTILINE)


def load_panels(dashboard: str) -> dict[str, str]:
    """Return the statements of ``<dashboard>.sql`` by name, without their comments."""
    parts = _NAME.split((HERE / f"{dashboard}.sql").read_text(encoding="utf-8"))
    return {
        name: re.sub(r"^--.*\n", "", body.strip(), flags=re.MULTILINE).rstrip(";")
        for name, body in zip(parts[1::2], parts[2::2], strict=True)
    }


class Sql(Builder[Dataquery]):
    """A statement for the database; the library has no builder for it."""

    def __init__(self, statement: str, form: Format = "time_series", *, ref_id: str = "A") -> None:
        self._asked: dict[str, object] = {
            "refId": ref_id,
            "datasource": DATABASE.to_json(),
            "editorMode": "code",
            "format": form,
            "rawQuery": True,
            "rawSql": statement,
        }

    def build(self) -> Dataquery:
        """Return it as the library takes it."""
        return UnknownDataquery(self._asked)


class PromQL(Builder[Dataquery]):
    """An expression for Prometheus, over the time of the dashboard or at its end."""

    def __init__(self, expr: str, legend: str = "", *, ref_id: str = "A") -> None:
        self._query = prometheus.Dataquery().datasource(PROMETHEUS).expr(expr).ref_id(ref_id)
        if legend:
            self._query.legend_format(legend)
        self._query.range()

    def now(self) -> "PromQL":
        """Ask for the end of the time alone."""
        self._query.instant()
        return self

    def build(self) -> Dataquery:
        """Return it as the library takes it."""
        return self._query.build()


def rate(metric: str, *by: str, where: str = "") -> str:
    """Return how much a counter grows in a second, by some of its labels; 0 where it never did.

    A counter with labels does not exist before it has counted something.
    """
    selected = f"{metric}{{{where}}}" if where else metric
    return f"{_sum(by)} (rate({selected}[$__rate_interval])) or on() vector(0)"


def quantile(share: float, histogram: str, *by: str, where: str = "") -> str:
    """Return the value below which a share of what a histogram saw lies."""
    selected = f"{histogram}_bucket{{{where}}}" if where else f"{histogram}_bucket"
    inner = f"{_sum(('le', *by))} (rate({selected}[$__rate_interval]))"
    return f"histogram_quantile({share}, {inner})"


def of_api(gauge: str) -> str:
    """Return a gauge of each process of the API: the others have it too, and leave it at 0."""
    return f"{gauge} and on (instance) telemetra_requests_served_total"


def _sum(by: tuple[str, ...]) -> str:
    return f"sum by ({', '.join(by)})" if by else "sum"
