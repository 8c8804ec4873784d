"""Health as clients read it."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel


class PartHealth(BaseModel):
    """How one dependency is."""

    status: Literal["ok", "degraded", "error"]
    latency_ms: float | None
    detail: str


class FlowHealth(PartHealth):
    """How the flow is, how fast, how far behind, and how far behind it usually is."""

    events_per_second: float | None
    lag_ms: int | None
    lag_usual_ms: int | None
    """That of the slowest process; None while it is learned, ten minutes with commits."""


class ArchiveHealth(PartHealth):
    """How the archive is, how fast, and how far behind."""

    events_per_second: float | None
    lag_ms: int | None


class AlertsHealth(PartHealth):
    """Whether somebody decides who is told of what, and what waits for them."""

    changes_waiting: int | None
    """Changes of moments that nobody has looked at yet; more than 1 000 are not counted."""

    lag_ms: int | None
    """Age of the oldest of them; 0 when none waits."""

    deliveries_waiting: int | None
    """Also what quiet hours or a route's rate hold back; more than 1 000 are not counted."""

    deliveries_oldest_ms: int | None


class JobsHealth(PartHealth):
    """How the jobs are; what they have to do waits in the database until they do it."""

    waiting: int | None
    """Jobs that nobody has begun, of all queues."""

    oldest_ms: int | None
    """How long the oldest of them that is due waits; 0 when none does."""


class HealthOut(BaseModel):
    """How everything is."""

    status: Literal["ok", "degraded", "error"]
    timestamp: datetime
    version: str
    keys: Literal["required", "open"]
    database: PartHealth
    redis: PartHealth
    flow: FlowHealth
    archive: ArchiveHealth
    alerts: AlertsHealth
    jobs: JobsHealth


class AliveOut(BaseModel):
    """The process answers."""

    status: Literal["ok"]
