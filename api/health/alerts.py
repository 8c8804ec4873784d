"""How the alerts are, as the database sees them: they need no Redis, and so say nothing there.

no connection: nobody decides      idle: it hangs      old changes: it does not keep up
"""

import asyncio
from typing import Final

from api.health.schemas import AlertsHealth
from core.errors import TelemetraError
from db.alerts import AlertsMeasured, AlertStore
from db.pool import Pool

IDLE_S_MAX: Final = 15.0
"""It asks the database something every second, and waits five at most while that is away."""

LAG_S_MAX: Final = 10.0
"""A change of a moment is looked at within a second."""


async def ask_alerts(pool: Pool, within_s: float) -> AlertsHealth:
    """Ask the database who decides and sends, and what waits for them."""
    try:
        async with asyncio.timeout(within_s), pool.connection() as connection:
            measured = await AlertStore(connection).measure()
    except (TelemetraError, TimeoutError):
        return say_unknown()
    return judge_alerts(measured)


def say_unknown() -> AlertsHealth:
    """Say that nobody can tell how the alerts are."""
    return AlertsHealth(
        status="degraded",
        latency_ms=None,
        detail="Not known: the database does not answer.",
        changes_waiting=None,
        lag_ms=None,
        deliveries_waiting=None,
        deliveries_oldest_ms=None,
    )


def judge_alerts(measured: AlertsMeasured) -> AlertsHealth:
    """Say how the alerts are."""
    idle_s, lag_s = measured.idle_s or 0.0, measured.changes_oldest_s or 0.0
    if not measured.connections:
        status = "error"
        detail = "No alerts are running. What they have to tell is kept until they do."
    elif idle_s > IDLE_S_MAX:
        status, detail = "degraded", f"Have done nothing for {idle_s:.0f} s."
    elif lag_s > LAG_S_MAX:
        status, detail = "degraded", f"{lag_s:.1f} s behind the moments."
    else:
        status, detail = "ok", "running"
    return AlertsHealth(
        status=status,
        latency_ms=None if measured.idle_s is None else _to_ms(measured.idle_s),
        detail=detail,
        changes_waiting=measured.changes,
        lag_ms=_to_ms(lag_s),
        deliveries_waiting=measured.deliveries,
        deliveries_oldest_ms=_to_ms(measured.deliveries_oldest_s or 0.0),
    )


def _to_ms(seconds: float) -> int:
    return max(round(seconds * 1000), 0)
