"""Every route of the application, whichever there are: open, or shut to all but its scope."""

import asyncio
import re
from collections.abc import Iterator

import asyncpg
import httpx
import pytest
import websockets
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount, WebSocketRoute
from websockets.asyncio.client import connect

from core.keys import Scope
from tests.fixtures.api_keys import make_key
from tests.fixtures.apis import calling, serving
from tests.fixtures.events import STREAM
from tests.integration.api.problems import read_problem

OPEN = {"/health", "/livez", "/readyz", "/metrics", "/api/v1/health", "/ping"}
"""What orchestrators, Prometheus and `telemetra up` ask; the rest of what is open is pages."""

PAGES = ("/app", "/assets", "/docs", "/redoc", "/openapi.json", "/static-offline-docs")
INGEST = {
    "/api/v1/ingest",
    "/write",
    "/query",
    "/api/v2/write",
    "/api/v1/prom/write",
    "/v1/metrics",
}
SESSIONS = "/api/v1/sessions"
"""Below it, and below the alias of it, sessions look after themselves."""

DEVICES = "/api/v1/devices"
OF_DEVICES = {
    DEVICES,
    "/ws",
    "/ws/devices",
    "/telemetry-types",
    "/command-templates",
    "/config-summary",
}
OF_DEVICES |= {"/command-validation/x", "/historical-data"}
"""They name no device, and tell of those within reach."""

PLACES = {
    "stream_id": STREAM,
    "key_id": "key_0123456789abcdef",
    "moment_id": "mom_0123456789abcdef0123",
    "letter_id": "3-1855412307460096",
    "rule_id": "rul_0123456789abcdef",
    "route_id": "rte_0123456789abcdef",
    "delivery_id": "dlv_0123456789abcdef01234567",
    "tuning_id": "tun_0123456789abcdef",
    "board_id": "brd_0123456789abcdef",
    "session_id": "sess_0123456789abcdef",
    "note_id": "note_0123456789abcdef",
    "run_id": "run_0123456789abcdef",
}
QUERIES = {"/api/v1/compare": f"series={STREAM}", "/sse/live": f"streams={STREAM}"}
"""How streams are named where the path names none."""


