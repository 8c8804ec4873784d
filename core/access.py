"""Access: which scope a request needs, and which streams it reaches.

    path -> open?  -> nobody is asked
         -> scope  -> the caller must have it
         -> stream -> within reach of the caller, or the endpoint looks itself

What is not listed needs ``read`` to be seen and ``operate`` to be changed, so that a new route is
never open by accident.
"""

import re
from collections.abc import Iterable
from typing import Final

from core.errors import ForbiddenError
from core.keys import Caller, Scope

WRITE_V1: Final = "/write"
WRITE_V2: Final = "/api/v2/write"
QUERY: Final = "/query"
PING: Final = "/ping"
"""Where clients of InfluxDB write, make databases, and ask whether it is there."""

OPEN_PATHS: Final = frozenset(
    {
        # Probes and Prometheus come without keys; what they get names no stream.
        "/health",
        "/livez",
        "/readyz",
        "/metrics",
        "/api/v1/health",
        # Clients of InfluxDB ask it before they show their key.
        PING,
        # The page and the description of the API are in every copy of the source.
        "/",
        "/app",
        "/docs",
        "/docs/oauth2-redirect",
        "/redoc",
        "/openapi.json",
    }
)
OPEN_FOLDERS: Final = ("/app/", "/assets/", "/static-offline-docs/")

TICKETS: Final = "/api/v1/tickets"
INGEST: Final = "/api/v1/ingest"

RESERVED: Final = {
    "/api/v1/keys": Scope.ADMIN,
    "/api/v1/audit": Scope.ADMIN,
    "/api/v1/dead-letters": Scope.OPERATE,
}
"""What needs one scope to be seen and to be changed, with all below it.

A dead letter is raw bytes of many senders that no rule has passed, and all there is to do with one
is to replay it: a key for dashboards needs none of that, and one for single streams cannot have it.
"""

SESSIONS: Final = "/api/v1/sessions"

ALIASES: Final = {"/api/sessions": SESSIONS}
"""Folders that clients of other systems call, and what is meant; ``api.aliases`` serves them."""

SESSION_FOLDERS: Final = (SESSIONS, "/ws/sessions")
"""Whether a session is within reach depends on the streams that it looks at, which the endpoint
knows; one out of reach is not there."""

ADMINISTERED: Final = frozenset({"/api/v1/alert-rules", "/api/v1/alert-routes"})
"""What whoever reads may see, and only ``admin`` changes: an alert that is led elsewhere, or not
sent, is seen by nobody."""

QUESTIONS: Final = frozenset({"/api/v1/alert-previews"})
"""What is asked with a body and changes nothing: whoever reads may."""

INGEST_PATHS: Final = frozenset(
    {INGEST, WRITE_V1, QUERY, WRITE_V2, "/api/v1/prom/write", "/v1/metrics"}
)
LOOKING: Final = frozenset({"GET", "HEAD", "OPTIONS"})

STREAMS: Final = "/api/v1/streams/"
DEVICES: Final = "/api/v1/devices/"
DEVICE_SOCKETS: Final = "/ws/devices/"
"""Where devices themselves connect: what they say are events."""

STREAM_FOLDERS: Final = (STREAMS, "/ws/live/", "/sse/live/", DEVICES, DEVICE_SOCKETS)
"""What follows is the id of a stream, or of a device, which is one."""

HISTORY: Final = "/historical-data"
DEVICE_PATHS: Final = frozenset(
    {
        "/ws",
        "/ws/devices",
        "/api/v1/devices",
        "/telemetry-types",
        "/command-templates",
        "/config-summary",
        HISTORY,
    }
)
"""Where all devices are meant that are within reach, or the only one."""

SELF_CHECKED: Final = (
    INGEST_PATHS | DEVICE_PATHS | {TICKETS, "/ws/live", "/sse/live", "/api/v1/compare"}
)
"""Endpoints that ask the caller about each stream that a request names."""


