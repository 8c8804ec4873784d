"""Door: who may come in, asked the same way by all that stands before the routes.

whatever is shown ─► who? ─► rate ─► scope, stream ─► caller
                      └───────┴────────┴─ no ─► an error that says why
"""

import base64
from typing import Final, TypeAlias, cast
from urllib.parse import parse_qs

from starlette.types import Scope

from api.headers import find_header, read_headers
from api.keys.identities import Identities
from api.keys.rates import Allowance, RateLimiter
from core.access import INGEST_PATHS, find_scope, require_access
from core.errors import RateLimitedError, TelemetraError, UnauthorizedError
from core.keys import Caller

SCHEMES: Final = frozenset({"bearer", "token"})
"""Clients of InfluxDB say Token."""

BASIC: Final = "basic"
"""What collectors say that know of users and passwords: the password is the key. Browsers say it by
themselves once they were told one, so it is heard only where events come in."""

EVENT_STREAMS: Final = "/sse/"
"""Answers that go on; browsers can put no headers on them either."""


AUTHORIZATION: Final = b"authorization"
API_KEY: Final = b"x-api-key"

KNOWN_MAX: Final = 10_000
"""Callers, each with a path, that are known at once; beyond, all are looked at again."""

Shown: TypeAlias = tuple[bytes | None, bytes | None, str, str]
"""All that decides who may come in where: both headers, method and path."""

TAKEN: Final = "telemetra.allowance"
"""Where it stands that a request was counted, and what was left then."""


class Door:
    """Lets in whom it should."""

    def __init__(self, identities: Identities, limiter: RateLimiter) -> None:
        self._identities = identities
        self._limiter = limiter
        self._known: dict[Shown, Caller] = {}
        self._known_in = -1

    @property
    def is_counting(self) -> bool:
        """Whether there is a limit to how often one may come."""
        return self._limiter.is_on

    def recognise(self, scope: Scope) -> Caller | None:
        """Return who may come in if the rate allows it; None leaves everything to ``admit``.

        Takes no waiting and refuses nobody. Who was recognised is known until the keys are read
        again, twice a second.
        """
        headers = read_headers(scope)
        shown = (headers.get(AUTHORIZATION), headers.get(API_KEY), scope["method"], scope["path"])
        if self._known_in != self._identities.turn or len(self._known) >= KNOWN_MAX:
            self._known.clear()
            self._known_in = self._identities.turn
        if (caller := self._known.get(shown)) is None and (caller := self._look_at(scope)):
            self._known[shown] = caller
        return caller

    async def admit(self, scope: Scope, headers: dict[str, str]) -> Caller | None:
        """Return who comes in, and add what there is to say of the rate; None where all may.

        Raises:
            UnauthorizedError: The key is missing or wrong.
            RateLimitedError: The caller asked too often; wrong keys count for their address.
            ForbiddenError: The caller may not come in here.
        """
        needed = find_scope(scope.get("method", "GET"), scope["path"])
        if needed is None:
            return None
        try:
            caller = await self._find_caller(scope)
        except UnauthorizedError:
            _require_allowance(await self._limiter.take(_name_address(scope)), headers)
            raise
        _require_allowance(await self.take(scope, caller), headers)
        require_access(caller, needed, scope["path"])
        return caller

    async def take(self, scope: Scope, caller: Caller) -> Allowance | None:
        """Count a request, once however often it is asked; None when there is no limit."""
        if not self._limiter.is_on:
            return None
        if TAKEN not in scope:
            subject = f"key:{caller.key_id}" if caller.key_id else _name_address(scope)
            scope[TAKEN] = await self._limiter.take(subject)
        return cast("Allowance | None", scope[TAKEN])

    def _look_at(self, scope: Scope) -> Caller | None:
        needed = find_scope(scope["method"], scope["path"])
        if needed is None:
            return None
        try:
            caller = self._identities.find_at_hand(read_key(scope))
            if caller is not None:
                require_access(caller, needed, scope["path"])
        except TelemetraError:
            return None
        return caller

    async def _find_caller(self, scope: Scope) -> Caller:
        shown = read_key(scope)
        if shown is None and is_lasting(scope) and self._identities.is_required:
            given = parse_qs(scope["query_string"].decode("latin-1")).get("ticket")
            if given:
                return await self._identities.redeem(given[0])
        return await self._identities.find(shown)


def is_lasting(scope: Scope) -> bool:
    """Whether a connection stays open: a socket, or a stream of events."""
    path: str = scope["path"]
    return scope["type"] == "websocket" or path.startswith(EVENT_STREAMS)


def read_key(scope: Scope) -> str | None:
    """Return the key that was sent, whatever it looks like."""
    scheme, _, text = (find_header(scope, AUTHORIZATION) or "").partition(" ")
    if scheme.lower() in SCHEMES:
        return text.strip()
    if scheme.lower() == BASIC and scope["path"] in INGEST_PATHS:
        return _read_password(text)
    return find_header(scope, API_KEY)


def _read_password(credentials: str) -> str:
    """Return the password of Basic authentication; an empty one where it cannot be read."""
    try:
        text = base64.b64decode(credentials.strip(), validate=True).decode()
    except ValueError:
        return ""
    return text.partition(":")[2]


def _name_address(scope: Scope) -> str:
    return f"address:{(scope.get('client') or ('unknown',))[0]}"


def _require_allowance(allowance: Allowance | None, headers: dict[str, str]) -> None:
    if allowance is None:
        return
    headers.update(allowance.to_headers())
    if not allowance.is_allowed:
        raise RateLimitedError(
            f"More than {allowance.limit} requests a minute. Wait {allowance.retry_after_s} s;"
            " one request with more in it counts once.",
            retry_after_s=allowance.retry_after_s,
        )