def list_doors(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Return every method and path that there is; sockets as the method WEBSOCKET."""
    for route in iter_route_contexts(app.routes):
        path = re.sub(r"\{(\w+)[^}]*\}", lambda m: PLACES.get(m[1], "x"), route.path or "")
        if isinstance(route.original_route, Mount):
            yield "GET", f"{path}/x"
        elif isinstance(route.original_route, WebSocketRoute):
            yield "WEBSOCKET", path
        else:
            for method in sorted(route.methods or ()):
                yield method, path


def choose_scopes(method: str, path: str) -> set[str]:
    """Return the scopes that shall open a door; all of them when nobody is asked."""
    path = path.replace("/api/sessions", SESSIONS)
    if path in OPEN or path == "/" or path.startswith(PAGES):
        return set(Scope)
    if path.startswith(("/api/v1/keys", "/api/v1/audit")):
        return {"admin"}
    is_administered = path.startswith(("/api/v1/alert-rules", "/api/v1/alert-routes"))
    is_question = path == "/api/v1/alert-previews"
    one_session = f"{SESSIONS}/{PLACES['session_id']}"
    is_for_good = method == "DELETE" and (
        path in {f"/api/v1/streams/{STREAM}", one_session}
        or path.startswith((DEVICES, "/historical-data"))
    )
    if is_for_good or (is_administered and method != "GET" and not is_question):
        return {"admin"}
    is_telemetry = method == "POST" and path.startswith(f"{one_session}/telemetry")
    if path in INGEST or is_telemetry or path.startswith("/ws/devices/"):
        return {"ingest", "admin"}
    is_looking = method in {"GET", "HEAD", "WEBSOCKET"} or path == "/api/v1/tickets" or is_question
    if is_looking and not path.startswith("/api/v1/dead-letters"):
        return {"read", "admin"}
    return {"operate", "admin"}


async def knock(
    client: httpx.AsyncClient, address: str, method: str, path: str, headers: dict[str, str]
) -> int:
    """Return the status of an answer, or of the close of a socket less 4000; 0 when it is open."""
    if method != "WEBSOCKET":
        # Some answers go on for ever: only how they begin is read.
        request = client.stream(method, path, params=QUERIES.get(path), headers=headers)
        async with request as answer:
            return answer.status_code
    async with connect(f"ws://{address}{path}", additional_headers=headers) as socket:
        try:
            await socket.recv()
        except websockets.ConnectionClosed:
            return (socket.close_code or 0) - 4000
    return 0


def test_the_walk_finds_what_is_known_to_be_there(app: FastAPI):
    doors = set(list_doors(app))
    assert {
        ("GET", "/"),
        ("POST", "/api/v1/ingest"),
        ("GET", f"/api/v1/streams/{STREAM}/metrics"),
        ("DELETE", "/api/v1/keys/key_0123456789abcdef"),
        ("WEBSOCKET", f"/ws/live/{STREAM}"),
        ("DELETE", f"/api/v1/streams/{STREAM}"),
        ("PATCH", f"/api/v1/moments/{PLACES['moment_id']}"),
        ("WEBSOCKET", "/ws/live"),
        ("GET", "/sse/live"),
        ("GET", f"/sse/live/{STREAM}"),
        ("GET", "/api/v1/compare"),
        ("GET", f"/api/v1/streams/{STREAM}/readings"),
        ("GET", f"/api/v1/streams/{STREAM}/transactions/minutes"),
    } <= doors
    assert len(doors) > 25


@pytest.mark.parametrize("scope", Scope)
async def test_a_key_with_one_scope_opens_exactly_its_routes(
    app: FastAPI, connection: asyncpg.Connection, scope: Scope
):
    _, headers = await make_key(connection, scope)
    async with serving(app) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        wrong = []
        for method, path in list_doors(app):
            async with asyncio.timeout(20):
                status = await knock(client, address, method, path, headers)
            assert status != 401, (method, path)
            if (status != 403) != (scope in choose_scopes(method, path)):
                wrong.append((method, path, status))
    assert wrong == []


async def test_without_a_key_only_what_is_open_answers(
    app: FastAPI, connection: asyncpg.Connection
):
    await make_key(connection, "read")
    async with serving(app) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        for method, path in list_doors(app):
            status = await knock(client, address, method, path, {})
            is_open = choose_scopes(method, path) == set(Scope)
            assert (status != 401) == is_open, (method, path, status)


async def test_a_key_of_some_streams_sees_no_other_by_any_route(
    app: FastAPI, connection: asyncpg.Connection
):
    _, headers = await make_key(connection, "read", "operate", "ingest", streams=["else*"])
    selves = {
        *INGEST,
        "/api/v1/tickets",
        "/ws/live",
        # What is out of reach there is not there.
        f"/api/v1/moments/{PLACES['moment_id']}",
    }
    # Their charts are hidden one by one, and who changed a board would lose what is hidden.
    boards = {"/api/v1/boards", f"/api/v1/boards/{PLACES['board_id']}"}
    async with serving(app) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        for method, path in list_doors(app):
            if choose_scopes(method, path) == set(Scope):
                continue
            status = await knock(client, address, method, path, headers)
            is_of_sessions = path.startswith((SESSIONS, "/api/sessions", "/ws/sessions"))
            is_deletion = is_of_sessions and choose_scopes(method, path) == {"admin"}
            is_let_in = (
                path in selves
                or (path in OF_DEVICES and method != "DELETE")
                or (path in boards and method == "GET")
                or (is_of_sessions and not is_deletion)
            )
            assert (status == 403) == (not is_let_in), (method, path, status)


async def test_an_unknown_path_says_nothing_without_a_key(
    app: FastAPI, connection: asyncpg.Connection
):
    await make_key(connection, "read")
    async with calling(app) as client:
        read_problem(await client.get("/nothing"), 401, "unauthorized")
        read_problem(await client.get("/api/v1/keys/../streams"), 401, "unauthorized")
