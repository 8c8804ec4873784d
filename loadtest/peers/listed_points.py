"""Listed points: telemetry of sessions as a process without a database keeps it, in lists.

    python -m loadtest.peers.listed_points PORT

    POST ─► models check it ─► a dict a point, at the end of the session's list
    GET  ─► the whole list, point by point

Nothing is durable, aggregated, watched or told. What the usual way leaves open is chosen so that it
is fast: coroutines, no thread for a request, a list for each session, answers that the models
write.
"""

import secrets
import sys
from datetime import datetime
from operator import itemgetter
from typing import Annotated, Any, Final, TypeAlias

from fastapi import FastAPI, HTTPException, Query
from pydantic import BaseModel

from loadtest.peers.answer_servers import serve

ROOT: Final = "/api/v1/sessions"
TELEMETRY: Final = f"{ROOT}/{{session_id}}/telemetry"

Row: TypeAlias = dict[str, Any]


class SessionIn(BaseModel):
    """A session to begin."""

    name: str


class PointIn(BaseModel):
    """A value of a channel at a time."""

    timestamp: datetime
    channel: str
    value: float
    unit: str | None = None


class BatchIn(BaseModel):
    """Many points."""

    data: list[PointIn]


class Sessions:
    """Keeps the points of all sessions."""

    def __init__(self) -> None:
        self._points: dict[str, list[Row]] = {}

    def create(self) -> str:
        """Begin a session and return its id."""
        session_id = _make_id("sess")
        self._points[session_id] = []
        return session_id

    def get(self, session_id: str) -> list[Row]:
        """Return the points of a session, in the order in which they came."""
        if session_id not in self._points:
            raise HTTPException(404, "There is no such session.")
        return self._points[session_id]

    def add(self, session_id: str, point: PointIn) -> Row:
        """Keep a point."""
        row = {"id": _make_id("tel"), "session_id": session_id, **point.model_dump()}
        self.get(session_id).append(row)
        return row

    def forget(self, session_id: str) -> None:
        """Let go of a session."""
        self._points.pop(session_id, None)


def build() -> FastAPI:
    """Return the application."""
    app, sessions = FastAPI(), Sessions()
    add_doors(app, sessions)
    add_questions(app, sessions)
    return app


def add_doors(app: FastAPI, sessions: Sessions) -> None:
    """Add what takes sessions and points."""

    @app.post(ROOT, status_code=201)
    async def create_session(given: SessionIn) -> Row:
        return {"id": sessions.create(), "name": given.name}

    @app.delete(f"{ROOT}/{{session_id}}")
    async def delete_session(session_id: str) -> Row:
        sessions.forget(session_id)
        return {}

    @app.post(TELEMETRY, status_code=201)
    async def create_point(session_id: str, given: PointIn) -> Row:
        return sessions.add(session_id, given)

    @app.post(f"{TELEMETRY}/batch", status_code=201)
    async def create_points(session_id: str, given: BatchIn) -> Row:
        for point in given.data:
            sessions.add(session_id, point)
        return {"created": len(given.data)}


def add_questions(app: FastAPI, sessions: Sessions) -> None:
    """Add what tells of them."""

    @app.get("/livez")
    async def live() -> Row:
        return {}

    @app.get(f"{TELEMETRY}/latest")
    async def read_latest(session_id: str, channel: str) -> Row:
        rows = [row for row in sessions.get(session_id) if row["channel"] == channel]
        if not rows:
            raise HTTPException(404, "There is no value of this channel.")
        return max(rows, key=itemgetter("timestamp"))

    @app.get(f"{TELEMETRY}/channels")
    async def list_channels(session_id: str) -> Row:
        return {"channels": sorted({row["channel"] for row in sessions.get(session_id)})}

    @app.get(TELEMETRY)
    async def list_points(
        session_id: str,
        channel: str,
        start: Annotated[datetime, Query(alias="from")],
        end: Annotated[datetime, Query(alias="to")],
        limit: int = 1000,
    ) -> Row:
        rows = [
            row
            for row in sessions.get(session_id)
            if row["channel"] == channel and start <= row["timestamp"] < end
        ]
        rows.sort(key=itemgetter("timestamp"), reverse=True)
        return {"data": rows[:limit], "next_cursor": None}


def _make_id(kind: str) -> str:
    return f"{kind}_{secrets.token_hex(4)}"


if __name__ == "__main__":
    serve(build(), int(sys.argv[1]))
