"""Variables: what people choose above a dashboard, and what follows from it.

``resolution`` is chosen; ``width`` follows from it and from the time that is looked at, and names
the table that panels read: its text is ``minute``, ``hour`` or ``day``, its value ``1m``, ``1h`` or
``1d``. So a year is answered from 365 rows a stream and not from half a million.

``page`` is where browsers find the live page, for links to it.
"""

from typing import Final

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import (
    VariableHide,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from dashboards.grafana.queries import DATABASE

PAGE: Final = "http://127.0.0.1:8000"
"""Where ``make up`` and ``compose.yaml`` serve the live page, seen from the same machine."""

EVERYTHING: Final = "''"
"""What stands for all in a list of SQL: no stream and no channel has an empty name, and a list may
not be empty itself."""

_WIDTH: Final = """\
SELECT name AS __text, width AS __value
FROM (VALUES ('minute', '1m', 1), ('hour', '1h', 2), ('day', '1d', 3)) AS widths (name, width, step)
WHERE name = ${{resolution:sqlstring}}
   OR (${{resolution:sqlstring}} = 'auto' AND step = CASE
        WHEN $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= interval '{minutes}' THEN 1
        WHEN $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= interval '{hours}' THEN 2
        ELSE 3
    END)"""


def resolution() -> dashboard.CustomVariable:
    """Return the choice of how fine things are shown."""
    return (
        dashboard.CustomVariable("resolution")
        .label("Resolution")
        .description("Auto: minutes for short times, hours and days for long ones.")
        .values("auto,minute,hour,day")
        .current(VariableOption(selected=True, text="auto", value="auto"))
        .options(
            [
                VariableOption(selected=name == "auto", text=name, value=name)
                for name in ("auto", "minute", "hour", "day")
            ]
        )
    )


def width(*, minutes: str, hours: str) -> dashboard.QueryVariable:
    """Return what follows: minutes and hours are read for at most so long a time."""
    return (
        _ask("width", _WIDTH.format(minutes=minutes, hours=hours))
        .hide(VariableHide.HIDE_VARIABLE)
        # What an address says of it is old as soon as another time is looked at.
        .allow_custom_value(allow_custom_value=False)
        .current(VariableOption(selected=True, text="minute", value="1m"))
    )


def choice(name: str, label: str, statement: str) -> dashboard.QueryVariable:
    """Return a choice of one among what a statement finds."""
    return _ask(name, statement).label(label)


def choices(name: str, label: str, statement: str) -> dashboard.QueryVariable:
    """Return a choice of some or all of what a statement finds."""
    return (
        choice(name, label, statement)
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(EVERYTHING)
        .current(VariableOption(selected=True, text="All", value="$__all"))
    )


def page(url: str) -> dashboard.TextBoxVariable:
    """Return where the live page is."""
    return (
        dashboard.TextBoxVariable("page")
        .label("Live page")
        .description("Where your browser finds Telemetra, without a slash at the end; for links.")
        .default_value(url)
        .current(VariableOption(selected=True, text=url, value=url))
    )


def _ask(name: str, statement: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .datasource(DATABASE)
        .query(statement)
        .definition(statement)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.DISABLED)
    )
