"""Script looks: once a second, what the database says of all scripts that run in this process.

    list_watched (one statement for all) ─► the eye of each run: aborted? its command? still ours?

News over Redis only make it faster: whatever is missed there is seen here a second later.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import structlog

from core.errors import TelemetraError
from core.tasks import end
from db.pool import Pool
from db.script_runs import ScriptRunStore

EVERY_S: Final = 1.0

Row = dict[str, Any]

Eye: TypeAlias = Callable[[Row | None], None]
"""Sees what is stored of a run; None when it is gone."""

log = structlog.get_logger()


class ScriptLooks:
    """Looks for all runs of a process together."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._eyes: dict[str, Eye] = {}
        self._has_eyes = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop."""
        if self._task is not None:
            await end(self._task)

    def watch(self, run_id: str, eye: Eye) -> None:
        """Show what is stored of a run, once a second."""
        self._eyes[run_id] = eye
        self._has_eyes.set()

    def forget(self, run_id: str, eye: Eye) -> None:
        """Show nothing more."""
        # Another attempt of the same run may look by now, where this one let go late.
        if self._eyes.get(run_id) == eye:
            del self._eyes[run_id]

    async def look(self) -> None:
        """Look once.

        Raises:
            DatabaseAwayError: Nothing was seen.
        """
        eyes = dict(self._eyes)
        async with self._pool.connection() as connection:
            rows = await ScriptRunStore(connection).list_watched(list(eyes))
        for run_id, eye in eyes.items():
            if self._eyes.get(run_id) == eye:
                eye(rows.get(run_id))

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            if not self._eyes:
                self._has_eyes.clear()
                await self._has_eyes.wait()
            try:
                await self.look()
            except TelemetraError as error:
                log.warning("script_look_waits", code=error.code)
