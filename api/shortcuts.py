"""Shortcuts: who asks what was asked before gets what is at hand, without the way to its route.

    asked before? ─► let in? ─► at hand? ─► the same bytes and headers, or 304
         └──────────────┴──────────┴─ no ─► door ─► route ─► cache ─► noted for the next

A route that answers from the cache makes of path, query and ``Accept`` always the same scope and
key. So these are noted, and reading and checking the parameters is done once. Nothing is kept here
but the names: who may come in is asked of the door, and whether an answer is still good of the
cache, with every request. Nobody is refused here: that is left to the long way.
"""

import time
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from starlette.types import ASGIApp, Receive, Scope, Send

from api.cache.lookups import Lookups
from api.headers import encode_headers, read_headers
from api.keys.doors import Door
from api.keys.rates import Allowance
from api.middleware import REQUEST_ID, count_request, name_request, name_route
from api.replies import Reply, make_reply
from core.access import SELF_CHECKED

SHORTCUTS_MAX: Final = 10_000
"""As many as there are answers on the shelf; beyond, the one noted first is forgotten."""

ASKED_LENGTH_MAX: Final = 1_000
"""Longer requests are rare and take the long way: all shortcuts stay below some 15 MB."""

Asked: TypeAlias = tuple[str, bytes, bytes | None]
"""Path, query and ``Accept``: all that a cached route reads of a request but its key."""


@dataclass(frozen=True, slots=True)
class Shortcut:
    """Where the answer to a request is kept, and what its route says of it."""

    scope: str
    key: str
    varies: bool
    route: Any
    """What the router found, for the traces."""

    route_name: str
    """And how it is counted."""


class Shortcuts:
    """Remembers which requests ask for which answer."""

    def __init__(self) -> None:
        self._noted: dict[Asked, Shortcut] = {}

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._noted)

    def find(self, scope: Scope) -> Shortcut | None:
        """Return what the same request came to before."""
        if scope.get("method") != "GET":
            return None
        return self._noted.get(_read_asked(scope))

    def note(self, scope: Scope, key: str, kept_in: str, *, varies: bool) -> None:
        """Remember what a request came to, unless its route asks who it is for."""
        asked = _read_asked(scope)
        if asked[0] in SELF_CHECKED or asked in self._noted:
            return
        if len(asked[0]) + len(asked[1]) + len(asked[2] or b"") > ASKED_LENGTH_MAX:
            return
        self._noted[asked] = Shortcut(kept_in, key, varies, scope.get("route"), name_route(scope))
        if len(self._noted) > SHORTCUTS_MAX:
            del self._noted[next(iter(self._noted))]


class ShortcutMiddleware:
    """Answers what is at hand to whom the door knows; everything else goes the long way."""

    def __init__(self, app: ASGIApp, shortcuts: Shortcuts, lookups: Lookups, door: Door) -> None:
        self._app = app
        self._shortcuts = shortcuts
        self._lookups = lookups
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        started = time.perf_counter()
        shortcut = self._shortcuts.find(scope)
        if shortcut is not None and (caller := self._door.recognise(scope)) is not None:
            allowance = await self._door.take(scope, caller) if self._door.is_counting else None
            reply = self._find_reply(scope, shortcut, allowance)
            if reply is not None:
                await reply.send(send)
                seconds = time.perf_counter() - started
                count_request(scope, shortcut.route_name, reply.status, seconds)
                return
        await self._app(scope, receive, send)

    def _find_reply(
        self, scope: Scope, shortcut: Shortcut, allowance: Allowance | None
    ) -> Reply | None:
        if allowance is not None and not allowance.is_allowed:
            return None
        answer = self._lookups.find_at_hand(shortcut.scope, shortcut.key)
        if answer is None:
            return None
        scope["route"] = shortcut.route
        reply = make_reply(scope, answer, varies=shortcut.varies)
        if allowance is not None:
            reply.headers.extend(encode_headers(allowance.to_headers()))
        reply.headers.append((REQUEST_ID, name_request(scope).encode()))
        return reply


def _read_asked(scope: Scope) -> Asked:
    return scope["path"], scope["query_string"], read_headers(scope).get(b"accept")
