"""Access: what a path needs, and whom it lets in."""

import pytest

from core.access import find_scope, find_stream, require_access, require_streams
from core.errors import ForbiddenError
from core.keys import Caller, Scope

SCOPES = [
    ("GET", "/health", None),
    ("GET", "/api/v1/health", None),
    ("GET", "/metrics", None),
    ("POST", "/health", None),
    ("GET", "/", None),
    ("GET", "/app/streams/a", None),
    ("GET", "/assets/index.js", None),
    ("GET", "/application", "read"),
    ("GET", "/healthy", "read"),
    ("GET", "//health", "read"),
    ("GET", "/api/v1/streams", "read"),
    ("HEAD", "/api/v1/streams", "read"),
    ("PUT", "/api/v1/streams/a", "operate"),
    ("PATCH", "/api/v1/moments/m", "operate"),
    ("GET", "/api/v1/moments/m", "read"),
    ("DELETE", "/api/v1/streams/a", "admin"),
    ("DELETE", "/api/v1/anything/new", "operate"),
    ("BREW", "/api/v1/streams", "operate"),
    ("GET", "/ws/live/a", "read"),
    ("GET", "/nothing", "read"),
    ("GET", "/api/v1/sessions", "read"),
    ("POST", "/api/v1/sessions", "operate"),
    ("PATCH", "/api/v1/sessions/s", "operate"),
    ("DELETE", "/api/v1/sessions/s", "admin"),
    ("DELETE", "/api/v1/sessions/s/notes/n", "operate"),
    ("POST", "/api/v1/sessions/s/notes", "operate"),
    ("POST", "/api/v1/sessions/s/telemetry", "ingest"),
    ("POST", "/api/v1/sessions/s/telemetry/batch", "ingest"),
    ("GET", "/api/v1/sessions/s/telemetry", "read"),
    ("POST", "/api/sessions/s/telemetry/", "ingest"),
    ("DELETE", "/api/sessions/s", "admin"),
    ("DELETE", "/api/sessions/s/", "admin"),
    ("POST", "/api/sessionsx", "operate"),
    ("GET", "/ws/sessions/s", "read"),
    ("POST", "/api/v1/ingest", "ingest"),
    ("POST", "/api/v2/write", "ingest"),
    ("POST", "/v1/metrics", "ingest"),
    ("POST", "/api/v1/tickets", "read"),
    ("GET", "/api/v1/keys", "admin"),
    ("DELETE", "/api/v1/keys/key_1", "admin"),
    ("GET", "/api/v1/audit", "admin"),
    ("GET", "/api/v1/audit/", "admin"),
    ("GET", "/api/v1/keysmith", "read"),
    ("GET", "/api/v1/dead-letters", "operate"),
    ("GET", "/api/v1/dead-letters/", "operate"),
    ("GET", "/api/v1/dead-letters/3-1", "operate"),
    ("POST", "/api/v1/dead-letters/3-1/replay", "operate"),
    ("GET", "/api/v1/dead-letters-2", "read"),
    ("GET", "/api/v1/alert-rules", "read"),
    ("POST", "/api/v1/alert-rules", "admin"),
    ("POST", "/api/v1/alert-previews", "read"),
    ("POST", "/api/v1/alert-previews/more", "operate"),
    ("PATCH", "/api/v1/alert-routes/rte_1", "admin"),
    ("POST", "/api/v1/alert-routes/rte_1/test", "admin"),
    ("POST", "/api/v1/alert-routes-2", "operate"),
    ("POST", "/api/v1/deliveries/dlv_1/retry", "operate"),
    ("GET", "/ws", "read"),
    ("GET", "/ws/devices", "read"),
    ("GET", "/ws/devices/d", "ingest"),
    ("GET", "/api/v1/devices/d/commands", "read"),
    ("POST", "/api/v1/devices/d/commands", "operate"),
    ("POST", "/api/v1/devices/d/commands/c/confirm", "operate"),
    ("PUT", "/api/v1/devices/d", "operate"),
    ("DELETE", "/api/v1/devices/d", "admin"),
    ("DELETE", "/api/v1/devices/d/history", "admin"),
    ("GET", "/historical-data", "read"),
    ("DELETE", "/historical-data", "admin"),
]


@pytest.mark.parametrize(("method", "path", "scope"), SCOPES)
def test_a_request_needs_one_scope(method: str, path: str, scope: str | None):
    assert find_scope(method, path) == scope


@pytest.mark.parametrize(
    ("path", "stream_id"),
    [
        ("/api/v1/streams/a", "a"),
        ("/api/v1/streams/a/metrics", "a"),
        ("/api/v1/streams/", ""),
        ("/api/v1/streams", None),
        ("/ws/live/a", "a"),
        ("/ws/live", None),
        ("/sse/live/a", "a"),
        ("/ws/devices/d", "d"),
        ("/api/v1/devices/d/commands/c", "d"),
        ("/api/v1/moments", None),
    ],
)
def test_a_path_is_about_one_stream_or_none(path: str, stream_id: str | None):
    assert find_stream(path) == stream_id


@pytest.mark.parametrize("scope", Scope)
def test_the_scope_decides_who_comes_in(scope: Scope):
    require_access(Caller("a", frozenset({scope})), scope, "/x")
    require_access(Caller("a", frozenset({Scope.ADMIN})), scope, "/x")
    others = frozenset(Scope) - {scope, Scope.ADMIN}
    with pytest.raises(ForbiddenError, match=scope):
        require_access(Caller("a", others), scope, "/x")


def test_a_key_of_some_streams_reaches_these_and_no_list_of_all():
    caller = Caller("a", frozenset({Scope.READ}), streams=("north*",))
    for path in (
        "/api/v1/streams/north/metrics",
        "/ws/live/north",
        "/ws/live",
        "/sse/live",
        "/api/v1/ingest",
        "/api/v2/write",
        "/api/v1/prom/write",
        "/v1/metrics",
        "/api/v1/moments/m",
        "/api/v1/boards",
        "/api/v1/boards/b",
        "/ws",
        "/api/v1/devices",
        "/api/v1/devices/north/history",
        "/telemetry-types",
        "/command-validation/heat",
    ):
        require_access(caller, Scope.READ, path)
    for path in (
        "/api/v1/streams/south",
        "/ws/live/south",
        "/api/v1/streams/",
        "/ws/live/",
        "/ws/devices/south",
        "/api/v1/devices/south/commands",
    ):
        with pytest.raises(ForbiddenError, match="that stream"):
            require_access(caller, Scope.READ, path)
    for path in ("/api/v1/streams", "/api/v1/moments", "/v1/metricsandmore", "/api/v1/boardsx"):
        with pytest.raises(ForbiddenError, match="single streams only"):
            require_access(caller, Scope.READ, path)


@pytest.mark.parametrize("named", [["south"], ["north", "south"], ["*"], ["north", "*"]])
def test_one_stream_out_of_reach_refuses_them_all(named: list[str]):
    caller = Caller("a", frozenset({Scope.READ}), streams=("north*", "n*h"))
    require_streams(caller, ["north", "northlight"])
    with pytest.raises(ForbiddenError, match="all of these"):
        require_streams(caller, named)
    require_streams(Caller("a", frozenset({Scope.READ})), named)


def test_who_reaches_some_streams_sees_boards_and_changes_none():
    caller = Caller("a", frozenset({Scope.READ, Scope.OPERATE}), streams=("north*",))
    require_access(caller, Scope.READ, "/api/v1/boards/b")
    with pytest.raises(ForbiddenError, match="single streams only"):
        require_access(caller, Scope.OPERATE, "/api/v1/boards/b")
