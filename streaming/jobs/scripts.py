"""Scripts: the job that does the steps of a script on a device.

    run ─► claim (an attempt has a number) ─► conductor ─► step after step ─► end, once
              │                                  │ stopped, killed
              ╰─ over, gone: nothing             ╰─► the next worker goes on at the same step

A run waits for hours and holds nothing meanwhile: a connection is lent for a statement or a step.
"""

import asyncio
from typing import Any, ClassVar

import structlog
from typing_extensions import override

from core.errors import DatabaseAwayError
from core.script_views import JOB, QUEUE
from core.scripts import read_script
from db.script_runs import ScriptRunStore
from streaming.jobs.base import Job, RunLaterError
from streaming.jobs.conductors import Conductor, ConductorParts

AGAIN_S = 1.0
"""After which a run is begun anew that could not be claimed because the database was away."""

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class ScriptJob(Job):
    """Runs scripts."""

    name: ClassVar[str] = JOB
    queue: ClassVar[str] = QUEUE

    def __init__(self, parts: ConductorParts) -> None:
        self._parts = parts
        self._reading = asyncio.Lock()
        """One long text at a time: reading one takes a core for a second."""

    @override
    async def run(self, **arguments: Any) -> None:
        try:
            async with self._parts.pool.connection() as connection:
                store = ScriptRunStore(connection)
                row = await store.claim(arguments["run_id"], self._parts.clock.now())
        except DatabaseAwayError as error:
            raise RunLaterError(error.detail, AGAIN_S) from error
        if row is None:
            return
        log.info("script_run_claimed", run_id=row["run_id"], attempt=row["attempts"])
        async with self._reading:
            # It was read before it was stored, and reads the same again.
            script = await asyncio.to_thread(read_script, row["text"])
        await Conductor(self._parts, row, script).conduct()
