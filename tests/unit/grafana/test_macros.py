"""Macros: our expander does with a query what Grafana says that it does."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from tests.fixtures.macros import Chosen, Look, UnknownMacroError

LOOK: Final = Look(
    datetime(2026, 1, 26, 10, tzinfo=UTC),
    datetime(2026, 1, 26, 12, tzinfo=UTC),
    timedelta(seconds=30),
    {
        "stream": Chosen(("o'neil",), "O'Neil live"),
        "channel": Chosen(("a", "b"), "a + b", is_list=True),
        "kind": Chosen(("chat",), "All", is_list=True, stands_for_all="''"),
        "width": Chosen(("1h",), "hour"),
    },
)

SQL: Final = {
    "WHERE $__timeFilter(window_start)": (
        "WHERE window_start BETWEEN '2026-01-26T10:00:00Z' AND '2026-01-26T12:00:00Z'"
    ),
    "$__timeFrom()::timestamptz - $__timeTo()": (
        "'2026-01-26T10:00:00Z'::timestamptz - '2026-01-26T12:00:00Z'"
    ),
    "$__timeGroup(at, '1h') AS hour": "time_bucket('3600.000s',at) AS hour",
    "$__timeGroup(at, '1h'), x": "time_bucket('3600.000s',at) AS \"time\", x",
    "$__timeGroupAlias(at, '${width}', NULL)": "time_bucket('3600.000s',at) AS \"time\"",
    "$__timeGroupAlias(at, $__interval)": "time_bucket('30.000s',at) AS \"time\"",
    "$__time(at)": 'at AS "time"',
    "FROM chat_summary_${width:text}": "FROM chat_summary_hour",
    "= ${stream:sqlstring}": "= 'o''neil'",
    "= '$stream'": "= 'o''neil'",
    "${stream:raw}": "o'neil",
    "IN ($channel)": "IN ('a','b')",
    "IN (${channel:sqlstring})": "IN ('a','b')",
    "IN (${kind:sqlstring})": "IN ('')",
}


@pytest.mark.parametrize(("statement", "expanded"), SQL.items())
def test_a_statement_is_what_the_database_gets(statement: str, expanded: str) -> None:
    assert LOOK.expand_sql(statement) == expanded


def test_a_rate_is_taken_over_four_scrapes_at_least() -> None:
    assert LOOK.expand_promql("rate(x[$__rate_interval])") == "rate(x[31s])"
    short = Look(LOOK.start, LOOK.end, timedelta(seconds=1))
    assert short.expand_promql("rate(x[$__rate_interval])") == "rate(x[4s])"
    assert short.expand_promql("increase(x[$__range])") == "increase(x[7200s])"


@pytest.mark.parametrize(
    "slip", ["$__timeFiltre(at)", "${strem}", "$strem", "$__timeGroup(at, 'often')"]
)
def test_what_grafana_would_not_know_is_an_error(slip: str) -> None:
    with pytest.raises(UnknownMacroError):
        LOOK.expand_sql(slip)
