"""Contracts: what every answer keeps to, whichever noun it is about.

Who holds this against an answer knows nothing of how the product is made.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import orjson
from websockets.asyncio.client import ClientConnection, connect

Row = dict[str, Any]

ZONED: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
SECRETS: Final = ("Traceback", "SELECT ", "INSERT ", "asyncpg", "postgresql://", ".py")
WAIT_S: Final = 90
"""Reaching this means that it never came."""


def require_time(told: object) -> str:
    """Return a time that is written as every time is."""
    assert isinstance(told, str), told
    assert ZONED.fullmatch(told), told
    return told


def require_id(told: object, kind: str) -> str:
    """Return an id that begins with its kind and cannot be guessed."""
    assert isinstance(told, str), told
    assert re.fullmatch(rf"{kind}_[0-9a-f]{{8,}}", told), told
    return told


def require_problem(answer: httpx.Response, *statuses: int) -> Row:
    """Return the problem document that an answer is."""
    assert answer.status_code in statuses, (answer.status_code, answer.text)
    assert answer.headers["Content-Type"].partition(";")[0] == "application/problem+json"
    problem: Row = answer.json()
    assert {"type", "title", "status", "detail", "instance"} <= problem.keys()
    assert problem["status"] == answer.status_code
    assert problem["type"]
    assert problem["title"]
    assert problem["detail"]
    assert problem["instance"].startswith(answer.request.url.path)
    assert not [secret for secret in SECRETS if secret in answer.text]
    return problem


def require_fields(answer: httpx.Response, *names: str) -> None:
    """Hold that an answer refuses these fields, each by its name."""
    problem = require_problem(answer, 422)
    assert problem["errors"], problem
    for name in names:
        assert name in answer.text.replace(str(answer.request.url), ""), problem


def read_list(answer: httpx.Response) -> list[Row]:
    """Return a list as front ends expect it: a plain array."""
    assert answer.status_code == 200, answer.text
    rows = answer.json()
    assert isinstance(rows, list), rows
    return rows


def read_row(answer: httpx.Response, status: int = 200) -> Row:
    """Return one thing."""
    assert answer.status_code == status, answer.text
    row: Row = answer.json()
    assert isinstance(row, dict)
    return row


class SessionSocket:
    """The socket of a session as a front end hears it: every message has the same three parts."""

    def __init__(self, socket: ClientConnection, session_id: str) -> None:
        self.socket = socket
        self._session_id = session_id

    async def hear(self, event: str, holds: Callable[[Row], bool] = lambda _: True) -> Row:
        """Return the data of the next event of a name, passing over others."""
        async with asyncio.timeout(WAIT_S):
            while True:
                told = orjson.loads(await self.socket.recv())
                assert told["session_id"] == self._session_id, told
                if told["event"] == event and holds(told["data"]):
                    data: Row = told["data"]
                    return data


@asynccontextmanager
async def hearing(address: str, session_id: str) -> AsyncIterator[SessionSocket]:
    """Lend a socket of a session that was greeted."""
    async with connect(f"ws://{address}/ws/sessions/{session_id}") as socket:
        session = SessionSocket(socket, session_id)
        await session.hear("connected")
        yield session
