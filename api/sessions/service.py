"""Service of sessions: which ones a caller reaches, and who is told of a change."""

import re
from typing import Any

from api.deps import Resources
from core.errors import ForbiddenError, NotFoundError
from core.keys import Caller
from core.scopes import STREAMS_ALL, scope_of_stream
from core.session_events import EventName, SessionEvent
from core.sessions import SESSION_PATTERN, is_within_reach
from db.pool import Connection
from db.sessions import SessionStore

Row = dict[str, Any]


async def require_session(connection: Connection, caller: Caller, session_id: str) -> Row:
    """Return a session as it is stored; one out of reach is not there.

    Raises:
        NotFoundError: There is none within reach.
    """
    return _require_reach(caller, await SessionStore(connection).get(session_id))


async def read_session(uses: Resources, caller: Caller, session_id: str) -> Row:
    """Return a session for what follows, over a connection of its own.

    Raises:
        NotFoundError: There is none within reach.
    """
    if not re.fullmatch(SESSION_PATTERN, session_id):
        # The address of a socket is held against no pattern.
        raise NotFoundError(f"There is no session {session_id!r}.")
    return _require_reach(caller, await uses.session_finder.get(session_id))


def _require_reach(caller: Caller, row: Row) -> Row:
    if not is_within_reach(caller, row["id"], row["stream_ids"]):
        raise NotFoundError(f"There is no session {row['id']!r}.")
    return row


def require_reach(caller: Caller, session_id: str, stream_ids: list[str] | None) -> None:
    """Let a request through that makes a session of streams.

    Raises:
        ForbiddenError: Whoever asks would not reach the session; the text does not say which
            stream exists.
    """
    if stream_ids is not None and not is_within_reach(caller, session_id, stream_ids):
        raise ForbiddenError(
            "This key reaches single streams only: name in stream_ids one or more of those, and no"
            " others."
        )


def show_session(row: Row) -> Row:
    """Return a stored session as clients read it; its summary has an address of its own."""
    return {name: value for name, value in row.items() if name != "summary"}


async def tell_event(uses: Resources, session_id: str, event: EventName, data: Row) -> None:
    """Say on the sockets of a session what happened."""
    await uses.session_news.tell(SessionEvent(session_id, event, data))


async def tell_stream_changed(uses: Resources, session_id: str) -> None:
    """Let cached answers about streams know of a session's own stream."""
    await uses.news.tell((scope_of_stream(session_id), STREAMS_ALL))
