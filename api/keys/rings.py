"""Key ring: the good keys of this moment, in memory, read anew twice a second.

    database ── every half second ──► ring ──► find(text)     no round trip for a request
                                       └─────► watch(caller)  open sockets hear of its end

A key is good no longer than a second after it was revoked. Garbage costs a hash and no query. While
the database is away the last known keys stay good for ``KNOWN_FOR``, so that events keep coming in;
then nobody is let in, and sockets are closed.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

import asyncpg
import structlog

from api.keys.endings import NOT_GOOD, TRY_LATER
from core.clock import Clock
from core.errors import DatabaseAwayError, UnauthorizedError
from core.keys import EVERYONE, ApiKey, Caller, find_prefix, is_secret_of
from core.settings import Settings
from core.tasks import end
from db.api_keys import KeyStore
from db.pool import AWAY

REFRESH_EVERY_S: Final = 0.5
"""Half of the second within which a revoked key must stop; the other half is for the query."""

ANSWER_TIMEOUT_S: Final = 2
"""A database that takes longer counts as away."""

NOBODY: Final = ""
"""No key has this prefix."""

KNOWN_FOR: Final = timedelta(minutes=10)
"""As long as a database may take to come back; longer than that, a key may be gone unnoticed."""

NOTE_USES_EVERY: Final = timedelta(minutes=1)
"""How exactly ``last_used_at`` is kept; a write for each request would cost more than the rest."""

AWAY_HERE: Final = (*AWAY, asyncpg.PostgresError)
"""A database without tables yet tells as little about keys as one that is away."""

log = structlog.get_logger()


class KeyRing:
    """Knows who may come in."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._decided = _decide(settings)
        self._clock = clock
        self._keys: dict[str, ApiKey] = {}
        self._stamp: int | None = None
        self._exists_any = False
        self._known_at: datetime | None = None
        self._used_at: dict[str, datetime] = {}
        self._noted_at = clock.now()
        self._watches: dict[str, set[asyncio.Future[int]]] = {}
        self._connection: asyncpg.Connection | None = None
        self._source_error: str | None = None
        self._turn = asyncio.Lock()
        self.turns = 0
        """How often the keys were read, or that failed: what was true of one is asked anew."""
        self._task: asyncio.Task[None] | None = None

    @property
    def is_required(self) -> bool:
        """Whether a key is asked for; while nothing is known, it is."""
        if self._decided is not None:
            return self._decided
        return self._exists_any or self._known_at is None

    @property
    def is_known(self) -> bool:
        """Whether the keys were read, and not too long ago."""
        return self._known_at is not None and self._clock.now() - self._known_at < KNOWN_FOR

    async def start(self) -> None:
        """Read the keys and go on reading them."""
        if self._settings.api_keys == "off":
            log.warning("keys_not_asked_for", reason="API_KEYS is off")
            return
        await self.refresh()
        if not self.is_required:
            log.warning("keys_not_asked_for", reason="no key exists; the first one closes the door")
        else:
            log.info("keys_asked_for", keys=len(self._keys))
        self._task = asyncio.create_task(self._refresh_for_ever())

    async def stop(self) -> None:
        """Stop reading."""
        if self._task is not None:
            await end(self._task)
        await self._hang_up()

    async def refresh(self) -> None:
        """Read the keys now; the last ones known stay when that fails."""
        if self._settings.api_keys == "off":
            return
        async with self._turn:
            try:
                async with asyncio.timeout(ANSWER_TIMEOUT_S):
                    await self._read()
                self._note_source(None)
            except AWAY_HERE as error:
                self._note_source(type(error).__name__)
                await self._hang_up()
        self.turns += 1
        self._tell_watches()

    def find(self, text: str | None) -> Caller:
        """Return whose key a text is; everyone's, while no key is asked for.

        Raises:
            UnauthorizedError: It is none of the good keys.
            DatabaseAwayError: Nobody can tell.
        """
        if not self.is_required:
            return EVERYONE
        text = text or ""
        key = self._find_good(find_prefix(text) or NOBODY)
        if key is None or not is_secret_of(text, key.digest):
            raise UnauthorizedError(
                "No good key was shown. Send one as `Authorization: Bearer tk_…` or `X-API-Key`."
            )
        return self._note_use(key)

    def find_by_prefix(self, prefix: str) -> Caller:
        """Return whose key has a prefix, for one who has proved it before.

        Raises:
            UnauthorizedError: It is no longer good.
            DatabaseAwayError: Nobody can tell.
        """
        if not self.is_required:
            return EVERYONE
        key = self._find_good(prefix)
        if key is None:
            raise UnauthorizedError("The key behind this is no longer good.")
        return self._note_use(key)

    @contextmanager
    def watch(self, caller: Caller) -> Iterator[asyncio.Future[int]]:
        """Lend what will hold the code of a close once a caller may no longer be here."""
        gone: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        watches = self._watches.setdefault(caller.prefix, set())
        watches.add(gone)
        try:
            yield gone
        finally:
            watches.discard(gone)
            if not watches:
                self._watches.pop(caller.prefix, None)

    def _find_good(self, prefix: str) -> ApiKey | None:
        if not self.is_known:
            raise DatabaseAwayError(
                "Which keys are good cannot be told while the database is away. Try again soon.",
                retry_after_s=2,
            )
        key = self._keys.get(prefix)
        return key if key is not None and key.is_good(self._clock.now()) else None

    def _note_use(self, key: ApiKey) -> Caller:
        if key.caller.key_id is not None:
            self._used_at[key.caller.key_id] = self._clock.now()
        return key.caller

    def _note_source(self, error: str | None) -> None:
        """Log that the database went or came back, once each."""
        if error is not None and self._source_error is None:
            log.warning("keys_source_away", error=error, known_for_s=KNOWN_FOR.total_seconds())
        elif error is None and self._source_error is not None:
            log.info("keys_source_back", keys=len(self._keys))
        self._source_error = error

    def _tell_watches(self) -> None:
        if not self.is_required:
            return
        code = NOT_GOOD if self.is_known else TRY_LATER
        for prefix, watches in self._watches.items():
            if not self.is_known or self._find_good(prefix) is None:
                for gone in watches:
                    if not gone.done():
                        gone.set_result(code)

    async def _refresh_for_ever(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_EVERY_S)
            await self.refresh()

    async def _read(self) -> None:
        if self._connection is None:
            # A connection of its own: that all of the pool are busy must not keep a revoked key
            # good.
            self._connection = await asyncpg.connect(
                self._settings.require_database_url(),
                timeout=ANSWER_TIMEOUT_S,
                server_settings={"application_name": "telemetra-keys"},
            )
        store = KeyStore(self._connection)
        asked_at = self._clock.now()
        # Taken before the keys are read: what changes in between is read again the next time.
        stamp = await store.stamp_good()
        if stamp != self._stamp:
            self._keys = {key.caller.prefix: key for key in await store.list_good()}
            self._stamp = stamp
        # A row once made is never deleted: this is asked until there is one.
        self._exists_any = self._exists_any or bool(self._keys) or await store.exists_any()
        self._known_at = asked_at
        await self._write_uses(store)

    async def _write_uses(self, store: KeyStore) -> None:
        now = self._clock.now()
        if self._used_at and now - self._noted_at >= NOTE_USES_EVERY:
            used_at, self._used_at = self._used_at, {}
            self._noted_at = now
            await store.note_uses(used_at)

    async def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


def _decide(settings: Settings) -> bool | None:
    """Return whether keys are asked for; None where that depends on whether there are any."""
    if settings.api_keys != "auto":
        return settings.api_keys == "required"
    if settings.oidc_issuer is not None:
        return True
    return None if settings.is_on_loopback or settings.api_open else True
