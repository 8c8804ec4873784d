"""Bare answers: an ASGI function that sends one finished answer; the limit of what uvicorn can do.

    python -m loadtest.peers.bare_answers PORT FILE

The file has the headers and the body of an answer of ours, as ``loadtest.bench.serving`` saw it.
"""

import sys
from pathlib import Path

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from loadtest.peers.answer_servers import serve


def build(file: Path) -> ASGIApp:
    """Return an application that answers everything with what is in a file."""
    saved = orjson.loads(file.read_bytes())
    body = saved["body"].encode()
    headers = [(name.encode(), value.encode()) for name, value in saved["headers"]]

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    return answer


if __name__ == "__main__":
    serve(build(Path(sys.argv[2])), int(sys.argv[1]))
