"""Service: a script on its way from a text to a run that waits for a worker.

text ─► read (one at a time, beside the requests) ─► held against the device ─► run and job
"""

import asyncio
from typing import Any, Final

from core.clock import Clock
from core.errors import ConflictError, RoomFullError
from core.keys import Caller
from core.script_views import list_dangerous, list_waiting
from core.scripts import Script, check_script, read_script
from core.settings import Settings
from db.devices import DeviceStore
from db.pool import Pool
from db.script_runs import NewRun, ScriptRunStore

READINGS_MAX: Final = 16
"""Texts of one process that are read or wait for it: a long one takes a core for a second."""

NAMED_MAX: Final = 10
"""Dangerous commands that a refusal names."""

Row = dict[str, Any]


class Scripts:
    """Takes scripts in; one of these a process."""

    def __init__(self, settings: Settings, pool: Pool, clock: Clock) -> None:
        self._settings = settings
        self._pool = pool
        self._clock = clock
        self._reading = asyncio.Lock()
        self._readings = 0

    async def check(self, device_id: str, text: str) -> tuple[Script, list[str]]:
        """Return a script and the dangerous commands that it sends.

        Raises:
            NotFoundError: There is no such device.
            InvalidError: It is no script, or asks for what the device does not know.
            RoomFullError: Too many are looked at already.
        """
        script, templates = await self._read(device_id, text)
        return script, sorted({name for name, _ in list_dangerous(script, templates)})

    async def start(self, new: NewRun, caller: Caller) -> tuple[Row, bool]:
        """Let a script wait for a worker; return its run, and whether it is new.

        Args:
            new: What is wanted; its name and steps are read from the text.
            caller: Who wants it.

        Raises:
            NotFoundError: There is no such device.
            InvalidError: It is no script, or asks for what the device does not know.
            ConflictError: It is dangerous and not confirmed, another one has not ended, or the
                request was made before for another script.
            QueueFullError: Too many wait already.
            RoomFullError: Too many are looked at already.
        """
        async with self._pool.connection() as connection:
            # What was asked for before is not looked at again: the device may be another by now.
            before = await ScriptRunStore(connection).find_request(new, caller)
        if before is not None:
            return before, False
        script, templates = await self._read(new.device_id, new.text)
        found = list(list_dangerous(script, templates))
        if found and not new.confirm_dangerous:
            named = ", ".join(f"{name} (line {line})" for name, line in found[:NAMED_MAX])
            more = f" and {len(found) - NAMED_MAX} more" if len(found) > NAMED_MAX else ""
            raise ConflictError(
                f"It sends dangerous commands: {named}{more}. Set confirm_dangerous to do so."
            )
        wanted = NewRun(
            device_id=new.device_id,
            text=new.text,
            name=script.name,
            steps=list_waiting(script),
            confirm_dangerous=new.confirm_dangerous,
            request_id=new.request_id,
        )
        async with self._pool.connection() as connection:
            return await ScriptRunStore(connection).insert(
                wanted,
                asker=caller,
                now=self._clock.now(),
                waiting_max=self._settings.jobs_waiting_max,
            )

    async def _read(self, device_id: str, text: str) -> tuple[Script, Row]:
        async with self._pool.connection() as connection:
            device = await DeviceStore(connection).get(device_id)
        if self._readings >= READINGS_MAX:
            raise RoomFullError(
                f"{READINGS_MAX} scripts are looked at already. Send it again in a moment.",
                retry_after_s=1,
            )
        self._readings += 1
        try:
            async with self._reading:
                script = await asyncio.to_thread(read_script, text)
        finally:
            self._readings -= 1
        templates: Row = device["command_templates"]
        check_script(script, device["telemetry_types"], templates)
        return script, templates
