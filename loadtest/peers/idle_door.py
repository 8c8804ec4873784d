"""Idle door: the application with one route more, which does nothing; the limit of its stack.

    python -m loadtest.peers.idle_door PORT

Settings come from the environment, as for the application itself.
"""

import sys
from typing import Final

from fastapi import FastAPI, Response

from api.app import build_app
from core.settings import Settings
from loadtest.peers.answer_servers import serve

PATH: Final = "/api/v1/nothing"
ANSWER: Final = b'{"accepted":1,"rejected":0,"errors":[]}'


def build() -> FastAPI:
    """Return the application."""
    app = build_app(Settings())

    @app.post(PATH)
    async def answer() -> Response:
        return Response(ANSWER, status_code=202, media_type="application/json")

    return app


if __name__ == "__main__":
    serve(build(), int(sys.argv[1]))
