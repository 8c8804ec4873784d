"""Askers: in whose name a script sends its commands, and whether that one still may.

    key of the asker ─► good? scope? stream? ─► caller, for one command
                        └─ no ─► refused, with the reason

A key is looked at before each command: what it may not do over HTTP, no script does for it.
"""

from typing import Any, Final

from core.access import require_streams
from core.clock import Clock
from core.errors import ForbiddenError, NotFoundError
from core.keys import EVERYONE, Caller, Scope
from core.settings import Settings
from db.api_keys import KeyStore
from db.pool import Connection

KEY: Final = "key_"
"""The id of an API key begins so; that of a person does not."""

Row = dict[str, Any]


class Askers:
    """Looks up who asked for a run."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    async def find(self, connection: Connection, run: Row) -> Caller:
        """Return who asked for a run, if that one may still command its device.

        Raises:
            ForbiddenError: The key is revoked, over, or may not; or keys are asked for by now, and
                none was shown.
        """
        key_id = run["asker_key_id"]
        if key_id is None:
            return await self._find_everyone(connection)
        if not key_id.startswith(KEY):
            # What a person may do stands in a token, which nobody has any more.
            return Caller(run["asker"], frozenset({Scope.OPERATE}), key_id=key_id)
        try:
            row = await KeyStore(connection).get(key_id)
        except NotFoundError as error:
            raise ForbiddenError(f"The key of {run['asker']} is gone.") from error
        if row["revoked_at"] is not None:
            raise ForbiddenError(f"The key of {run['asker']} was revoked.")
        if row["expires_at"] is not None and row["expires_at"] <= self._clock.now():
            raise ForbiddenError(f"The key of {run['asker']} has expired.")
        caller = Caller(
            name=run["asker"],
            scopes=frozenset(map(Scope, row["scopes"])),
            key_id=key_id,
            prefix=row["prefix"],
            streams=None if row["streams"] is None else tuple(row["streams"]),
        )
        if not caller.allows(Scope.OPERATE):
            raise ForbiddenError(f"The key of {run['asker']} has lost the scope {Scope.OPERATE}.")
        require_streams(caller, [run["device_id"]])
        return caller

    async def _find_everyone(self, connection: Connection) -> Caller:
        if self._settings.api_keys != "off" and await KeyStore(connection).exists_any():
            raise ForbiddenError("A key is needed by now, and this was begun without one.")
        return EVERYONE
