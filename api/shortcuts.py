"""Shortcuts: who asks what was asked before gets what is at hand, without the way to its route.

    door ─► asked before? ─ at hand ─► the same bytes and headers, or 304
                 └──────────┴─ no ─► route ─► answer from the cache ─► noted for the next

A route that answers from the cache makes of path, query and ``Accept`` always the same scope and
key. So these are noted, and reading and checking the parameters is done once. Nothing is kept here
but the names: whether an answer is still good is asked of the cache each time. The door stands
before it, so nobody gets here whom the route would not get.
"""

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from starlette.types import ASGIApp, Receive, Scope, Send

from api.cache.lookups import Lookups
from api.headers import find_header
from api.replies import make_reply
from core.access import SELF_CHECKED

SHORTCUTS_MAX: Final = 10_000
"""As many as there are answers on the shelf; beyond, the one noted first is forgotten."""

ASKED_LENGTH_MAX: Final = 1_000
"""Longer requests are rare and take the long way: all shortcuts stay below some 15 MB."""

Asked: TypeAlias = tuple[str, bytes, str | None]
"""Path, query and ``Accept``: all that a cached route reads of a request but its key."""


@dataclass(frozen=True, slots=True)
class Shortcut:
    """Where the answer to a request is kept, and what its route says of it."""

    scope: str
    key: str
    varies: bool
    route: Any
    """What the router found, for the counters."""


class Shortcuts:
    """Remembers which requests ask for which answer."""

    def __init__(self) -> None:
        self._noted: dict[Asked, Shortcut] = {}

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._noted)

    def find(self, scope: Scope) -> Shortcut | None:
        """Return what the same request came to before."""
        return self._noted.get(_read_asked(scope))

    def note(self, scope: Scope, key: str, kept_in: str, *, varies: bool) -> None:
        """Remember what a request came to, unless its route asks who it is for."""
        asked = _read_asked(scope)
        if asked[0] in SELF_CHECKED or asked in self._noted:
            return
        if len(asked[0]) + len(asked[1]) + len(asked[2] or "") > ASKED_LENGTH_MAX:
            return
        self._noted[asked] = Shortcut(kept_in, key, varies, scope.get("route"))
        if len(self._noted) > SHORTCUTS_MAX:
            del self._noted[next(iter(self._noted))]


class ShortcutMiddleware:
    """Answers what is at hand; everything else goes on to the routes."""

    def __init__(self, app: ASGIApp, shortcuts: Shortcuts, lookups: Lookups) -> None:
        self._app = app
        self._shortcuts = shortcuts
        self._lookups = lookups

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http" and scope["method"] == "GET":
            shortcut = self._shortcuts.find(scope)
            if shortcut and (answer := self._lookups.find_at_hand(shortcut.scope, shortcut.key)):
                scope["route"] = shortcut.route
                reply = make_reply(scope, answer, varies=shortcut.varies)
                await reply.send(send)
                return
        await self._app(scope, receive, send)


def _read_asked(scope: Scope) -> Asked:
    return scope["path"], scope["query_string"], find_header(scope, b"accept")
