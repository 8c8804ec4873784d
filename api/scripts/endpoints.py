"""Scripts: looked at, run by a job, listed and aborted."""

from typing import Annotated, TypeAlias

from fastapi import APIRouter, Body, Header, Path, Query, Response
from starlette.convertors import StringConvertor, register_url_convertor

from api.answers import send_json, send_row
from api.deps import Caller, Uses
from api.devices.endpoints import DeviceId
from api.paging import read_place, write_page, write_place
from api.scripts import examples
from api.scripts.schemas import (
    CheckedOut,
    ScriptIn,
    ScriptRunDetailOut,
    ScriptRunIn,
    ScriptRunOut,
    ScriptRunPage,
    ScriptRunQuery,
)
from core.commands import REQUEST_ID_LENGTH_MAX
from core.script_views import RUN_ID_PATTERN, list_waiting, show_detail, show_run, tell_run
from db.devices import DeviceStore
from db.script_runs import NewRun, ScriptRunStore

RunId: TypeAlias = Annotated[str, Path(pattern=RUN_ID_PATTERN, examples=[examples.RUN_ID])]
RequestId: TypeAlias = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=REQUEST_ID_LENGTH_MAX,
        description="Sent again with the same, a script is run once.",
    ),
]


class RunConvertor(StringConvertor):
    """Takes ids of runs only: `check` is the address of something else."""

    regex = "run_[^/]+"


register_url_convertor("run", RunConvertor())

router = APIRouter(prefix="/devices/{device_id}/scripts", tags=["devices"])


@router.post(
    "/check",
    response_model=CheckedOut,
    responses=examples.CHECKED,
    summary="Look at a script",
)
async def check_script(
    uses: Uses, device_id: DeviceId, given: Annotated[ScriptIn, Body()]
) -> Response:
    """Hold a script against a device and return its steps; nothing is done.

    What is wrong is named line by line.
    """
    script, dangerous = await uses.scripts.check(device_id, given.text)
    return send_row({"name": script.name, "dangerous": dangerous, "steps": list_waiting(script)})


@router.post(
    "",
    status_code=202,
    response_model=ScriptRunDetailOut,
    responses=examples.STARTED,
    summary="Run a script",
)
async def start_script(
    uses: Uses,
    caller: Caller,
    device_id: DeviceId,
    given: Annotated[ScriptRunIn, Body()],
    idempotency_key: RequestId = None,
) -> Response:
    """Let a script be run by a job; 202 once it is stored. Its progress is told to every client.

    One script at a time runs on a device. Commands are sent in the name of the caller, whose key is
    looked at before each.
    """
    new = NewRun(device_id, given.text, None, [], given.confirm_dangerous, idempotency_key)
    row, is_new = await uses.scripts.start(new, caller)
    if is_new:
        uses.devices.hub.tell([tell_run(row)])
    return send_row(show_detail(row), status=202)


@router.get("", response_model=ScriptRunPage, responses=examples.LISTED, summary="List script runs")
async def list_script_runs(
    uses: Uses, device_id: DeviceId, query: Annotated[ScriptRunQuery, Query()]
) -> Response:
    """Return the script runs of a device, newest first."""
    after = read_place(query.cursor) if query.cursor else None
    async with uses.pool.connection() as connection:
        await DeviceStore(connection).get(device_id)
        rows = await ScriptRunStore(connection).list_runs(
            device_id, state=query.state, after=after, limit=query.limit + 1
        )
    more = None
    if len(rows) > query.limit:
        last = rows[query.limit - 1]
        more = write_place(last["created_at"], last["run_id"])
    return send_json(write_page([show_run(row) for row in rows[: query.limit]], next_position=more))


@router.get(
    "/{run_id:run}",
    response_model=ScriptRunDetailOut,
    responses=examples.READ,
    summary="Read a script run",
)
async def get_script_run(uses: Uses, device_id: DeviceId, run_id: RunId) -> Response:
    """Return a run with its script and its steps."""
    async with uses.pool.connection() as connection:
        row = await ScriptRunStore(connection).get(device_id, run_id)
    return send_row(show_detail(row))


@router.post(
    "/{run_id:run}/abort",
    response_model=ScriptRunOut,
    responses=examples.ABORTED,
    summary="Abort a script run",
)
async def abort_script_run(
    uses: Uses, caller: Caller, device_id: DeviceId, run_id: RunId
) -> Response:
    """Cancel what is under way and skip the rest; once more changes nothing.

    One that nobody has begun ends at once. Of one that runs the end is told when its command has
    ended; while no worker runs, that is when one comes back.
    """
    async with uses.pool.connection() as connection:
        row, is_news = await ScriptRunStore(connection).abort(
            device_id, run_id, actor=caller, now=uses.clock.now()
        )
    if is_news:
        uses.devices.hub.tell([tell_run(row)])
    return send_row(show_run(row))
