"""Figures: numbers and times as people read them, the same in reports, terminals and on the page.

    1284 -> 1.28k    0.35 a second -> 21/min    61.42 -> 61.4    four hours -> 4 h

Three significant digits, a true minus, thin spaces before units, UTC. A page of its own writes them
in the browser by the same rules. Nothing here reads the clock.
"""

import math
from datetime import datetime, timedelta
from typing import Final

MISSING: Final = "–"  # noqa: RUF001 (an en dash stands for no value, and never for minus)
THIN: Final = "\u202f"
"""Narrow no-break space, between a figure and its unit."""

_MINUS: Final = "−"  # noqa: RUF001 (the true minus is as wide as a digit)
_STEPS: Final = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_CHANGE_MIN: Final = 0.02
"""A smaller change is within the wobble of any counted minute."""

_SEVERITIES: Final = ((4.0, "critical"), (2.5, "high"), (1.5, "medium"))
_UNITS: Final = ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"))


def write_count(value: float | None) -> str:
    """Return 812, 1.28k, 48.2k, 1.20M."""
    if value is None or math.isnan(value):
        return MISSING
    size = abs(value)
    for unit, sign in _STEPS:
        if size >= 0.9995 * unit:
            scaled = value / unit
            digits = 0 if abs(scaled) >= 99.95 else 1 if abs(scaled) >= 9.995 else 2
            return _sign(f"{scaled:.{digits}f}") + sign
    return _sign(_write_plain(value))


def write_exact(value: float | None) -> str:
    """Return 1,284: where the exact count matters."""
    return MISSING if value is None or math.isnan(value) else _sign(f"{round(value):,}")


def write_rate(a_second: float | None) -> str:
    """Return 9.42/s, or 21/min below one a second."""
    if a_second is None or math.isnan(a_second):
        return MISSING
    if a_second >= 1 or a_second == 0:
        return f"{write_count(a_second)}/s"
    a_minute = a_second * 60
    return f"{a_minute:.{0 if a_minute >= 9.95 else 1}f}/min"


def write_change(ratio: float | None) -> str:
    """Return ▲ 4.4 %, ▼ 34 %, and times from tenfold, given what is divided by what was."""
    if ratio is None or not math.isfinite(ratio):
        return MISSING
    delta = ratio - 1
    if abs(delta) < _CHANGE_MIN:
        return f"±0{THIN}%"
    if ratio >= 10:
        return f"×{write_count(round(ratio))}"  # noqa: RUF001 (times, and no letter)
    percent = abs(delta) * 100
    arrow = "▲" if delta > 0 else "▼"
    return f"{arrow} {percent:.{0 if percent >= 9.95 else 1}f}{THIN}%"


def write_signed(value: float | None, digits: int = 2) -> str:
    """Return 0.17 with its sign, a plus as well."""
    if value is None or math.isnan(value):
        return MISSING
    shown = f"{abs(value):.{digits}f}"
    if float(shown) == 0:
        return shown
    return ("+" if value > 0 else _MINUS) + shown


def write_measure(value: float | None) -> str:
    """Return a measured value: 61.4, 1013.4, 7.84, 0.125."""
    if value is None or math.isnan(value):
        return MISSING
    size = abs(value)
    if size >= 1e5:
        return write_count(value)
    if size >= 1:
        return _sign(f"{value:.{1 if size >= 10 else 2}f}")
    return _sign(f"{round(value, 3):g}")


def write_duration(span: timedelta) -> str:
    """Return 4.2 s, 6 min, 3 h 12 min, 2 d: two units at most."""
    seconds = span.total_seconds()
    if seconds < 60:
        return f"{seconds:.1f}{THIN}s" if seconds < 9.95 else f"{int(seconds)}{THIN}s"
    for big, big_unit, small, small_unit in _UNITS:
        if seconds >= big:
            whole, rest = divmod(int(seconds), big)
            tail = f" {rest // small}{THIN}{small_unit}" if rest >= small else ""
            return f"{whole}{THIN}{big_unit}{tail}"
    return f"{int(seconds // 60)}{THIN}min"


def write_clock(at: datetime) -> str:
    """Return 20:32."""
    return f"{at:%H:%M}"


def write_day(at: datetime) -> str:
    """Return 24 Jan."""
    return f"{at.day} {at:%b}"


def find_severity(score: float) -> str:
    """Return how severe a score is; from 1.0 on something is unusual."""
    return next((name for least, name in _SEVERITIES if score >= least), "low")


def _write_plain(value: float) -> str:
    size = abs(value)
    if size >= 100 or value == int(value):
        return f"{value:.0f}"
    if size >= 1:
        return f"{value:.{1 if size >= 10 else 2}f}"
    return f"{round(value, 3):g}"


def _sign(digits: str) -> str:
    return digits.replace("-", _MINUS)
