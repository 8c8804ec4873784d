"""Health: for people, for orchestrators and for Prometheus."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.answers import JSON
from api.deps import Uses
from api.health.schemas import AliveOut, HealthOut
from api.health.service import read_health
from core.errors import ServiceMissingError

probes = APIRouter(tags=["health"])
router = APIRouter(tags=["health"])


@probes.get("/health", summary="Does the process answer?")
@probes.get("/livez", summary="Does the process answer?")
async def read_alive() -> AliveOut:
    """Answer without asking anyone else."""
    return AliveOut(status="ok")


@probes.get("/readyz", summary="Can the process serve?")
async def read_ready(uses: Uses) -> AliveOut:
    """Answer 200 when database and Redis can be reached."""
    health = await read_health(uses)
    for name, part in (("database", health.database), ("redis", health.redis)):
        if part.status == "error":
            raise ServiceMissingError(f"{name}: {part.detail}")
    return AliveOut(status="ok")


@probes.get("/metrics", summary="Metrics for Prometheus", response_class=Response)
async def read_metrics() -> Response:
    """Return the metrics of this process."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@router.get("/health", response_model=HealthOut, summary="How is everything?")
async def read_everything(uses: Uses) -> Response:
    """Return how database, Redis and flow are; 503 when nothing can be served."""
    health = await read_health(uses)
    status = 503 if health.status == "error" else 200
    return Response(
        health.model_dump_json(),
        status_code=status,
        media_type=JSON,
        headers={"Cache-Control": "no-store"},
    )
