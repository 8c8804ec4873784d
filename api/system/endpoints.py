"""The system: what runs, how much of its limits it uses, and how it is doing."""

from fastapi import APIRouter, Response

from api.deps import Uses
from api.replies import JSON
from api.system import examples
from api.system.schemas import SystemOut
from api.system.service import read_system

router = APIRouter(prefix="/system", tags=["health"])


@router.get("", response_model=SystemOut, responses=examples.SYSTEM, summary="What runs, and how?")
async def get_system(uses: Uses) -> Response:
    """Return processes, bus, Redis, database, jobs and devices, with limits; what is away is null.

    Rates and latencies of the process that answers are in `/metrics`, and whether all is well in
    `/api/v1/health`.
    """
    system = await read_system(uses)
    return Response(
        system.model_dump_json(), media_type=JSON, headers={"Cache-Control": "no-store"}
    )