BOARDS: Final = "/api/v1/boards"
"""What everybody who reads may see; the endpoint hides the charts that are out of reach. Who
reaches only some streams changes none: what is hidden would be lost."""

MOMENT_FOLDER: Final = "/api/v1/moments/"
"""What follows is the id of a moment; its stream is found and asked for by the endpoint, which says
the same of a moment out of reach and of one that is not there."""

SELF_CHECKED_FOLDERS: Final = (MOMENT_FOLDER, "/command-validation/")


def find_scope(method: str, path: str) -> Scope | None:
    """Return the scope that a request needs; None when it is open to everyone."""
    if path in OPEN_PATHS or path.startswith(OPEN_FOLDERS):
        return None
    path = find_canonical(path)
    if (scope := _find_reserved(path)) is not None:
        return scope
    if _is_sending(method, path):
        return Scope.INGEST
    if method == "DELETE" and _is_for_good(path):
        return Scope.ADMIN
    if method in LOOKING or path == TICKETS or path in QUESTIONS:
        return Scope.READ
    return Scope.ADMIN if _find_folder(path) in ADMINISTERED else Scope.OPERATE


def _is_sending(method: str, path: str) -> bool:
    if path in INGEST_PATHS or path.startswith(DEVICE_SOCKETS):
        return True
    return method == "POST" and _TELEMETRY.fullmatch(path) is not None


def _is_for_good(path: str) -> bool:
    """Whether what is deleted there is gone for good; all else of operators can be undone."""
    if path.startswith((STREAMS, DEVICES)) or path == HISTORY:
        return True
    return _SESSION.fullmatch(path) is not None


def find_canonical(path: str) -> str:
    """Return the path that an alias stands for; any other is its own."""
    folder = "/".join(path.split("/")[:3])
    canonical = ALIASES.get(folder)
    return path if canonical is None else canonical + path[len(folder) :]


def _find_reserved(path: str) -> Scope | None:
    return RESERVED.get(_find_folder(path))


def _find_folder(path: str) -> str:
    return "/".join(path.split("/")[:4])


_SESSION: Final = re.compile(rf"{SESSIONS}/[^/]+/?")
_TELEMETRY: Final = re.compile(rf"{SESSIONS}/[^/]+/telemetry(/batch)?/?")


def _is_of_sessions(path: str) -> bool:
    canonical = find_canonical(path)
    return any(canonical == name or canonical.startswith(f"{name}/") for name in SESSION_FOLDERS)


def find_stream(path: str) -> str | None:
    """Return the stream that a path is about, if it names one."""
    for folder in STREAM_FOLDERS:
        if path.startswith(folder):
            return path[len(folder) :].partition("/")[0]
    return None


def require_access(caller: Caller, scope: Scope, path: str) -> None:
    """Let a request through.

    Raises:
        ForbiddenError: The caller lacks the scope, or the stream is out of reach. The text is the
            same whether the stream exists or not.
    """
    if not caller.allows(scope):
        raise ForbiddenError(f"This needs a key with the scope {scope}.")
    if caller.streams is None or path in SELF_CHECKED or path.startswith(SELF_CHECKED_FOLDERS):
        return
    if _is_of_sessions(path) or (scope is Scope.READ and _find_folder(path) == BOARDS):
        return
    stream_id = find_stream(path)
    if stream_id is None:
        raise ForbiddenError("This key reaches single streams only. Name one in the path.")
    if not caller.allows_stream(stream_id):
        raise ForbiddenError("This key does not reach that stream.")


def require_streams(caller: Caller, stream_ids: Iterable[str]) -> None:
    """Let a request through that names streams elsewhere than in its path.

    Raises:
        ForbiddenError: One of them is out of reach; the text does not say which one exists.
    """
    if not all(map(caller.allows_stream, stream_ids)):
        raise ForbiddenError("This key does not reach all of these streams.")
