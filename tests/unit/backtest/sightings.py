"""Sightings and truths, made by hand."""

from datetime import timedelta
from typing import Any

from core.moments import Moment
from streaming.backtest.rehearsals import Sighting
from streaming.backtest.truths import Truth
from tests.fixtures.clocks import START

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def make_sighting(
    number: int = 1, *, minute: float = 0, minutes: float = 2, delay_s: float = 10, **fields: Any
) -> Sighting:
    """Return a spike from a minute on, first shown so long after its beginning."""
    started_at = START + minute * MINUTE
    facts: dict[str, Any] = {
        "moment_id": f"mom_{number:020x}",
        "stream_id": "one",
        "moment_type": "chat_spike",
        "metric_name": "chat_count",
        "timestamp": started_at,
        "started_at": started_at,
        "peak_at": started_at,
        "last_at": started_at,
        "ended_at": started_at + minutes * MINUTE,
        "metric_value": 100.0,
        "expected": 5.0,
        "spread": 2.0,
        "threshold": 4.0,
        "z_score": 8.0,
        "score": 2.0,
        "direction": "up",
        "state": "open",
        "revision": 1,
    }
    return Sighting(Moment(**(facts | fields)), started_at + delay_s * SECOND)


def make_truth(*, minute: float = 0, minutes: float = 2, **fields: Any) -> Truth:
    """Return what the simulator says of a raid from a minute on."""
    started_at = START + minute * MINUTE
    ended_at = started_at + minutes * MINUTE
    facts: dict[str, Any] = {
        "incident_id": f"inc_{minute}",
        "kind": "raid",
        "stream_id": "one",
        "metric": "chat_count",
        "types": ("chat_spike",),
        "started_at": started_at,
        "ended_at": ended_at,
        "felt_until": ended_at + MINUTE,
        "direction": "up",
        "magnitude": 4.0,
    }
    return Truth(**(facts | fields))
