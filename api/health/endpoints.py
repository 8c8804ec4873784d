"""Health: for people, for orchestrators and for Prometheus."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.deps import Uses
from api.health import examples
from api.health.schemas import AliveOut, HealthOut
from api.health.service import read_health
from api.replies import JSON
from core.errors import ServiceMissingError

probes = APIRouter(tags=["health"])
router = APIRouter(tags=["health"])


@probes.get("/health", summary="Does the process answer?", responses=examples.ALIVE)
@probes.get(
    "/livez",
    operation_id="read_livez",
    summary="Does the process answer?",
    responses=examples.ALIVE,
)
async def read_alive() -> AliveOut:
    """Answer without asking anyone else."""
    return AliveOut(status="ok")


@probes.get("/readyz", summary="Can the process serve?", responses=examples.READY)
async def read_ready(uses: Uses) -> AliveOut:
    """Answer 200 when database and Redis can be reached."""
    health = await read_health(uses)
    for name, part in (("database", health.database), ("redis", health.redis)):
        if part.status == "error":
            raise ServiceMissingError(f"{name}: {part.detail}")
    return AliveOut(status="ok")


@probes.get(
    "/metrics",
    operation_id="read_prometheus",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses=examples.METRICS,
)
async def read_metrics() -> Response:
    """Return the metrics of this process."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@router.get(
    "/health",
    operation_id="read_health",
    response_model=HealthOut,
    summary="How is everything?",
    responses={**examples.EVERYTHING, 503: {**examples.EVERYTHING[503], "model": HealthOut}},
)
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
